/**
 * The picture of chapter 09: one looks through the layers of a container from the left, and sees for each path what the
 * first of them has there; a whiteout blocks the view.
 *
 * @module
 */

import { button, esc, type Kind, table } from "../lib/draw.ts";
import type { Args, Control, Language, Live, Text } from "../lib/live.ts";
import { ArgumentError, readLines } from "./calls.ts";
import { type Asked, ask, example, follow, type Outcome } from "./demo.ts";
import { isOwn } from "./disk.ts";
import { argsOf, caption, glass, rowsOf } from "./panes.ts";
import { short } from "./session.ts";

const WORDS = {
  dir: { en: "dir", zh: "目录" },
  there: { en: "is there", zh: "存在" },
  session: { en: "The calls, and what each did to diff/c0de…", zh: "每个操作对 diff/c0de… 做了什么" },
  call: { en: "call", zh: "操作" },
  did: { en: "what changed", zh: "变化" },
  nothing: { en: "nothing", zh: "没有变化" },
  disk: { en: "On the disk: the graph and the driver beside each other", zh: "磁盘上：graph 与存储驱动的目录并列" },
  layer: { en: "layer", zh: "层" },
  archive: { en: "The archive of the layer, as push sends it", zh: "这一层的归档，push 发送的就是它" },
  entry: { en: "entry", zh: "条目" },
  kind: { en: "kind", zh: "类型" },
  mode: { en: "mode", zh: "权限" },
  vfs: { en: "The same archives under vfs: whiteouts carried out", zh: "同样的归档交给 vfs：白障已被执行" },
  path: { en: "path", zh: "路径" },
  has: { en: "what it has there", zh: "这一层里的内容" },
  seen: { en: "seen", zh: "看得到" },
  hides: { en: "hides it", zh: "把它隐藏" },
  write: { en: "write to it", zh: "写入" },
  remove: { en: "delete it", zh: "删除" },
  make: { en: "make it a directory", zh: "建为目录" },
  close: { en: "close", zh: "关闭" },
  bare: {
    en: "nothing is mounted: this met the directory mnt/c0de… itself",
    zh: "没有挂载：碰到的是目录 mnt/c0de… 本身",
  },
  hint: {
    en: "Choose a path to see what each layer holds there, and to write or delete it. Or try:",
    zh: "选中一个路径，可以看到每一层里有什么，也可以写它、删它。或者试试：",
  },
  users: { en: "users of the mount", zh: "挂载的使用者" },
} satisfies Record<string, Text>;

/** What is asked for; arguments that cannot be read are replaced by the example. */
function asking(args: Args): Asked {
  try {
    return ask(args);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    return ask([]);
  }
}

/** The arguments with one more call. */
function add(args: Args, line: string): Args {
  const asked = asking(args);
  return argsOf({ ...asked, calls: [...asked.calls, ...readLines([line])] });
}

const press = (label: Text, work: (args: Args) => Args): Control => ({ kind: "button", label, press: work });

const controls: readonly Control[] = [
  {
    kind: "text",
    label: { en: "Calls", zh: "操作" },
    size: 60,
    read: (args) =>
      asking(args)
        .calls.map((call) => call.line)
        .join("; "),
    write: (args, value) => {
      const lines = value.split(";").filter((part) => part.trim() !== "");
      return [...argsOf({ ...asking(args), calls: [] }), ...lines.map((part) => part.trim())];
    },
  },
  press({ en: "get", zh: "get" }, (args) => add(args, "get")),
  press({ en: "put", zh: "put" }, (args) => add(args, "put")),
  press({ en: "undo", zh: "撤销" }, (args) => {
    const asked = asking(args);
    return argsOf({ ...asked, calls: asked.calls.length > 1 ? asked.calls.slice(0, -1) : readLines(["get"]) });
  }),
  {
    kind: "range",
    label: { en: "layers of the image", zh: "镜像层数" },
    min: 1,
    max: 130,
    step: 1,
    unit: "",
    read: (args) => asking(args).depth,
    write: (args, depth) => argsOf({ ...asking(args), depth }),
  },
  {
    kind: "switch",
    label: { en: "the same under vfs", zh: "同样的层交给 vfs" },
    read: (args) => asking(args).vfs,
    write: (args, vfs) => argsOf({ ...asking(args), vfs }),
  },
];

/** A text that may be broken behind an option. */
const soft = (words: string): string => esc(words).replace(/[,:=](?=\S)/g, "$&<wbr>");

const heading = (words: string): string => `<h4 class="live-heading">${esc(words)}</h4>`;

function session({ steps }: Outcome, language: Language): string {
  const rows = steps.map((step) => {
    const own = step.changes.some((change) => isOwn(change.slice(2)));
    const mounts = step.mounts.length > 3 ? [...step.mounts.slice(0, 2), `… ${step.mounts.length - 2}`] : step.mounts;
    const told = [
      ...mounts,
      ...step.said,
      ...(own ? ["+ .wh..wh.*"] : []),
      ...step.changes.filter((change) => !isOwn(change.slice(2))),
      ...(step.references === undefined ? [] : [`${WORDS.users[language]}: ${step.references}`]),
      ...(step.error === "" ? [] : [step.error]),
      ...(step.mounted || /^(get|put|image)\b/.test(step.line) ? [] : [WORDS.bare[language]]),
    ];
    return {
      cells: [step.line, { html: told.map(soft).join("<br>") || esc(WORDS.nothing[language]) }],
      ...(step.error === "" ? {} : { kind: "bad" as const }),
    };
  });
  return heading(WORDS.session[language]) + table([WORDS.call[language], WORDS.did[language]], rows);
}

function disk({ layers }: Outcome, language: Language): string {
  const few = layers.length > 6 ? [...layers.slice(0, 3), undefined, ...layers.slice(-2)] : layers;
  const rows = few.map((layer) => {
    if (layer === undefined) return { cells: [`+ ${layers.length - 5}`, "", "", ""], kind: "quiet" as const };
    const below = layer.below.map(short);
    const lines = below.length > 3 ? [...below.slice(0, 1), `+ ${below.length - 2}`, ...below.slice(-1)] : below;
    return {
      cells: [
        short(layer.id),
        layer.graph.map(({ name, text }) => (name === "layersize" ? `layersize ${text}` : name)).join(", ") || "–",
        lines.join(" ") || "–",
        {
          html:
            layer.diff
              .filter(({ path }) => !isOwn(path) && !path.endsWith("/"))
              .map(({ path }) => esc(path))
              .join("<br>") || "–",
        },
      ],
    };
  });
  return heading(WORDS.disk[language]) + table([WORDS.layer[language], "graph/", "aufs/layers/", "aufs/diff/"], rows);
}

const KIND: Readonly<Record<string, string>> = { "0": "file", "1": "link", "2": "symlink", "5": "dir" };

function archive({ archive: headers }: Outcome, language: Language): string {
  const rows = headers.map(({ type, mode, name, linkname }) => ({
    cells: [
      KIND[type] ?? type,
      (mode & 0o7777).toString(8).padStart(4, "0"),
      type === "1" ? `${name} → ${linkname}` : name,
    ],
    ...(name.startsWith(".wh..wh.")
      ? { kind: "quiet" as const }
      : name.includes(".wh.")
        ? { kind: "bad" as const }
        : {}),
  }));
  return (
    heading(WORDS.archive[language]) + table([WORDS.kind[language], WORDS.mode[language], WORDS.entry[language]], rows)
  );
}

/** Calls that are worth trying wherever one is. */
const TRY = ["rm /bin/ls", "write /bin/ls mine", "rm /srv", "mkdir /srv", "mv /etc /conf"];

/** What each layer has at the chosen path, and what can be done to it; without one, what can be done at all. */
function closer(asked: Asked, outcome: Outcome, language: Language): string {
  const { show } = asked;
  const args = argsOf(asked);
  const deeds = (some: readonly (readonly [string, Args])[]) =>
    `<p class="live-deeds">${some.map(([word, to]) => button(to, word)).join(" · ")}</p>`;
  if (show === "") {
    const hint = `<p class="live-deeds">${esc(WORDS.hint[language])}</p>`;
    return hint + (outcome.end === "" ? deeds(TRY.map((call) => [call, add(args, call)])) : "");
  }
  const named = rowsOf(outcome).filter(({ path }) => path.replace(/\/$/, "") === show);
  const row = named.find(({ seen }) => seen) ?? named[0];
  const rows = outcome.layers.flatMap(({ id, diff }) => {
    const entry = diff.find(({ path }) => path.replace(/\/$/, "") === show);
    const mark = row?.by?.layer === id ? row.by.path : undefined;
    if (entry === undefined && mark === undefined) return [];
    const first = row?.seen === true && row.layers[0] === id;
    const content = entry?.path.endsWith("/") ? WORDS.dir[language] : (entry?.text ?? "");
    const what = mark === undefined ? content : `${mark}: ${WORDS.hides[language]}`;
    const kind: Kind = mark === undefined ? (first ? "good" : "quiet") : "bad";
    return [{ cells: [short(id), what, first ? WORDS.seen[language] : ""], kind }];
  });
  return [
    heading(`/${show}`),
    table([WORDS.layer[language], WORDS.has[language], ""], rows),
    deeds([
      [WORDS.write[language], add(args, `write /${show} written anew`)],
      [WORDS.remove[language], add(args, `rm /${show}`)],
      [WORDS.make[language], add(args, `mkdir /${show}`)],
      [WORDS.close[language], argsOf({ ...asked, show: "" })],
    ]),
  ].join("");
}

function vfs({ vfs: entries }: Outcome, language: Language): string {
  if (entries === undefined) return "";
  const rows = entries.map(({ path, text }) => ({ cells: [path, text] }));
  return heading(WORDS.vfs[language]) + table([WORDS.path[language], WORDS.has[language]], rows);
}

/** Panes of glass, and beside them the session, the disk and the archive. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "Write, delete, recreate", zh: "写入、删除、重建" }, args: example },
    { label: { en: "A fresh container", zh: "刚创建的容器" }, args: ["--show", "/etc/motd", "get"] },
    { label: { en: "A directory moved", zh: "移动目录" }, args: ["get", "mv /etc /conf"] },
    {
      label: { en: "A file where a directory was", zh: "目录变成文件" },
      args: ["--show", "/srv", "get", "rm /srv", "write /srv a file now"],
    },
    { label: { en: "Get, get, put, put", zh: "引用计数" }, args: ["get", "get", "put", "put", "write /etc/motd lost"] },
    { label: { en: "Sixty layers", zh: "六十层" }, args: ["--depth", "60", "get"] },
    { label: { en: "One too many", zh: "多了一层" }, args: ["--depth", "125", "get"] },
    { label: { en: "The same under vfs", zh: "换成 vfs" }, args: ["--vfs", "get", "rm /bin/ls", "write /srv/new x"] },
  ],
  controls,
  caption,
  async draw(args, language) {
    const asked = ask(args);
    const outcome = await follow(asked);
    const end = outcome.end === "" ? "" : `<p role="alert"><strong>${esc(outcome.end)}</strong></p>`;
    return [
      '<div class="live-columns">',
      `<div>${end}${glass(asked, outcome, language)}${closer(asked, outcome, language)}${archive(outcome, language)}</div>`,
      `<div>${session(outcome, language)}${disk(outcome, language)}${vfs(outcome, language)}</div>`,
      "</div>",
    ].join("\n");
  },
};
