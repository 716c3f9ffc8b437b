/**
 * The picture of chapter 02: the names an engine knows, and the tree of jobs that one line leads to.
 *
 * @module
 */

import { button, svg, type TreeNode, table, text, tree } from "../lib/draw.ts";
import type { Args, Control, Language, Live, Text } from "../lib/live.ts";
import { type Call, everyCall } from "./calls.ts";
import { type Asked, ask, example, follow, seconds, type Trace } from "./demo.ts";

const WORDS = {
  names: { en: "What the engine knows", zh: "engine 认识的名字" },
  name: { en: "name", zh: "名字" },
  who: { en: "registered by", zh: "由谁注册" },
  runs: { en: "runs", zh: "运行次数" },
  engine: { en: "the engine itself", zh: "engine 自己" },
  chapter: { en: "this chapter", zh: "本章" },
  nobody: { en: "nobody", zh: "没有人" },
  tree: {
    en: "The jobs of this line, top to bottom in the order they began",
    zh: "这一行引出的 job，自上而下按开始的先后",
  },
  caller: { en: "the caller", zh: "调用者" },
  notRun: { en: "not run again", zh: "没有再运行" },
  job: { en: "Job", zh: "Job" },
  nothing: { en: "(nothing)", zh: "（空）" },
  failed: { en: "run() failed", zh: "run() 失败" },
  returned: { en: "returned", zh: "正常返回" },
} satisfies Record<string, Text>;

/** Arguments that ask for this. */
function argsOf({ twice, show, words }: Asked): string[] {
  return [...(twice ? ["--twice"] : []), ...(show > 0 ? ["--show", String(show)] : []), ...words];
}

/** The arguments with something changed; ones that cannot be read are replaced by the example. */
function changed(args: Args, change: (asked: Asked) => Partial<Asked>): Args {
  let asked: Asked;
  try {
    asked = ask(args);
  } catch {
    asked = ask([]);
  }
  return argsOf({ ...asked, ...change(asked) });
}

const isSetting = (word: string): boolean => word.includes("=");

/** A line in three parts; whatever is changed in one, the others stay. */
function changedWords(args: Args, change: { settings?: string[]; name?: string; rest?: string[] }): Args {
  return changed(args, ({ words }) => {
    const [name = "", ...rest] = words.filter((word) => !isSetting(word));
    const now = { settings: words.filter(isSetting), name, rest, ...change };
    return { show: 0, words: [...now.settings, now.name, ...now.rest].filter((word) => word !== "") };
  });
}

/** Words of a line, without the options. */
const wordsOf = (args: Args): readonly string[] => ask(changed(args, () => ({}))).words;

/** The last value of a setting. */
const settingOf = (args: Args, name: string): string | undefined =>
  wordsOf(args)
    .findLast((word) => word.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** A line with a setting that has this value; without it for `undefined`. */
const withSetting = (args: Args, name: string, value: string | undefined): Args =>
  changedWords(args, {
    settings: [
      ...(value === undefined ? [] : [`${name}=${value}`]),
      ...wordsOf(args).filter((word) => isSetting(word) && !word.startsWith(`${name}=`)),
    ],
  });

const controls: readonly Control[] = [
  {
    kind: "choice",
    label: { en: "Job", zh: "job" },
    options: ["shout", "echo", "upper", "commands", "nope"].map((value) => ({
      value,
      label: { en: value, zh: value },
    })),
    read: (args) => wordsOf(args).find((word) => !isSetting(word)) ?? "",
    write: (args, name) => changedWords(args, { name }),
  },
  {
    kind: "text",
    label: { en: "words", zh: "参数" },
    size: 20,
    read: (args) =>
      wordsOf(args)
        .filter((word) => !isSetting(word))
        .slice(1)
        .join(" "),
    write: (args, value) => changedWords(args, { rest: value.split(/\s+/).filter((word) => !isSetting(word)) }),
  },
  {
    kind: "range",
    label: { en: "SECONDS", zh: "SECONDS" },
    min: 0,
    max: 10,
    step: 0.5,
    unit: "s",
    read: (args) => Number(settingOf(args, "SECONDS")) || 0,
    write: (args, value) => withSetting(args, "SECONDS", value === 0 ? undefined : String(value)),
  },
  {
    kind: "choice",
    label: { en: "VERBOSE", zh: "VERBOSE" },
    options: ["(unset)", "1", "0", "no", "none", "null", "off"].map((value) => ({
      value,
      label: value === "(unset)" ? { en: "(unset)", zh: "（未设置）" } : { en: value, zh: value },
    })),
    read: (args) => settingOf(args, "VERBOSE") ?? "(unset)",
    write: (args, value) => withSetting(args, "VERBOSE", value === "(unset)" ? undefined : value),
  },
  {
    kind: "switch",
    label: { en: "run the job twice", zh: "同一个 job 运行两次" },
    read: (args) => changed(args, () => ({})).includes("--twice"),
    write: (args, value) => changed(args, () => ({ twice: value, show: 0 })),
  },
];

function kindOf(call: Call): "good" | "bad" | "wait" {
  if (call.refused) return "wait";
  return call.error === undefined ? "good" : "bad";
}

function nodeOf(call: Call, asked: Asked, language: Language): TreeNode {
  const took = call.refused ? WORDS.notRun[language] : seconds(call.end - call.begin);
  return {
    label: `${call.id} ${call.call}${call.status}`,
    note: call.error === undefined ? took : `${took} · ${call.error}`,
    kind: call.id === asked.show ? "pick" : kindOf(call),
    args: argsOf({ ...asked, show: call.id === asked.show ? 0 : call.id }),
    children: call.children.map((child) => nodeOf(child, asked, language)),
  };
}

function heading(words: Text, language: Language): string {
  return svg(760, 26, words[language], [text(2, 18, words[language], { look: "title" })]);
}

function names(trace: Trace, language: Language): string {
  const counts = new Map<string, number>();
  for (const { name } of everyCall(trace.calls)) counts.set(name, (counts.get(name) ?? 0) + 1);
  const unknown = [...counts.keys()].filter((name) => !trace.commands.includes(name));
  const row = (name: string, who: string) => ({
    cells: [
      { html: button(argsOf({ twice: false, show: 0, words: name === "commands" ? [name] : [name, "hello"] }), name) },
      who,
      "●".repeat(counts.get(name) ?? 0) || "–",
    ],
    kind: unknown.includes(name) ? ("bad" as const) : counts.has(name) ? ("run" as const) : ("quiet" as const),
  });
  return table(
    [WORDS.name, WORDS.who, WORDS.runs].map((words) => words[language]),
    [
      ...trace.commands.map((name) =>
        row(name, name === "commands" ? WORDS.engine[language] : WORDS.chapter[language]),
      ),
      ...unknown.map((name) => row(name, WORDS.nobody[language])),
    ],
  );
}

function details(call: Call, language: Language): string {
  const none = WORDS.nothing[language];
  const env = call.env.map(([name, values]) => values.map((value) => `${name}=${value}`).join(" → "));
  const shown = (value: string) => (value === "" ? none : JSON.stringify(value));
  const result = call.error === undefined ? WORDS.returned[language] : `${WORDS.failed[language]}: ${call.error}`;
  return table(
    [`${WORDS.job[language]} ${call.id}`, call.call],
    [
      ["args", call.args.length === 0 ? none : call.args.map((arg) => JSON.stringify(arg)).join(" ")],
      ["env", env.join("  ") || none],
      ["stdin", shown(call.stdin)],
      ["stdout", shown(call.stdout)],
      ["stderr", shown(call.stderr)],
      ["statusCode()", String(call.code)],
      ["run()", result],
    ].map((cells, i) => ({ cells, ...(i === 6 ? { kind: kindOf(call) } : {}) })),
  );
}

/** The handler table and the tree of jobs; a job that is clicked shows its environment, arguments and streams. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "Three jobs", zh: "三个 job" }, args: example },
    { label: { en: "A failing one", zh: "失败" }, args: ["VERBOSE=1", "shout"] },
    { label: { en: "A name nobody registered", zh: "没有注册的名字" }, args: ["nope", "x"] },
    { label: { en: "Twice", zh: "运行两次" }, args: ["--twice", "echo", "hello"] },
    {
      label: { en: "VERBOSE=null", zh: "VERBOSE=null" },
      args: ["--show", "1", "VERBOSE=null", "SECONDS=1.5", "echo", "hi"],
    },
    {
      label: { en: "The last value wins", zh: "最后一个值生效" },
      args: ["--show", "1", "SECONDS=1", "SECONDS=3", "echo", "hi"],
    },
    { label: { en: "The names", zh: "所有名字" }, args: ["--show", "1", "commands"] },
  ],
  controls,
  caption: {
    en: "The names an engine knows, and the tree of jobs that a line leads to. Choose a job to see what went in and came out.",
    zh: "engine 认识的名字，以及一行文字引出的 job 树。选中一个 job，可以看到进出它的一切。",
  },
  async draw(args, language) {
    const asked = ask(args);
    const trace = await follow(asked);
    const root: TreeNode = {
      label: WORDS.caller[language],
      note: trace.line,
      kind: "quiet",
      children: trace.calls.map((call) => nodeOf(call, asked, language)),
    };
    const chosen = everyCall(trace.calls).find(({ id }) => id === asked.show);
    return [
      heading(WORDS.names, language),
      names(trace, language),
      heading(WORDS.tree, language),
      tree(root, WORDS.tree[language]),
      ...(chosen === undefined ? [] : [details(chosen, language)]),
    ].join("\n");
  },
};
