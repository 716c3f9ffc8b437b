/**
 * The picture of chapter 08: clients, their requests, and the keys of the pool between them.
 *
 * @module
 */

import { esc, table } from "../lib/draw.ts";
import type { Args, Control, Language, Live, Text } from "../lib/live.ts";
import { type Asked, argsOf, ask, stepsOf } from "./args.ts";
import { answerOf, example, follow, named } from "./demo.ts";
import { draw } from "./picture.ts";

/** Arguments that cannot be read leave the controls as at the start; the picture says what is wrong. */
function asked(args: Args): Asked {
  try {
    return ask(args);
  } catch {
    return ask([]);
  }
}

const change = (args: Args, changes: Partial<Asked>): Args => argsOf({ ...asked(args), ...changes });

const images = ["app:1.0", "app:latest", "tools:1.0", "base:1.0", "app", "app:9"];

/** What the client with this number pulls. */
function imageControl(client: number): Control {
  const nobody = { value: "", label: { en: "(no such client)", zh: "（没有这个客户端）" } };
  return {
    kind: "choice",
    label: { en: `client ${client} pulls`, zh: `客户端 ${client} 拉取` },
    options: [...(client > 1 ? [nobody] : []), ...images.map((value) => ({ value, label: { en: value, zh: value } }))],
    read: (args) => asked(args).images[client - 1] ?? "",
    write: (args, value) => {
      const wanted = [...asked(args).images];
      if (value === "") wanted.splice(client - 1);
      else wanted[client - 1] = value;
      return change(args, { images: wanted.filter((image) => image !== undefined) });
    },
  };
}

/** Faults worth a place in the list; a click in the picture makes others. */
const faults: readonly { readonly value: string; readonly label: Text }[] = [
  { value: "", label: { en: "nothing", zh: "一切正常" } },
  { value: "index=401", label: { en: "the index wants a password", zh: "索引要求认证（401）" } },
  { value: "tags=500", label: { en: "the tags cannot be had", zh: "取不到标签列表（500）" } },
  { value: "json=500:2", label: { en: "a description fails twice", zh: "镜像 json 失败两次" } },
  { value: "manifest=401", label: { en: "the manifest wants a password", zh: "清单要求认证（401）" } },
  { value: "layer=404", label: { en: "a layer is missing", zh: "镜像层不存在（404）" } },
  { value: "layer=refused:2", label: { en: "no connection, twice", zh: "连接两次被拒绝" } },
  { value: "layer=cut", label: { en: "a layer breaks off", zh: "下载中途断开" } },
  { value: "layer=silent", label: { en: "a layer falls silent", zh: "下载中途没有回音" } },
  { value: "layer=slow", label: { en: "layers come slowly", zh: "下载很慢" } },
  { value: "layer=corrupt", label: { en: "a byte is wrong", zh: "有一个字节出错" } },
];

const faultText = (args: Args): string => {
  const words = argsOf({ ...asked(args), have: [], leave: new Map(), images: example, version: "v1", afterMs: 30 });
  return words.filter((word) => word !== "--fail").at(-1) ?? "";
};

const controls: readonly Control[] = [
  imageControl(1),
  imageControl(2),
  imageControl(3),
  {
    kind: "range",
    label: { en: "each starts after the one before", zh: "后一个客户端晚开始" },
    min: 0,
    max: 400,
    step: 10,
    unit: "ms",
    read: (args) => asked(args).afterMs,
    write: (args, afterMs) => change(args, { afterMs }),
  },
  {
    kind: "choice",
    label: { en: "goes wrong", zh: "出错" },
    options: faults,
    read: faultText,
    write: (args, value) => {
      const now = asked(args);
      const [step = ""] = value.split("=");
      // A fault of the other version's steps means the other version.
      const version =
        value === "" || stepsOf(now.version).includes(step as never) ? now.version : now.version === "v1" ? "v2" : "v1";
      const rest = argsOf({ ...now, version, faults: [] });
      return value === "" ? rest : ["--fail", value, ...rest];
    },
  },
  {
    kind: "choice",
    label: { en: "the registry speaks", zh: "registry 协议" },
    options: [
      { value: "v1", label: { en: "version 1, as in 2014", zh: "v1（2014 年）" } },
      { value: "v2", label: { en: "version 2, as today", zh: "v2（今天）" } },
    ],
    read: (args) => asked(args).version,
    write: (args, value) => {
      const version = value === "v2" ? "v2" : "v1";
      const kept = asked(args).faults.filter(({ step }) => stepsOf(version).includes(step));
      return change(args, { version, faults: kept });
    },
  },
  {
    kind: "switch",
    label: { en: "base was pulled before", zh: "base 已在本地" },
    read: (args) => asked(args).have.includes("base:1.0"),
    write: (args, on) => change(args, { have: on ? ["base:1.0"] : [] }),
  },
  {
    kind: "switch",
    label: { en: "client 1 goes away at 200 ms", zh: "客户端 1 在 200 ms 离开" },
    read: (args) => asked(args).leave.has(1),
    write: (args, on) => change(args, { leave: new Map(on ? [[1, 200]] : []) }),
  },
];

const words = {
  client: { en: "client", zh: "客户端" },
  requests: { en: "requests", zh: "请求数" },
  layers: { en: "layers it fetched", zh: "它下载的层" },
  tags: { en: "tags it wrote", zh: "写入的标签" },
  none: { en: "none", zh: "无" },
  told: { en: "What client # is told", zh: "客户端 # 得到的答复" },
  says: { en: "Every message to client #", zh: "写给客户端 # 的全部消息" },
} satisfies Record<string, Text>;

async function drawAll(args: Args, language: Language): Promise<string> {
  const say = (text: Text) => text[language];
  const trace = await follow(ask(args));
  const { wide, narrow } = draw(trace, language, say(live.caption));
  const rows = trace.clients.map((client, i) => {
    const mine = trace.sent.filter((sent) => sent.client === i + 1);
    const layers = mine.filter(
      ({ step, failure, status = 0 }) => step === "layer" && failure === undefined && status < 300,
    );
    const names = layers.map(({ path }) => /\((.*)\)/.exec(named(path, trace.shelf))?.[1] ?? "");
    const tags = trace.events.flatMap((event) =>
      event.kind === "tags" && event.client === i + 1 ? [event.name.replace(/^[^/]*\//, "")] : [],
    );
    return {
      kind: client.error === undefined ? ("good" as const) : ("bad" as const),
      cells: [
        `${i + 1}: ${client.image}`,
        String(mine.length),
        names.join(", ") || say(words.none),
        tags.join(", ") || say(words.none),
      ],
    };
  });
  const said = trace.clients.map((client, i) => {
    const number = (text: Text) => esc(say(text).replace("#", String(i + 1)));
    const lines = trace.events.flatMap((event) => {
      if (event.kind !== "says" || event.client !== i + 1) return [];
      const { id, status, progress } = event.message;
      return [`${id === undefined ? "" : `${id}: `}${status ?? ""}${progress === undefined ? "" : ` ${progress}`}`];
    });
    return [
      `<p><strong>${number(words.told)}</strong>: ${esc(answerOf(client, language))}</p>`,
      `<details><summary>${number(words.says)}</summary><pre>${esc(lines.join("\n"))}</pre></details>`,
    ].join("\n");
  });
  return [
    `<div class="live-room"><div class="live-wide">${wide}</div>`,
    `<div class="live-narrow">${narrow}</div></div>`,
    `<div style="margin:6px 0 14px">${table([say(words.client), say(words.requests), say(words.layers), say(words.tags)], rows)}</div>`,
    ...said,
  ].join("\n");
}

/** What the page of this chapter shows. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "Two images, one base", zh: "两个镜像，同一个 base" }, args: example },
    { label: { en: "The same image twice", zh: "同一个镜像拉两次" }, args: ["app:1.0", "app:1.0"] },
    { label: { en: "Two names of one image", zh: "同一镜像的两个标签" }, args: ["app:1.0", "app:latest"] },
    { label: { en: "The first one fails", zh: "前一个失败" }, args: ["--fail", "layer=404", "app:1.0", "app:1.0"] },
    { label: { en: "A layer breaks off", zh: "下载中途断开" }, args: ["--fail", "layer=cut"] },
    { label: { en: "The first one goes away", zh: "前一个离开" }, args: ["--leave", "1=200"] },
    { label: { en: "As today: version 2", zh: "今天的 v2" }, args: ["--registry", "v2"] },
    { label: { en: "One client, one layer", zh: "一个客户端，一层" }, args: ["base:1.0"] },
  ],
  controls,
  caption: {
    en: "Time runs down, in milliseconds. A box in a client's column is a request, a bar between the columns a key of the pool from taking it to giving it back; a dashed box waits for somebody else's bar to end. The pale end of a layer's bar is the time for which 1.2.0 would have let others wait on. Click a request to make its kind fail.",
    zh: "时间自上而下，单位毫秒。客户端一列里的方框是它发出的请求；中间的竖条是 pullingPool 里的一个键，从占用到释放；虚线框表示在等别人的竖条结束。层的竖条末尾浅色的一段，是 1.2.0 还会让别人继续等待的时间。点击一个请求，可以让这类请求出错。",
  },
  draw: drawAll,
};
