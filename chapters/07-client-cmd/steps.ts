/**
 * The steps of a command line, in words: what the demonstration prints and the picture shows.
 *
 * @module
 */

import type { Text } from "../lib/live.ts";
import { headerOf, type Message } from "./messages.ts";
import type { Round, Taker, Trace } from "./trace.ts";
import { addresses } from "./world.ts";

/** The steps there are. */
export const stepNames = [
  "words",
  "host",
  "tls",
  "method",
  "flags",
  "request",
  "daemon",
  "answer",
  "output",
  "exit",
] as const;
export type StepName = (typeof stepNames)[number];

/** What happened: a text and, perhaps, a remark on it. */
export interface Line {
  readonly text: string;
  readonly remark?: Text;
  /** Not the point: a picture with little room leaves it out. */
  readonly minor?: boolean;
}

/** One step. */
export interface Step {
  readonly name: StepName;
  readonly title: Text;
  readonly lines: readonly Line[];
  /** Whether the command line ended badly here. */
  readonly bad: boolean;
  /** `docker/docker.go:58-61`, at tag v1.2.0. */
  readonly go: readonly string[];
  /** `src/docker/docker.ts#main` */
  readonly ts: readonly string[];
}

/** What is said of the words of each taker. */
export const takers: Readonly<Record<Taker, Text>> = {
  main: { en: "flags of docker itself", zh: "docker 自己的 flag" },
  command: { en: "the command word", zh: "命令词" },
  flags: { en: "flags of the command", zh: "命令的 flag" },
  arguments: { en: "arguments of the command", zh: "命令的参数" },
  help: { en: "what help is asked about", zh: "交给 help 的词" },
  nobody: { en: "nobody: the program ends before", zh: "没有人读：程序在此之前已结束" },
};

const titles: Readonly<Record<StepName, Text>> = {
  words: { en: "words", zh: "词" },
  host: { en: "host", zh: "地址" },
  tls: { en: "TLS", zh: "TLS" },
  method: { en: "method", zh: "方法" },
  flags: { en: "flags", zh: "flag" },
  request: { en: "request", zh: "请求" },
  daemon: { en: "daemon", zh: "daemon" },
  answer: { en: "answer", zh: "应答" },
  output: { en: "output", zh: "输出" },
  exit: { en: "exit", zh: "退出" },
};

const places: Readonly<Record<StepName, Pick<Step, "go" | "ts">>> = {
  words: { go: ["docker/docker.go:30", "docker/flags.go:21-42"], ts: ["src/pkg/mflag/flag-set.ts#FlagSet.parse"] },
  host: {
    go: ["docker/docker.go:41-61"],
    ts: ["src/docker/default-host.ts#defaultHost", "src/docker/docker.ts#main"],
  },
  tls: { go: ["docker/docker.go:63-100"], ts: ["src/docker/client-tls.ts#clientTls"] },
  method: {
    go: ["api/client/cli.go:38-61"],
    ts: ["src/api/client/cli.ts#DockerCli.getMethod", "src/api/client/cli.ts#DockerCli.cmd"],
  },
  flags: { go: ["api/client/cli.go:63-71"], ts: ["src/api/client/cli.ts#Subcommand"] },
  request: { go: ["api/client/utils.go:61-93"], ts: ["src/api/client/utils.ts#call"] },
  daemon: { go: ["api/server/server.go:1033-1066"], ts: ["src/api/server/middleware.ts#RequestHandler"] },
  answer: { go: ["api/client/utils.go:93-111"], ts: ["src/api/client/utils.ts#call"] },
  output: { go: ["api/client/cli.go:55", "docker/docker.go:104-109"], ts: ["src/api/client/cli.ts#DockerCli"] },
  exit: { go: ["docker/docker.go:102-110", "api/client/cli.go:68"], ts: ["src/docker/docker.ts#main"] },
};

/** The same, for the three ways in which a request is sent. */
const ways: Readonly<Record<"call" | "stream" | "hijack", { go: string; answer: string; ts: string; remark: Text }>> = {
  call: {
    go: "api/client/utils.go:61-93",
    answer: "api/client/utils.go:93-111",
    ts: "src/api/client/utils.ts#call",
    remark: { en: "call(): the version is in the path", zh: "call()：版本在路径里" },
  },
  stream: {
    go: "api/client/utils.go:123-139",
    answer: "api/client/utils.go:139-172",
    ts: "src/api/client/utils.ts#stream",
    remark: { en: "stream(): no version in the path; it became the Host", zh: "stream()：路径里没有版本，它成了 Host" },
  },
  hijack: {
    go: "api/client/hijack.go:35-54",
    answer: "api/client/hijack.go:56-133",
    ts: "src/api/client/hijack.ts#hijack",
    remark: { en: "hijack(): the connection becomes the container's streams", zh: "hijack()：连接变成容器的标准流" },
  },
};

/** Which of the three ways a request went. */
export function wayOf({ request }: Round): keyof typeof ways {
  const target = request?.first.split(" ")[1] ?? "";
  if (/\/attach\?/.test(target)) return "hijack";
  return /^\/v\d/.test(target) || request === undefined ? "call" : "stream";
}

const lines = (text: string) => text.split("\n").filter((line, i, all) => line !== "" || i < all.length - 1);

/** The header of a request that carries credentials, in the clear. */
function credentials(request: Message): readonly Line[] {
  const value = headerOf(request, "X-Registry-Auth");
  if (value === undefined) return [];
  const clear = Buffer.from(value.replaceAll("-", "+").replaceAll("_", "/"), "base64").toString();
  return [{ text: `  = ${clear}`, remark: { en: "base64 hides nothing", zh: "base64 什么也藏不住" } }];
}

/** Headers that every message has. */
const isMinor = (name: string) => /^(User-Agent|Content-Type|Content-Length|Date|Transfer-Encoding)$/i.test(name);

function requestLines(round: Round): readonly Line[] {
  const to = { text: `→ ${round.to}${round.tls ? " (TLS)" : ""}` };
  const { request } = round;
  if (request === undefined) return [{ ...to, remark: { en: "no connection", zh: "没有连上" } }];
  const read = { en: "somebody in the middle reads all of it", zh: "夹在中间的人全都读得到" };
  return [
    round.tls && round.to === addresses.middle ? { ...to, remark: read } : to,
    { text: request.first, remark: ways[wayOf(round)].remark },
    ...request.headers.flatMap(([name, value]) => [
      { text: `${name}: ${value}`.trimEnd(), minor: isMinor(name) },
      ...(name === "X-Registry-Auth" ? credentials(request) : []),
    ]),
    ...lines(request.body).map((text) => ({ text })),
  ];
}

function answerLines({ request, answer }: Round): readonly Line[] {
  if (answer === undefined) {
    return request === undefined ? [] : [{ text: "", remark: { en: "nothing came back", zh: "没有任何应答" } }];
  }
  if (typeof answer === "string") {
    return [
      { text: JSON.stringify(answer), remark: { en: "no HTTP: an alert of TLS", zh: "不是 HTTP：TLS 的一个告警" } },
    ];
  }
  const head = answer.headers.map(([name, value]) => ({ text: `${name}: ${value}`, minor: isMinor(name) }));
  // Messages of progress follow each other without a line end.
  const body = lines(answer.body.replaceAll("\r\n", "\n").replaceAll("}{", "}\n{"));
  const progress = (text: string) =>
    text.includes('"progressDetail":{') && !/Pulling image \([^)]*\) from \w+"/.test(text);
  return [{ text: answer.first }, ...head, ...body.map((text) => ({ text, minor: progress(text) }))];
}

const tlsTexts: Readonly<Record<"off" | "unchecked" | "verified", Text>> = {
  off: { en: "everything goes in the clear", zh: "一切以明文传输" },
  unchecked: { en: "encrypted, but with whom is not checked", zh: "加密，但不检查对方是谁" },
  verified: { en: "encrypted, and the daemon's certificate is checked", zh: "加密，并检查 daemon 的证书" },
};

/** A line that Go's log package has written. */
const TIMED = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d /m;

/** Why the program ends with this status. */
export function reasonOf({ status, methods, words, stdout, stderr, tls }: Trace): Text {
  const last = methods.at(-1);
  if (status === undefined) return { en: "it goes on: stop it with Ctrl-C", zh: "不会自己结束：按 Ctrl-C" };
  if (status === 2) return { en: "a usage screen ends with os.Exit(2)", zh: "用法说明以 os.Exit(2) 结束" };
  if (status === 1 && TIMED.test(stderr))
    return { en: "log.Fatal: the line with the time", zh: "log.Fatal：带时间的那一行" };
  if (status !== 0) return { en: "a StatusError, with a status of its own", zh: "StatusError：自带的退出状态" };
  if (tls === undefined) {
    return stdout.startsWith("Docker version")
      ? { en: "main() prints the version and returns", zh: "main() 打印版本后返回" }
      : { en: "no client: a daemon (chapter 05)", zh: "不是 Client，而是 daemon（第 05 章）" };
  }
  if (!words.some(({ taker }) => taker === "command") || last?.found === false) {
    return { en: "help that nobody asked for is no failure", zh: "没有人要的帮助不算失败" };
  }
  return { en: "the method returned no error", zh: "方法没有返回错误" };
}

/** The steps that a command line came to. */
export function stepsOf(trace: Trace): Step[] {
  const { words, host, tls, methods, command, rounds, daemon, stdout, stderr, status } = trace;
  const steps: Step[] = [];
  const add = (name: StepName, texts: readonly Line[], more: Partial<Step> = {}) => {
    if (texts.length > 0) steps.push({ name, title: titles[name], lines: texts, bad: false, ...places[name], ...more });
  };
  add(
    "words",
    words.map(({ taker, words: taken }) => ({ text: taken.join(" "), remark: takers[taker] })),
    { bad: words.some(({ taker }) => taker === "nobody") && status !== 0 },
  );
  if (host !== undefined) {
    const said = host.source === "default" ? { en: "nobody said where", zh: "没有人指定" } : undefined;
    const remark = said ?? { en: `by ${host.source}`, zh: `由 ${host.source} 指定` };
    add("host", [{ text: host.address, remark }]);
  }
  if (tls !== undefined) {
    const { en, zh } = tlsTexts[tls.mode];
    const own = tls.certificate ? { en: "; the client shows its own", zh: "；并出示自己的证书" } : { en: "", zh: "" };
    add("tls", [{ text: tls.mode, remark: { en: en + own.en, zh: zh + own.zh } }]);
  }
  add(
    "method",
    methods.map(({ word, name, found }) => ({
      text: `${word} → ${name}`,
      ...(found ? {} : { remark: { en: "there is no such method", zh: "没有这个方法" } }),
    })),
    { bad: methods.some(({ found }) => !found) },
  );
  if (command !== undefined) {
    const { name, given, left } = command;
    const own = given.slice(0, given.length - left.length).join(" ");
    const read = { text: own, remark: { en: `flags that ${name} reads`, zh: `${name} 读走的 flag` } };
    const rest = { text: left.join(" "), remark: { en: "left over: its arguments", zh: "剩下的：它的参数" } };
    const none = { text: "–", remark: { en: `${name} has nothing to read`, zh: `${name} 没有要读的词` } };
    const there = [read, rest].filter(({ text }) => text !== "");
    add("flags", there.length > 0 ? there : [none]);
  }
  for (const round of rounds) {
    const way = ways[wayOf(round)];
    const failed = round.request === undefined;
    add("request", requestLines(round), { bad: failed, go: [way.go], ts: [way.ts] });
    if (round === rounds[0])
      add(
        "daemon",
        daemon.map((text) => ({ text })),
      );
    const code = typeof round.answer === "object" ? Number(round.answer.first.split(" ")[1]) : 0;
    add("answer", answerLines(round), { bad: code < 200 || code >= 400, go: [way.answer], ts: [way.ts] });
  }
  const shown = (mark: string) => (text: string) => ({ text: `${mark} ${text}`.trimEnd(), minor: text === "" });
  // On a terminal each message of progress goes up to its line, writes it anew, and comes back.
  const drawn = stdout.replaceAll(/(?<!\n)(?=\x1b\[\d+A)/g, "\n");
  add("output", [...lines(drawn).map(shown("1>")), ...lines(stderr).map(shown("2>"))]);
  add("exit", [{ text: status === undefined ? "…" : String(status), remark: reasonOf(trace) }], {
    bad: status !== 0 && status !== undefined,
  });
  return steps;
}
