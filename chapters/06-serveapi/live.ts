/**
 * The picture of chapter 06: the gate with those who wait before it, and the table of routes.
 *
 * @module
 */

import type { Route } from "../../src/api/server/router.ts";
import { ROUTES } from "../../src/api/server/routes.ts";
import { button, esc, type Kind, type Lane, table, timeline } from "../lib/draw.ts";
import type { Args, Control, Language, Live, Text } from "../lib/live.ts";
import { bodyLines, example, type Request, read, write } from "./demo.ts";
import { type Ask, follow, type Trace, type Visit } from "./trace.ts";

const words = {
  daemon: { en: "the daemon", zh: "Daemon" },
  boots: { en: "NewDaemon, Install", zh: "NewDaemon、Install" },
  serves: { en: "serves", zh: "提供服务" },
  ends: { en: "ends with status", zh: "退出，状态" },
  opens: { en: "acceptconnections: the gate opens", zh: "acceptconnections：开门" },
  waits: { en: "waits", zh: "等待" },
  after: { en: "then", zh: "随后" },
  waited: { en: "waited at the gate for", zh: "在门外等了" },
  atOnce: { en: "let in at once", zh: "直接放行" },
  axis: { en: "Who waits at the gate, and who is let in; seconds", zh: "谁在门外等，谁被放进来；单位：秒" },
  routes: { en: "The routes. A click sends the request.", zh: "路由表。点一下就发送该请求。" },
  method: { en: "method", zh: "方法" },
  path: { en: "path", zh: "路径" },
  job: { en: "job behind it", zh: "背后的 job" },
  took: { en: "taken by", zh: "匹配的请求" },
  missing: { en: "its job is not in this engine", zh: "这个 engine 里还没有它的 job" },
  any: { en: "any path", zh: "任意路径" },
  none: { en: "no job", zh: "没有 job" },
  noRoute: { en: "no route fits", zh: "没有匹配的路由" },
  ran: { en: "job", zh: "job" },
  request: { en: "request", zh: "请求" },
} satisfies Record<string, Text>;

/** The container that the routes with a name are tried on. */
const create: Ask = {
  method: "POST",
  target: "/containers/create?name=web",
  body: '{"Image":"busybox","Cmd":["true"]}',
  early: false,
};
const start: Ask = { method: "POST", target: "/containers/web/start", early: false };

/** What is asked for besides the path, so that the answer is worth a look. */
const queries: Readonly<Record<string, string>> = {
  "/containers/{name:.*}/logs": "?stdout=1&stderr=1",
  "/containers/{name:.*}/attach": "?stdout=1&stderr=1&logs=1",
  "/containers/{name:.*}/archive": "?path=/bin",
  "/containers/json": "?all=1",
  "/images/search": "?term=busybox",
  "/images/{name:.*}/tag": "?repo=mine",
  "/images/create": "?fromImage=busybox",
  "/commit": "?container=web",
  "/events": "?since=1&until=1408566020",
};
const bodies: Readonly<Record<string, string>> = {
  "/containers/create": create.body ?? "",
  "/containers/{name:.*}/copy": '{"Resource":"/bin"}',
  "/auth": "{}",
};

/** Requests that show a route at work. */
export function trial({ method, path, since }: Pick<Route, "method" | "path" | "since">): Ask[] {
  const name = path.startsWith("/images/") ? "busybox" : "web";
  const prefix = since === undefined ? "" : `/v${since}`;
  const target = prefix + (path || "/").replace("{name:.*}", name) + (queries[path] ?? "");
  const ask: Ask = { method, target, body: bodies[path], early: false };
  if (path === "/containers/json" || path === "/commit") return [create, ask];
  if (!path.startsWith("/containers/{")) return [ask];
  return /wait|logs|attach|top/.test(path) ? [create, start, ask] : [create, ask];
}

function lanesOf(trace: Trace, say: (text: Text) => string): Lane[] {
  const { visits, opened, ended, until } = trace;
  const stop = ended?.at ?? until;
  const daemon: Lane = {
    name: say(words.daemon),
    spans: [
      { from: 0, to: opened ?? stop, label: say(words.boots), kind: "run" },
      ...(opened === undefined ? [] : [{ from: opened, to: stop, label: say(words.serves), kind: "good" as const }]),
    ],
    marks: ended === undefined ? [] : [{ at: ended.at, label: `${say(words.ends)} ${ended.status}`, kind: "bad" }],
  };
  return [daemon, ...visits.map((visit, i) => laneOf(visit, i, trace.doors.length > 1, say))];
}

/** The look of an answer: its first digit, or that there is none. */
function kindOf({ answer }: Visit): Kind {
  if (answer === undefined) return "bad";
  return /^HTTP\/1\.1 [123]/.test(answer.statusLine) ? "good" : "note";
}

/** What came of a visit, in a few words. */
const outcome = ({ answer, failure }: Visit): string => answer?.statusLine.replace("HTTP/1.1 ", "") ?? failure;

function laneOf(visit: Visit, i: number, several: boolean, say: (text: Text) => string): Lane {
  const { at, letIn, to, ask, via } = visit;
  const end = letIn ?? to;
  const name = `${i + 1}  ${ask.method} ${ask.target}${several ? `   ${via}` : ""}`;
  if (end === at) return { name, marks: [{ at, label: outcome(visit), kind: kindOf(visit) }] };
  const label = `${say(words.waits)} ${(end - at) / 1000} s, ${say(words.after)} ${outcome(visit)}`;
  return { name, spans: [{ from: at, to: end, label, kind: "wait" }] };
}

/** How a visit fared at the gate. */
function gate({ at, letIn, failure }: Visit, say: (text: Text) => string): string {
  if (letIn === undefined) return failure;
  return letIn > at ? `${say(words.waited)} ${(letIn - at) / 1000} s` : say(words.atOnce);
}

function answers(trace: Trace, say: (text: Text) => string): string {
  return trace.visits
    .map((visit, i) => {
      const { ask, jobs, route, answer, failure } = visit;
      const what = route === undefined ? say(words.noRoute) : `${route.method} ${route.path || say(words.any)}`;
      const job = jobs.length === 0 ? say(words.none) : `${say(words.ran)} ${jobs.join(", ")}`;
      const lines = answer ? [answer.statusLine, ...answer.headers, "", ...bodyLines(answer.body)] : [failure];
      const head = `${i + 1}  ${ask.method} ${ask.target}`;
      return `<details${i === trace.visits.length - 1 ? " open" : ""}><summary><code>${esc(head)}</code> · ${esc(gate(visit, say))} · ${esc(what)} · ${esc(job)}</summary><pre>${esc(lines.join("\n").trimEnd())}</pre></details>`;
    })
    .join("\n");
}

function routeTable(request: Request, trace: Trace, say: (text: Text) => string): string {
  const rows = ROUTES.map((route) => {
    const taken = trace.visits.flatMap((visit, i) =>
      visit.route?.method === route.method && visit.route.path === route.path ? [String(i + 1)] : [],
    );
    const args = write({ ...request, asks: trial(route) });
    const served = trace.served.has(`${route.method} ${route.path}`);
    const shown = route.path || say(words.any);
    return {
      ...(taken.length > 0 ? { kind: "pick" as const } : served ? {} : { kind: "quiet" as const }),
      cells: [
        route.method,
        { html: button(args, shown, `${route.method} ${shown}`) },
        route.jobs.join(", ") || "–",
        taken.length > 0 ? `▶ ${taken.join(", ")}` : served || trace.ended ? "" : say(words.missing),
      ],
    };
  });
  return table([say(words.method), say(words.path), say(words.job), say(words.took)], rows);
}

async function draw(args: Args, language: Language): Promise<string> {
  const say = (text: Text) => text[language];
  const request = read(args);
  const trace = await follow(request);
  const last = Math.max(trace.until, ...trace.visits.map((visit) => visit.to));
  const to = Math.max(1000, Math.ceil((last + 1) / 500) * 500);
  const picture = timeline({
    caption: say(words.axis),
    lanes: lanesOf(trace, say),
    from: 0,
    to,
    tick: (at) => `${at / 1000} s`,
    rules: trace.opened === undefined ? [] : [{ at: trace.opened, label: say(words.opens), kind: "note" }],
  });
  const doors = trace.ended?.at === 0 ? [] : trace.doors;
  const listening = doors.map(({ address, given, file }) =>
    [address, file, given === address ? "" : given].filter(Boolean).join("  "),
  );
  return [
    listening.length === 0 ? "" : `<pre>${esc(listening.join("\n"))}</pre>`,
    trace.ended === undefined
      ? ""
      : `<p><strong>${esc(say(words.ends))} ${trace.ended.status}</strong>: ${esc(trace.ended.text)}</p>`,
    picture,
    answers(trace, say),
    `<p><strong>${esc(say(words.routes))}</strong></p>`,
    routeTable(request, trace, say),
  ]
    .filter(Boolean)
    .join("\n");
}

const doorFlags: Readonly<Record<string, readonly string[]>> = {
  unix: [],
  both: ["-H", "unix:///var/run/docker.sock", "-H", "tcp://127.0.0.1:2375"],
  fd: ["-H", "fd://"],
  tls: ["-H", "tcp://127.0.0.1:2376", "--tls"],
  unixTls: ["--tls"],
};

/** The request a text stands for: `GET /version`, or with a body. */
function askOf(text: string, early: boolean): Ask {
  const [method = "GET", target = "/", ...rest] = text.trim().split(/\s+/);
  return { method: method.toUpperCase(), target, body: rest.length > 0 ? rest.join(" ") : undefined, early };
}

const blank: Ask = { method: "GET", target: "/_ping", early: false };
const lastOf = (args: Args): Ask => read(args).asks.at(-1) ?? blank;
const withLast = (args: Args, ask: Ask): Args => {
  const request = read(args);
  return write({ ...request, asks: [...request.asks.slice(0, -1), ask] });
};

const controls: readonly Control[] = [
  {
    kind: "text",
    label: { en: "last request", zh: "最后一个请求" },
    size: 40,
    read: (args) => {
      const { method, target, body } = lastOf(args);
      return [method, target, body ?? ""].join(" ").trim();
    },
    write: (args, value) => withLast(args, askOf(value, lastOf(args).early)),
  },
  {
    kind: "switch",
    label: { en: "it comes before the gate opens", zh: "在开门之前到达" },
    read: (args) => lastOf(args).early,
    write: (args, early) => withLast(args, { ...lastOf(args), early }),
  },
  {
    kind: "button",
    label: { en: "one more", zh: "再加一个" },
    press: (args) => {
      const request = read(args);
      return write({ ...request, asks: [...request.asks, lastOf(args)] });
    },
  },
  {
    kind: "range",
    label: { en: "the daemon takes", zh: "Daemon 启动耗时" },
    min: 1,
    max: 10,
    step: 1,
    unit: "s",
    read: (args) => read(args).boot / 1000,
    write: (args, value) => write({ ...read(args), boot: value * 1000 }),
  },
  {
    kind: "choice",
    label: { en: "it listens on", zh: "监听" },
    options: [
      { value: "unix", label: { en: "the unix socket", zh: "unix socket" } },
      { value: "both", label: { en: "unix and tcp", zh: "unix 与 tcp" } },
      { value: "fd", label: { en: "fd://, from init", zh: "fd://，由 init 传入" } },
      { value: "tls", label: { en: "tcp --tls, no certificate", zh: "tcp --tls，没有证书" } },
      { value: "unixTls", label: { en: "unix --tls: ignored", zh: "unix --tls：被忽略" } },
    ],
    read: (args) => {
      const flags = read(args).flags.join(" ");
      return Object.keys(doorFlags).find((key) => doorFlags[key]?.join(" ") === flags) ?? "unix";
    },
    write: (args, value) => write({ ...read(args), flags: doorFlags[value] ?? [] }),
  },
];

/** What the page of this chapter shows. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "Too early, and in time", zh: "来早了，与来得正好" }, args: example },
    {
      label: { en: "A name that is taken", zh: "名字已被占用" },
      args: write({ flags: [], boot: 3000, log: false, asks: [create, create] }),
    },
    {
      label: { en: "Three versions", zh: "三个版本号" },
      args: ["GET", "/v1.14/version", "GET", "/v1.15/version", "GET", "/v1.31/version"],
    },
    {
      label: { en: "404, never 405", zh: "只有 404，没有 405" },
      args: ["PUT", "/version", "GET", "/version/", "GET", "//version"],
    },
    {
      label: { en: "Two doors", zh: "两扇门" },
      args: [
        ...(doorFlags["both"] ?? []),
        "--before-gate",
        "GET",
        "/_ping",
        "--via",
        "tcp://127.0.0.1:2375",
        "GET",
        "/_ping",
      ],
    },
    {
      label: { en: "The second address is taken", zh: "第二个地址被占用" },
      args: ["-H", "tcp://127.0.0.1:2375", "-H", "tcp://127.0.0.1:2375", "--before-gate", "GET", "/_ping"],
    },
    {
      label: { en: "Sockets from init", zh: "由 init 打开的 socket" },
      args: ["-H", "fd://", "--before-gate", "GET", "/_ping"],
    },
  ],
  controls,
  caption: {
    en: "Above, who waits at the gate and when it opens; below, every route with the job behind it. ▶ marks the one that fitted.",
    zh: "上方：谁在门外等待，门何时打开；下方：每条路由和它背后的 job，▶ 标出匹配的那一条。",
  },
  draw,
};
