/**
 * The picture of chapter 04: the table of handlers, step by step.
 *
 * @module
 */

import { box, esc, hot, type Kind, label, svg, table, text } from "../lib/draw.ts";
import type { Args, Control, Language, Live, Text } from "../lib/live.ts";
import { CALLS, CATALOGUE, type Part } from "./catalogue.ts";
import { type Detail, detailOf, follow, type Network, STEPS, type Step, type Trace } from "./trace.ts";
import { readWishes, type Wishes } from "./wishes.ts";

const words = {
  step: { en: "step", zh: "步骤" },
  here: { en: "here", zh: "本实现" },
  skipped: { en: "does not run", zh: "不执行" },
  fresh: { en: "+ registered by this step", zh: "+ 由这一步注册" },
  later: { en: "… in 1.2.0, not here yet", zh: "… 1.2.0 有，本实现还没有" },
  chosen: { en: "▸ chosen", zh: "▸ 选中" },
  before: { en: "digit: the step it came with", zh: "数字：随哪一步而来" },
  name: { en: "name", zh: "名字" },
  registered: { en: "registered by", zh: "注册者" },
  runs: { en: "runs", zh: "执行的函数" },
  routes: { en: "routes that run it", zh: "会执行它的路由" },
  noRoute: { en: "none: only other code runs it", zh: "没有：只有别的代码会执行它" },
  network: { en: "What the job did to the machine", zh: "这个 job 对机器做了什么" },
  answers: { en: "Jobs that ran", zh: "执行过的 job" },
  failed: { en: "fails", zh: "失败" },
  choose: { en: "Click a name to see where it comes from.", zh: "点一个名字，看它从哪里来。" },
} satisfies Record<string, Text>;

const WIDTH = 768;
const COLUMNS = 4;
const CELL = { width: 187, height: 26, gap: 5 };
const BAR = { height: 96, width: 104, apart: 154 };
/** What stands under the bars. */
const SHORT = ["engine.New", "builtins.Register", "init_networkdriver", "Daemon.Install", "TagStore.Install"];

/** Arguments without those that begin with a word. */
const without = (args: Args, ...keys: string[]): Args =>
  args.filter((arg) => !keys.some((key) => arg === key || arg.startsWith(`${key}=`)));

/** The step that a part belongs to, from 1. */
function stepOf(part: Part, steps: readonly Step[]): number {
  return steps.findIndex(({ parts }) => parts.includes(part)) + 1;
}

/** One bar for each step, as high as the table is then; pressing it goes there. */
function bars(trace: Trace, args: Args, language: Language): string[] {
  const failed = STEPS.findIndex(({ call }) => call === trace.failed);
  return SHORT.map((short, i) => {
    const x = 4 + i * BAR.apart;
    const step = trace.steps[i];
    const height = step === undefined ? 4 : Math.max(4, (step.original / 50) * BAR.height);
    const top = 22 + BAR.height - height;
    const kind: Kind = i === failed ? "bad" : i === trace.steps.length - 1 ? "run" : "quiet";
    const drawn = [
      box(x, top, BAR.width, height, kind),
      text(
        x,
        top - 6,
        [countText(step, language), i === failed ? `✗ ${words.failed[language]}` : ""].join(" ").trim(),
        {
          look: "title",
        },
      ),
      text(x, 40 + BAR.height, `${i + 1} ${short}`, { look: "small" }),
    ].join("");
    return hot([...without(args, "steps"), `steps=${i + 1}`], `${words.step[language]} ${i + 1}: ${short}`, drawn);
  });
}

/** How many names there are in 1.2.0, and how many here if these are fewer. */
function countText(step: Step | undefined, language: Language): string {
  if (step === undefined) return "";
  const { size, original, skipped } = step;
  const note = skipped ? words.skipped[language] : size === original ? "" : `${words.here[language]} ${size}`;
  return note === "" ? `${original}` : `${original} (${note})`;
}

/** A name and how it is drawn. */
interface Cell {
  readonly name: string;
  readonly mark: string;
  readonly kind: Kind;
}

/** The names of the table so far, and those it would have in 1.2.0. */
export function cellsOf(trace: Trace, chosen: string | undefined): Cell[] {
  const last = trace.steps.length;
  const added = new Set(trace.steps.flatMap((step) => step.added));
  const expected = new Set(trace.steps.flatMap((step) => [...step.added, ...step.missing]));
  return CATALOGUE.filter(({ name }) => expected.has(name)).map(({ name, part }) => {
    const step = stepOf(part, trace.steps);
    const state = !added.has(name) ? "…" : step === last ? "+" : " ";
    const kind: Kind = name === chosen ? "pick" : !added.has(name) ? "wait" : step === last ? "run" : "quiet";
    return { name, mark: `${name === chosen ? "▸" : state}${step}`.trim(), kind };
  });
}

function grid(cells: readonly Cell[], args: Args, top: number): string[] {
  return cells.map(({ name, mark, kind }, i) => {
    const x = 4 + (i % COLUMNS) * (CELL.width + CELL.gap);
    const y = top + Math.floor(i / COLUMNS) * (CELL.height + CELL.gap);
    const drawn = label(x, y, CELL.width, CELL.height, `${mark} ${name}`, kind);
    return hot([...without(args, "name"), `name=${name}`], name, drawn);
  });
}

function picture(trace: Trace, wishes: Wishes, args: Args, language: Language): string {
  const cells = cellsOf(trace, wishes.name);
  const top = BAR.height + 56;
  const bottom = top + Math.ceil(cells.length / COLUMNS) * (CELL.height + CELL.gap);
  const legend = [words.fresh, words.later, words.chosen, words.before].map((one) => one[language]).join(" · ");
  const body = [
    ...bars(trace, args, language),
    ...grid(cells, args, top),
    text(4, bottom + 14, legend, { look: "small" }),
  ];
  return svg(WIDTH, bottom + 24, live.caption[language], body);
}

function details(detail: Detail, language: Language): string {
  const { name, part, registered, handler, defined, routes } = detail;
  return table(
    [words.name[language], name],
    [
      { cells: [words.registered[language], `${CALLS[part]} — ${registered}`] },
      { cells: [words.runs[language], `${handler} — ${defined}`] },
      { cells: [words.routes[language], routes.length === 0 ? words.noRoute[language] : routes.join(", ")] },
    ],
  );
}

function networkHtml(network: Network, language: Language): string {
  const { bridge, address, bridgeIP, forwarding, rules } = network;
  const lines = [
    `${bridge}  ${address}`,
    `httpapi.bridgeIP  ${bridgeIP}`,
    `ip_forward  ${forwarding ? 1 : 0}`,
    ...rules,
  ];
  return `<p><strong>${words.network[language]}</strong></p><pre>${esc(lines.join("\n"))}</pre>`;
}

async function draw(args: Args, language: Language): Promise<string> {
  const wishes = readWishes(args);
  const trace = await follow(wishes);
  if (trace.steps.length === 0) throw new Error(trace.end);
  const parts = [picture(trace, wishes, args, language)];
  if (trace.failed !== "") {
    parts.push(`<p><strong>${esc(trace.failed)} ${words.failed[language]}</strong>: ${esc(trace.end)}</p>`);
  }
  const detail = wishes.name === undefined ? undefined : detailOf(wishes.name);
  parts.push(detail === undefined ? `<p>${words.choose[language]}</p>` : details(detail, language));
  if (trace.network !== undefined) parts.push(networkHtml(trace.network, language));
  if (trace.answers.length > 0) {
    const said = trace.answers.map(({ word, text: answer }) => `${word.job}\n${shortened(answer)}`).join("\n\n");
    parts.push(`<p><strong>${words.answers[language]}</strong></p><pre>${esc(said)}</pre>`);
  }
  return parts.join("\n");
}

/** Of many events, the first and the last, and how many they are. */
function shortened(answer: string): string {
  const events = answer.trim().split(/(?<=\})(?=\{)/);
  return events.length < 4 ? answer.trim() : [events[0], `… ${events.length - 2} …`, events.at(-1)].join("\n");
}

const flag = (name: string, label: Text): Control => ({
  kind: "switch",
  label,
  read: (args) => args.includes(name),
  write: (args, on) => (on ? [...args, name] : args.filter((arg) => arg !== name)),
});

/** What the page of this chapter shows. */
export const live: Live = {
  example: [],
  presets: [
    { label: { en: "All five steps", zh: "全部五步" }, args: [] },
    { label: { en: "Builtins only", zh: "只有 builtins" }, args: ["steps=2"] },
    { label: { en: "No network: 46", zh: "不要网络：46" }, args: ["--bridge=none"] },
    { label: { en: "A bridge that is missing", zh: "指定的网桥不存在" }, args: ["--bridge=br9"] },
    { label: { en: "172.17 is taken", zh: "172.17 已被占用" }, args: ["steps=3", "taken=172.17.0.0/16"] },
    { label: { en: "Builtins twice", zh: "加载两次" }, args: ["steps=2", "twice"] },
    { label: { en: "65 events", zh: "65 个事件" }, args: ["steps=2", "log=65", "events=1"] },
    { label: { en: "Which version?", zh: "版本" }, args: ["steps=2", "version", "name=version"] },
    { label: { en: "Search and log in", zh: "搜索与登录" }, args: ["steps=2", "search=busybox", "auth=ann:secret"] },
  ],
  controls: [
    {
      kind: "range",
      label: { en: "up to step", zh: "执行到第几步" },
      min: 1,
      max: 5,
      step: 1,
      unit: "",
      read: (args) => readWishes(args).steps,
      write: (args, value) => [...without(args, "steps"), `steps=${value}`],
    },
    flag("--bridge=none", { en: "--bridge=none", zh: "--bridge=none" }),
    flag("--iptables=false", { en: "--iptables=false", zh: "--iptables=false" }),
    flag("--icc=false", { en: "--icc=false", zh: "--icc=false" }),
    {
      kind: "choice",
      label: { en: "networks in use", zh: "已被占用的网段" },
      options: [
        { value: "", label: { en: "none", zh: "无" } },
        { value: "172.17.0.0/16", label: { en: "172.17.0.0/16", zh: "172.17.0.0/16" } },
        { value: "172.0.0.0/8", label: { en: "172.0.0.0/8", zh: "172.0.0.0/8" } },
      ],
      read: (args) => readWishes(args).taken[0] ?? "",
      write: (args, value) => [...without(args, "taken"), ...(value === "" ? [] : [`taken=${value}`])],
    },
  ],
  caption: {
    en: "The table of handlers after each step of a start, as 1.2.0 has it and as it is here; every name can be chosen.",
    zh: "启动过程中每一步之后的 handler 表：1.2.0 的与本实现的；每个名字都可以点选。",
  },
  draw,
};
