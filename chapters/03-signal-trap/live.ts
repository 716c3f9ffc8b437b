/**
 * The picture of chapter 03: signals above, and below them the two limits that a shutdown has.
 *
 * @module
 */

import { type Kind, type Lane, type Mark, type Span, table, timeline } from "../lib/draw.ts";
import type { Args, Control, Language, Live, Text } from "../lib/live.ts";
import { type Asked, argsOf, ask, example, type SignalName } from "./arguments.ts";
import { seconds } from "./demo.ts";
import { type Effect, follow, type Stretch, type Trace } from "./run.ts";
import { EFFECTS, NAMES } from "./words.ts";

const WORDS = {
  signals: { en: "Signals", zh: "信号" },
  engine: {
    en: "Engine: 5 s for the jobs, then 10 s for the handlers",
    zh: "engine：先给 job 5 秒，再给 handler 10 秒",
  },
  clients: { en: "Clients that want a job", zh: "想要 job 的 Client" },
  jobs: { en: "Jobs: the engine waits for them, 5 s at most", zh: "job：engine 最多等 5 秒" },
  handlers: { en: "Shutdown handlers: 10 s at most", zh: "关闭 handler：最多 10 秒" },
  serves: { en: "engine takes jobs", zh: "engine 接收 job" },
  waits: { en: "engine waits", zh: "engine 等待" },
  notCounted: { en: "serveapi (not counted)", zh: "serveapi（不计入）" },
  jobsLimit: { en: "limit: 5 s", zh: "上限：5 秒" },
  time: { en: "time", zh: "时间" },
  who: { en: "who", zh: "谁" },
  what: { en: "what", zh: "发生了什么" },
  status: { en: "exit status", zh: "退出状态" },
  ended: { en: "ended by", zh: "终止于" },
  lives: { en: "lives on", zh: "继续运行" },
} satisfies Record<string, Text>;

const KINDS: Record<Effect, Kind> = {
  begins: "note",
  counted: "wait",
  forces: "bad",
  dropped: "quiet",
  unhandled: "bad",
};

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

/** Reads one thing out of the arguments. */
function read<T>(args: Args, pick: (asked: Asked) => T): T {
  return pick(ask(changed(args, () => ({}))));
}

/** A button that sends one more signal, a second after the last. */
const send = (what: SignalName | "NEW", label: Text): Control => ({
  kind: "button",
  label,
  press: (args) =>
    changed(args, ({ happenings }) => {
      const last = happenings.at(-1);
      return { happenings: [...happenings, { what, at: last === undefined ? 0 : last.at + 1000 }] };
    }),
});

const controls: readonly Control[] = [
  ...(["INT", "TERM", "QUIT"] as const).map((name) => send(name, { en: `+ SIG${name}`, zh: `+ SIG${name}` })),
  send("NEW", { en: "+ a client's job", zh: "+ 新的 job" }),
  {
    kind: "button",
    label: { en: "take the last one back", zh: "撤回最后一个" },
    // Without a word at all the demonstration would run its example.
    press: (args) =>
      changed(args, ({ happenings, job }) => ({
        happenings: happenings.slice(0, -1),
        ...(job === undefined ? { job: 0 } : {}),
      })),
  },
  {
    kind: "range",
    label: { en: "job takes", zh: "job 用时" },
    min: 0,
    max: 20,
    step: 0.5,
    unit: "s",
    read: (args) => read(args, ({ job = 0 }) => Math.min(job, 20_000) / 1000),
    write: (args, value) => changed(args, () => ({ job: value * 1000 })),
  },
  {
    kind: "range",
    label: { en: "containers take", zh: "停止容器用时" },
    min: 0,
    max: 20,
    step: 0.5,
    unit: "s",
    read: (args) => read(args, ({ handler }) => Math.min(handler, 20_000) / 1000),
    write: (args, value) => changed(args, () => ({ handler: value * 1000 })),
  },
  {
    kind: "switch",
    label: { en: "DEBUG", zh: "DEBUG" },
    read: (args) => read(args, ({ debug }) => debug),
    write: (args, value) => changed(args, () => ({ debug: value })),
  },
];

/** What became of the process, in a few words. */
export function outcome({ end }: Pick<Trace, "end">, language: Language): string {
  if (end.signal !== undefined) return `${WORDS.ended[language]} SIG${end.signal}`;
  return end.status === undefined ? WORDS.lives[language] : `${WORDS.status[language]} ${end.status}`;
}

/** What the engine does meanwhile: it serves, then it waits for jobs, then for handlers. */
function engineSpans({ shutdownAt, handlersAt, end }: Trace, language: Language): { jobs: Span[]; handlers: Span[] } {
  const span = (from: number, to: number, label: Text, kind: Kind): Span => ({
    from,
    to,
    label: label[language],
    kind,
  });
  const begin = shutdownAt ?? end.at;
  return {
    jobs: [
      ...(begin > 0 ? [span(0, begin, WORDS.serves, "quiet")] : []),
      ...(shutdownAt === undefined ? [] : [span(shutdownAt, handlersAt ?? end.at, WORDS.waits, "wait")]),
    ],
    handlers: handlersAt === undefined ? [] : [span(handlersAt, end.at, WORDS.waits, "wait")],
  };
}

const named = (name: string, language: Language): string => (language === "zh" ? (NAMES[name] ?? name) : name);

/** What took time: a step that the end cut off is drawn as failed. */
function spansOf(stretches: readonly Stretch[], end: number, language: Language): Span[] {
  return stretches.map(({ name, from, to }) => {
    const endless = name === "serveapi";
    const kind: Kind = endless ? "quiet" : to === undefined ? "bad" : "good";
    const label = endless ? WORDS.notCounted[language] : `${named(name, language)} ${to === undefined ? "✗" : "✓"}`;
    return { from, to: to ?? end, label, kind };
  });
}

function picture(trace: Trace, language: Language): string {
  const { end, shutdownAt, handlersAt } = trace;
  const marks: Mark[] = trace.arrivals.map(({ at, name, effect }) => ({
    at,
    label: `SIG${name}: ${EFFECTS[effect][language]}`,
    kind: KINDS[effect],
  }));
  const clients = trace.asks.map(
    ({ at, answer, ran }): Mark => ({ at, label: answer[language], kind: ran ? "good" : "bad" }),
  );
  const engine = engineSpans(trace, language);
  const lanes: Lane[] = [
    { name: WORDS.signals[language], marks },
    ...(clients.length > 0 ? [{ name: WORDS.clients[language], marks: clients }] : []),
    { name: WORDS.jobs[language], spans: [...engine.jobs, ...spansOf(trace.jobs, end.at, language)] },
    { name: WORDS.handlers[language], spans: [...engine.handlers, ...spansOf(trace.handlers, end.at, language)] },
  ];
  const reached = shutdownAt !== undefined && handlersAt === shutdownAt + 5000;
  return timeline({
    caption: live.caption[language],
    lanes,
    from: 0,
    to: Math.max(end.at + 1000, 16_000),
    tick: seconds,
    rules: [
      ...(reached ? [{ at: handlersAt, label: WORDS.jobsLimit[language], kind: "wait" as const }] : []),
      { at: end.at, label: outcome(trace, language), kind: end.status === 0 ? ("good" as const) : ("bad" as const) },
    ],
  });
}

function notes(trace: Trace, language: Language): string {
  return table(
    [WORDS.time, WORDS.who, WORDS.what].map((word) => word[language]),
    trace.notes.map(({ at, who, what }) => ({
      cells: [seconds(at), named(who, language), what[language]],
      ...(who === "process" ? { kind: trace.end.status === 0 ? ("good" as const) : ("bad" as const) } : {}),
      ...(who === "log" ? { kind: "quiet" as const } : {}),
    })),
  );
}

/** Signals, jobs and handlers on one axis of time, and what became of the process. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "Both limits", zh: "两个上限" }, args: example },
    { label: { en: "In good order", zh: "有序退出" }, args: ["TERM@0", "--job", "2s", "--handler", "3s"] },
    {
      label: { en: "Ctrl-C four times", zh: "四次 Ctrl-C" },
      args: ["INT@0", "INT@1s", "INT@2s", "INT@3s", "--job", "never"],
    },
    { label: { en: "QUIT", zh: "QUIT" }, args: ["QUIT@1s", "--job", "3s"] },
    { label: { en: "QUIT with DEBUG", zh: "带 DEBUG 的 QUIT" }, args: ["QUIT@1s", "--job", "3s", "--debug"] },
    { label: { en: "HUP", zh: "HUP" }, args: ["HUP@1s", "--job", "3s"] },
    { label: { en: "A stubborn container", zh: "不肯停的容器" }, args: ["TERM@0", "--handler", "never"] },
    {
      label: { en: "A client comes too late", zh: "来晚的 Client" },
      args: ["NEW@0", "TERM@1s", "NEW@2s", "--job", "4s"],
    },
  ],
  controls,
  caption: {
    en: "Signals above; below them the jobs and the handlers, and how long the engine waits for each. ✓ came to its end, ✗ was cut off.",
    zh: "上方是信号；下方是各个 job 和 handler，以及 engine 分别等了多久。✓ 表示做完，✗ 表示被切断。",
  },
  async draw(args, language) {
    const trace = await follow(ask(args));
    return [picture(trace, language), notes(trace, language)].join("\n");
  },
};
