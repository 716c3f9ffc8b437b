/**
 * The picture of chapter 01: flag → field → effective value, and the moment at which each value became what it is.
 *
 * @module
 */

import { esc, type Kind, table } from "../lib/draw.ts";
import type { Args, Language, Live, Text } from "../lib/live.ts";
import { demoHost, example, follow, type Row, sinceThen } from "./demo.ts";

/** Which of the four moments gave a flag the value it has in the end. */
export type Moment = "declared" | "parsed" | "settled";

/** The moment that decided; completing (the default host) and settling are one column here: both come after parsing. */
export function momentOf(row: Row): Moment {
  if (row.effective !== (row.given || row.byDefault)) return "settled";
  return row.given === "" ? "declared" : "parsed";
}

const words: Record<
  Moment | "flag" | "declare" | "parse" | "settle" | "said" | "end" | "status" | "new" | "off",
  Text
> = {
  flag: { en: "flag", zh: "flag" },
  declare: { en: "1 declared", zh: "1 声明" },
  parse: { en: "2 given", zh: "2 解析" },
  settle: { en: "3–4 effective", zh: "3–4 生效" },
  declared: { en: "default", zh: "默认值" },
  parsed: { en: "command line", zh: "命令行" },
  settled: { en: "changed after parsing", zh: "解析之后被改写" },
  said: { en: "What the flags said", zh: "flag 给出的提示" },
  end: { en: "How it ended", zh: "结果" },
  status: { en: "exit status", zh: "退出状态" },
  new: { en: "came after 1.2.0", zh: "1.2.0 之后才有" },
  off: { en: "DisableNetwork (no flag)", zh: "DisableNetwork（没有 flag）" },
};

const kinds: Record<Moment, Kind> = { declared: "quiet", parsed: "run", settled: "note" };
const signs: Record<Moment, string> = { declared: "", parsed: "→", settled: "✱" };

/** A flag and the arguments with it switched on or off. */
function has(args: Args, flag: string): boolean {
  return args.includes(flag);
}
function toggle(args: Args, flag: string, on: boolean): Args {
  const rest = args.filter((word) => word !== flag);
  return on ? [...rest, flag] : rest;
}

async function draw(args: Args, language: Language): Promise<string> {
  const say = (text: Text) => text[language];
  const { rows, stderr, disableNetwork, end, status } = await follow(args, await demoHost());
  const lines = rows.map((row) => {
    const moment = momentOf(row);
    const origin = [
      moment === "declared" ? "" : say(words[moment]),
      sinceThen.includes(row.names) ? say(words.new) : "",
    ];
    return {
      kind: kinds[moment],
      cells: [
        row.names,
        row.byDefault,
        row.given,
        `${signs[moment]} ${row.effective}`.trim(),
        origin.filter(Boolean).join(" · "),
      ],
    };
  });
  const derived = {
    kind: "note" as const,
    cells: [say(words.off), "", "", String(disableNetwork), say(words.settled)],
  };
  const head = [say(words.flag), say(words.declare), say(words.parse), say(words.settle), ""];
  const parts = [
    stderr === "" ? "" : `<p><strong>${esc(say(words.said))}</strong></p><pre>${esc(stderr.trimEnd())}</pre>`,
    rows.length === 0 ? "" : table(head, [...lines, derived]),
    `<p><strong>${esc(say(words.end))}</strong>: ${esc(end)} ${esc(say(words.status))} ${status}</p>`,
  ];
  return parts.filter(Boolean).join("\n");
}

/** What the page of this chapter shows. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "The example", zh: "示例" }, args: example },
    { label: { en: "A wrong address", zh: "错误的地址" }, args: ["-d", "--dns", "example.com"] },
    { label: { en: "A word too many", zh: "多余的参数" }, args: ["-d", "extra"] },
    {
      label: { en: "Two that exclude each other", zh: "互斥的两个 flag" },
      args: ["-d", "-b", "br0", "--bip", "10.0.0.1/24"],
    },
    { label: { en: "No network", zh: "不要网络" }, args: ["-d", "-b", "none"] },
    { label: { en: "A client", zh: "客户端" }, args: ["--mtu", "9000", "ps"] },
  ],
  controls: [
    {
      kind: "switch",
      label: { en: "-d, be a daemon", zh: "-d，作为守护进程" },
      read: (args) => has(args, "-d"),
      write: (args, on) => (on ? ["-d", ...args.filter((word) => word !== "-d")] : toggle(args, "-d", false)),
    },
    {
      kind: "switch",
      label: { en: "-D, debug", zh: "-D，调试" },
      read: (args) => has(args, "-D"),
      write: (args, on) => (on ? ["-D", ...args.filter((word) => word !== "-D")] : toggle(args, "-D", false)),
    },
    {
      kind: "switch",
      label: { en: "--iptables=false", zh: "--iptables=false" },
      read: (args) => has(args, "--iptables=false"),
      write: (args, on) => toggle(args, "--iptables=false", on),
    },
    {
      kind: "switch",
      label: { en: "--icc=false", zh: "--icc=false" },
      read: (args) => has(args, "--icc=false"),
      write: (args, on) => toggle(args, "--icc=false", on),
    },
  ],
  caption: {
    en: "Each flag with its value at each moment; → was set by the command line, ✱ was changed after it was read.",
    zh: "每个 flag 在各个时刻的值；→ 由命令行给出，✱ 在解析之后被改写。",
  },
  draw,
};
