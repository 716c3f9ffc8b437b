/**
 * The picture of chapter 09: one looks from the left through the layers of a container, and sees of each path what the
 * first of them has there; a whiteout stops the look.
 *
 * @module
 */

import { box, button, cut, dot, esc, hot, line, path, svg, table, text, textWidth } from "../lib/draw.ts";
import type { Args, Control, Language, Live, Text } from "../lib/live.ts";
import { ArgumentError, readLines } from "./calls.ts";
import { type Asked, ask, example, follow, type Outcome } from "./demo.ts";
import { isOwn, type Layer } from "./disk.ts";
import { CODE, short } from "./session.ts";

const WORDS = {
  see: { en: "What you see", zh: "你看到的" },
  bare: { en: "Nothing is mounted", zh: "没有挂载" },
  file: { en: "file", zh: "文件" },
  dir: { en: "dir", zh: "目录" },
  covered: { en: "covered", zh: "被遮住" },
  gone: { en: "hidden", zh: "被隐藏" },
  white: { en: "✕ white", zh: "✕ 白障" },
  opaque: { en: "✕ opaque", zh: "✕ 不透明" },
  there: { en: "is there", zh: "存在" },
  more: { en: "more", zh: "层" },
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
  users: { en: "users of the mount", zh: "挂载的使用者" },
} satisfies Record<string, Text>;

/** Arguments that ask for this. */
function argsOf({ depth, show, vfs, calls }: Asked): string[] {
  return [
    ...(depth === 2 ? [] : ["--depth", String(depth)]),
    ...(show === "" ? [] : ["--show", `/${show}`]),
    ...(vfs ? ["--vfs"] : []),
    ...calls.map((call) => call.line),
  ];
}

/** What is asked for; arguments that cannot be read are replaced by the example. */
function asking(args: Args): Asked {
  try {
    return ask(args);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    return ask([]);
  }
}

/** The arguments with one more call about the chosen path. */
function add(args: Args, callOf: (path: string) => string): Args {
  const asked = asking(args);
  const path = `/${asked.show || "etc/motd"}`;
  return argsOf({ ...asked, show: path.slice(1), calls: [...asked.calls, ...readLines([callOf(path)])] });
}

const press = (en: string, zh: string, work: (args: Args) => Args): Control => ({
  kind: "button",
  label: { en, zh },
  press: work,
});

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
  press("write to it", "写入", (args) => add(args, (path) => `write ${path} written anew`)),
  press("delete it", "删除", (args) => add(args, (path) => `rm ${path}`)),
  press("make it a directory", "建为目录", (args) => add(args, (path) => `mkdir ${path}`)),
  press("get", "get", (args) => add(args, () => "get")),
  press("put", "put", (args) => add(args, () => "put")),
  press("undo", "撤销", (args) => {
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

const WIDTH = 450;
const LEFT = 170;
const TOP = 54;
const ROW = 26;

/** A pane of glass: a layer, or several that nothing is in. */
interface Pane {
  readonly layer: Layer | undefined;
  readonly title: string;
  readonly note: string;
}

function panesOf(layers: readonly Layer[], language: Language): Pane[] {
  const pane = (layer: Layer): Pane => ({ layer, title: short(layer.id), note: layer.id === CODE ? "rw" : "ro+wh" });
  if (layers.length <= 4) return layers.map(pane);
  const between = { layer: undefined, title: `+ ${layers.length - 3}`, note: WORDS.more[language] };
  return [...layers.slice(0, 2).map(pane), between, ...layers.slice(-1).map(pane)];
}

/** A path of the picture. */
interface Row {
  readonly path: string;
  /** Layers that have it, topmost first. */
  readonly layers: readonly string[];
  readonly seen: boolean;
  readonly by?: { readonly layer: string; readonly path: string } | undefined;
}

function rowsOf({ shown, hidden, mounted, layers }: Outcome): Row[] {
  if (!mounted) {
    const having = (path: string) => layers.filter(({ diff }) => diff.some((entry) => entry.path === path));
    const all = new Set(layers.flatMap(({ diff }) => diff.map(({ path }) => path)));
    return [...all]
      .filter((path) => !/(^|\/)\.wh\./.test(path))
      .sort()
      .map((path) => ({ path, layers: having(path).map(({ id }) => id), seen: false }));
  }
  const rows = [...shown.map((one) => ({ ...one, seen: true })), ...hidden.map((one) => ({ ...one, seen: false }))];
  return rows.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What a pane has on the line of a path. */
function cell(
  row: Row,
  pane: Pane,
  mounted: boolean,
  language: Language,
): { word: string; kind: "good" | "bad" | "quiet" } | undefined {
  const id = pane.layer?.id;
  if (id === undefined) return undefined;
  if (row.by?.layer === id && !row.layers.slice(0, 1).includes(id))
    return { word: (row.by.path.endsWith("opq") ? WORDS.opaque : WORDS.white)[language], kind: "bad" };
  if (!row.layers.includes(id)) return undefined;
  const isDirectory = row.path.endsWith("/");
  if (!mounted) return { word: (isDirectory ? WORDS.dir : WORDS.file)[language], kind: "quiet" };
  if (row.seen && (isDirectory || row.layers[0] === id))
    return { word: (isDirectory ? WORDS.dir : WORDS.file)[language], kind: "good" };
  return { word: (row.seen ? WORDS.covered : WORDS.gone)[language], kind: "quiet" };
}

function glass(asked: Asked, outcome: Outcome, language: Language): string {
  const panes = panesOf(outcome.layers, language);
  const rows = rowsOf(outcome);
  const wide = (WIDTH - LEFT - 4) / panes.length;
  const height = TOP + rows.length * ROW + 8;
  const x = (at: number) => LEFT + at * wide;
  const body: string[] = [
    ...(outcome.mounted ? [path("M3 15 Q15 3 27 15 Q15 27 3 15", "good"), dot(15, 15, "good", 4)] : []),
    text(outcome.mounted ? 34 : 2, 20, outcome.mounted ? WORDS.see[language] : WORDS.bare[language], { look: "title" }),
    text(outcome.mounted ? 34 : 2, 38, `mnt/${short(CODE)}`, { look: "small" }),
  ];
  for (const [at, pane] of panes.entries()) {
    body.push(box(x(at) + 3, 2, wide - 6, height - 4, pane.note === "rw" ? "run" : "quiet"));
    body.push(text(x(at) + wide / 2, 20, pane.title, { look: "title", anchor: "middle" }));
    body.push(text(x(at) + wide / 2, 38, pane.note, { look: "small", anchor: "middle" }));
  }
  for (const [n, row] of rows.entries()) {
    const y = TOP + n * ROW;
    const parts = row.path.split("/").filter(Boolean);
    const indent = 4 + (parts.length - 1) * 14;
    const name = cut(`${parts.at(-1)}${row.path.endsWith("/") ? "/" : ""}`, LEFT - indent - 14);
    const end = indent + textWidth(name);
    const chosen = asked.show === row.path.replace(/\/$/, "");
    const drawn: string[] = [
      `<rect class="row" x="0" y="${y}" width="${WIDTH}" height="${ROW}" fill="transparent"/>`,
      ...(chosen ? [box(1, y + 2, WIDTH - 2, ROW - 4, "pick").replace("<rect ", '<rect fill-opacity="0" ')] : []),
      text(indent, y + 17, name, row.seen || !outcome.mounted ? (chosen ? { kind: "pick" } : {}) : { look: "small" }),
    ];
    if (!row.seen && outcome.mounted) drawn.push(line(indent, y + 13, end, y + 13, "bad"));
    const cells = panes.map((pane) => cell(row, pane, outcome.mounted, language));
    const stop = cells.findIndex((one) => one?.kind === "good" || one?.kind === "bad");
    if (outcome.mounted && stop >= 0)
      drawn.push(line(end + 5, y + 13, x(stop) + 7, y + 13, cells[stop]?.kind, !row.seen));
    for (const [at, one] of cells.entries()) {
      if (one === undefined) continue;
      const kind = {
        look: "small" as const,
        anchor: "middle" as const,
        ...(one.kind === "bad" ? { kind: "bad" as const } : {}),
      };
      drawn.push(box(x(at) + 7, y + 4, wide - 14, ROW - 8, one.kind));
      drawn.push(text(x(at) + wide / 2, y + 17, cut(one.word, wide - 14, 12), kind));
    }
    const says = row.seen ? `/${row.path}: ${short(row.layers[0] ?? "")}` : `/${row.path}: –`;
    body.push(hot(argsOf({ ...asked, show: chosen ? "" : row.path.replace(/\/$/, "") }), says, drawn.join("")));
  }
  return svg(WIDTH, height, live.caption[language], body);
}

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
    ];
    const shown = told.map((words) => esc(words).replaceAll("=ro", "=<wbr>ro").replaceAll(":diff", ":<wbr>diff"));
    return {
      cells: [step.line, { html: shown.join("<br>") || esc(WORDS.nothing[language]) }],
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
        layer.diff
          .filter(({ path }) => !isOwn(path) && !path.endsWith("/"))
          .map(({ path }) => path)
          .join(" ") || "–",
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

/** What each layer has at the chosen path. */
function closer(asked: Asked, outcome: Outcome, language: Language): string {
  const { show } = asked;
  if (show === "") return "";
  const row = rowsOf(outcome).find(({ path }) => path.replace(/\/$/, "") === show);
  const rows = outcome.layers.flatMap(({ id, diff }) => {
    const entry = diff.find(({ path }) => path.replace(/\/$/, "") === show);
    const mark = row?.by?.layer === id ? row.by.path : undefined;
    if (entry === undefined && mark === undefined) return [];
    const first = row?.seen === true && row.layers[0] === id;
    const what =
      entry === undefined
        ? `${mark}: ${WORDS.hides[language]}`
        : entry.path.endsWith("/")
          ? WORDS.dir[language]
          : entry.text;
    return [
      {
        cells: [short(id), what, first ? WORDS.seen[language] : ""],
        kind: mark ? ("bad" as const) : first ? ("good" as const) : ("quiet" as const),
      },
    ];
  });
  const again = argsOf({ ...asked, show: "" });
  return `${heading(`/${show}`)}${table([WORDS.layer[language], WORDS.has[language], ""], rows)}<p>${button(again, "×", "close")}</p>`;
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
    { label: { en: "Write, delete, make anew", zh: "写入、删除、重建" }, args: example },
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
  caption: {
    en: "You look from the left through the layers. Of each path you see what the first layer has there; a whiteout stops the look. Choose a path to see what each layer holds.",
    zh: "从左向右透过各层看。每个路径，看到的是第一个含有它的层的内容；白障挡住视线。选中一个路径，可以看到每一层里有什么。",
  },
  async draw(args, language) {
    const asked = ask(args);
    const outcome = await follow(asked);
    const end = outcome.end === "" ? "" : `<p role="alert"><strong>${esc(outcome.end)}</strong></p>`;
    return [
      '<div class="live-columns">',
      `<div>${end}${glass(asked, outcome, language)}${closer(asked, outcome, language)}</div>`,
      `<div>${session(outcome, language)}${disk(outcome, language)}</div>`,
      `<div>${archive(outcome, language)}${vfs(outcome, language)}</div>`,
      "</div>",
    ].join("\n");
  },
};
