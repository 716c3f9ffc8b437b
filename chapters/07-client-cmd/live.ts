/**
 * The picture of chapter 07: the words of a command line and who takes them, then the steps from top to bottom.
 *
 * A step is a button: it opens itself and says where it is in both sources.
 *
 * @module
 */

import { arrow, box, button, cut, esc, hot, type Kind, label, svg, text, textWidth } from "../lib/draw.ts";
import type { Args, Language, Live, Text } from "../lib/live.ts";
import { example, readArgs, visible } from "./demo.ts";
import { type Line, type Step, type StepName, stepsOf, takers } from "./steps.ts";
import { follow, splitEnv, type Taker, type Trace } from "./trace.ts";
import { addresses } from "./world.ts";

const WIDTH = 760;

/** The looks of the words, by who takes them; the name of the taker stands below. */
const looks: Readonly<Record<Taker, Kind>> = {
  main: "note",
  command: "pick",
  flags: "run",
  arguments: "good",
  help: "wait",
  nobody: "quiet",
};

const say = {
  open: { en: "show this step and where it is in the source", zh: "展开这一步，并显示它在源码中的位置" },
  close: { en: "close", zh: "收起" },
  go: { en: "1.2.0", zh: "1.2.0" },
  here: { en: "here", zh: "本项目" },
};

/** The arguments with a step opened, or none. */
function withStep(args: Args, step: StepName | undefined): Args {
  const rest = args.filter((word) => !word.startsWith("STEP="));
  return step === undefined ? rest : [`STEP=${step}`, ...rest];
}

/** The command line, word for word, and below each group who takes it. */
function drawWords(trace: Trace, language: Language): { body: string[]; height: number } {
  const body: string[] = [];
  let [x, y] = [8, 8];
  const groups = [{ taker: undefined, words: ["docker"] }, ...trace.words];
  for (const { taker, words } of groups) {
    const name = taker === undefined ? "" : takers[taker][language];
    const inner = words.map((word) => Math.min(textWidth(word) + 16, WIDTH - 40));
    const wide = Math.max(
      inner.reduce((sum, one) => sum + one + 4, 0),
      textWidth(name, 12) + 8,
    );
    if (x > 8 && x + wide > WIDTH - 8) [x, y] = [30, y + 58];
    let at = x;
    words.forEach((word, i) => {
      const [w = 0, kind] = [inner[i], taker === undefined ? "quiet" : looks[taker]] as const;
      body.push(label(at, y, w, 26, word, kind));
      at += w + 4;
    });
    if (name !== "") body.push(text(x, y + 42, name, { look: "small" }));
    x += wide + 8;
  }
  return { body, height: y + 54 };
}

/** How many lines a step shows when it is closed, and when it is open; height of a line. */
const [CLOSED, OPEN, LINE] = [6, 60, 18];
/** Where the lines begin, and how wide they may be. */
const [LEFT, ROOM] = [134, WIDTH - 134 - 12];

/** A text in pieces that fit into the room; it breaks behind a blank, if there is one late enough. */
function wrapped(words: string): string[] {
  const columns = Math.floor(ROOM / textWidth("0"));
  if (words.length <= columns) return [words];
  const blank = words.lastIndexOf(" ", columns - 1) + 1;
  const at = blank > columns / 2 ? blank : columns;
  return [words.slice(0, at), ...wrapped(words.slice(at))];
}

/** Blanks that a picture would otherwise draw as one. */
const spaced = (words: string) => words.replace(/ {2,}/g, (blanks) => "\u00a0".repeat(blanks.length));

/**
 * A line of a step; its remark stands behind it or, when there is no room, below.
 *
 * @param whole - a long line goes on below; otherwise it is cut
 */
function drawLine({ text: words, remark }: Line, y: number, whole: boolean, language: Language) {
  const clear = visible(words);
  const pieces = whole ? wrapped(clear) : [cut(clear, ROOM)];
  const body = pieces.map((piece, i) => text(LEFT, y + i * LINE, spaced(piece), { look: "code" }));
  const said = remark?.[language] ?? "";
  const beside = LEFT + textWidth(clear) + 12;
  const fits = beside + textWidth(said, 12) <= LEFT + ROOM;
  let height = pieces.length * LINE;
  if (said !== "" && fits) body.push(text(beside, y, said, { look: "small" }));
  else if (said !== "") {
    body.push(text(LEFT + 16, y + height, cut(said, ROOM - 16, 12), { look: "small" }));
    height += LINE;
  }
  return { body: body.join(""), height };
}

function kindOf(step: Step, trace: Trace): Kind {
  if (step.bad) return "bad";
  if (step.name === "tls" && trace.tls?.mode === "unchecked") return "wait";
  if (step.name !== "exit") return "run";
  return trace.status === undefined ? "wait" : "good";
}

function drawStep(step: Step, y: number, kind: Kind, args: Args, open: boolean, language: Language) {
  const major = step.lines.filter(({ minor }) => !minor);
  const shown = (open ? step.lines : major).slice(0, open ? OPEN : CLOSED);
  const left = step.lines.length - shown.length;
  const rows: string[] = [];
  let at = y + LINE + 1;
  for (const line of shown) {
    // What the user sees is never cut.
    const drawn = drawLine(line, at, open || step.name === "output", language);
    rows.push(drawn.body);
    at += drawn.height;
  }
  if (left > 0) {
    const more = { en: `… ${left} more lines`, zh: `……还有 ${left} 行` };
    rows.push(text(LEFT, at, more[language], { look: "small" }));
    at += LINE;
  }
  const height = Math.max(38, at - y + 2);
  const frame = open ? box(122, y, WIDTH - 130, height - 8, "pick") : "";
  const name = label(8, y, 106, 28, step.title[language], kind);
  const said = `${step.title[language]}: ${(open ? say.close : say.open)[language]}`;
  return { body: hot(withStep(args, open ? undefined : step.name), said, `${frame}${name}${rows.join("")}`), height };
}

/** Where a step is, below the picture. */
function placesOf(step: Step, args: Args, language: Language): string {
  const go = step.go.map((place) => {
    const [, path = "", from = "", to] = /^(.*):(\d+)(?:-(\d+))?$/.exec(place) ?? [];
    const href = `https://github.com/moby/moby/blob/v1.2.0/${path}#L${from}${to === undefined ? "" : `-L${to}`}`;
    return `<a href="${esc(href)}">${esc(place)}</a>`;
  });
  const ts = step.ts.map((place) => `<code>${esc(place)}</code>`);
  const [old, now] = [say.go[language], say.here[language]].map(esc);
  const close = button(withStep(args, undefined), say.close[language]);
  return `<p><strong>${esc(step.title[language])}</strong> · ${old}: ${go.join(", ")} · ${now}: ${ts.join(", ")} ${close}</p>`;
}

async function draw(args: Args, language: Language): Promise<string> {
  const asked = readArgs(args);
  const trace = await follow(asked.args);
  const steps = stepsOf(trace).filter(({ name }) => name !== "words");
  const words = drawWords(trace, language);
  const body = [...words.body];
  let y = words.height + 8;
  steps.forEach((step, i) => {
    const drawn = drawStep(step, y, kindOf(step, trace), args, step.name === asked.step, language);
    body.push(drawn.body);
    if (i < steps.length - 1) body.push(arrow(61, y + 28, 61, y + drawn.height, "quiet"));
    y += drawn.height;
  });
  const env = Object.entries(trace.env).map(([name, value]) => `${name}=${value}`);
  const chosen = stepsOf(trace).filter(({ name }) => name === asked.step);
  return [
    env.length === 0 ? "" : `<p><code>${esc(env.join(" "))}</code></p>`,
    svg(WIDTH, y + 8, live.caption[language], body),
    ...chosen.map((step) => placesOf(step, args, language)),
  ].join("\n");
}

/** The words of a line; quotes keep a word together. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/["']/g, ""));
}

const quoted = (word: string) => (/^[^\s"']+$/.test(word) ? word : `"${word.replaceAll('"', "")}"`);

/** Variables, the flags of docker itself about host and TLS, and everything else. */
function parts(args: Args) {
  const { env, line } = splitEnv(args);
  const rest = [...line];
  const hosts: string[] = [];
  let tls = "";
  for (let word = rest[0]; word !== undefined; word = rest[0]) {
    if (word === "-H" && rest.length > 1) hosts.push(...rest.splice(0, 2).slice(1));
    else if (word === "--tls" || word === "--tlsverify") tls = rest.shift() ?? "";
    else break;
  }
  return { env, hosts, tls, rest };
}

function join({ env, hosts, tls, rest }: ReturnType<typeof parts>): Args {
  return [
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...hosts.flatMap((host) => ["-H", host]),
    ...(tls === "" ? [] : [tls]),
    ...rest,
  ];
}

const same = (text: string): Text => ({ en: text, zh: text });

/** What the page of this chapter shows. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "A tag that is not sent", zh: "没有发送的 tag" }, args: example },
    { label: { en: "With the tag in the name", zh: "把 tag 写进名字" }, args: ["pull", "ubuntu:14.04"] },
    { label: { en: "In capitals", zh: "大写的命令" }, args: ["IMAGES"] },
    { label: { en: "No such command", zh: "没有这个命令" }, args: ["nope"] },
    { label: { en: "… and a word after it", zh: "……后面再跟一个词" }, args: ["nope", "ps"] },
    { label: { en: "A wrong flag", zh: "错误的 flag" }, args: ["ps", "--nope"] },
    { label: { en: "Two hosts", zh: "两个地址" }, args: ["-H", ":2375", "-H", ":2376", "ps"] },
    { label: { en: "With credentials", zh: "带着凭据" }, args: ["HOME=/home/me", "pull", "busybox"] },
    {
      label: { en: "A search, and whose password", zh: "搜索，用谁的密码" },
      args: ["HOME=/home/me", "search", "ubuntu"],
    },
    {
      label: { en: "A wrong password", zh: "密码不对" },
      args: ["login", "-u", "me", "-p", "wrong", "-e", "me@example.com"],
    },
    { label: { en: "Nobody listens", zh: "没有人监听" }, args: ["DOCKER_HOST=tcp://127.0.0.1:9", "ps"] },
    { label: { en: "Not allowed", zh: "没有权限" }, args: ["USER=alice", "ps"] },
    {
      label: { en: "TLS, and proof", zh: "TLS，并验证" },
      args: ["HOME=/home/me", "-H", addresses.secure, "--tlsverify", "version"],
    },
    {
      label: { en: "TLS without a check", zh: "TLS，但不检查" },
      args: ["HOME=/home/me", "-H", addresses.middle, "--tls", "pull", "busybox"],
    },
    {
      label: { en: "The same, checked", zh: "同样，但检查" },
      args: ["HOME=/home/me", "-H", addresses.middle, "--tlsverify", "pull", "busybox"],
    },
    { label: { en: "Plain to a TLS port", zh: "明文访问 TLS 端口" }, args: ["-H", addresses.secure, "ps"] },
    { label: { en: "TLS to the socket file", zh: "对 socket 文件用 TLS" }, args: ["--tls", "ps"] },
    { label: { en: "It goes on", zh: "不会结束" }, args: ["events"] },
  ],
  controls: [
    {
      kind: "text",
      label: { en: "docker", zh: "docker" },
      size: 44,
      read: (args) => parts(args).rest.map(quoted).join(" "),
      write: (args, value) => join({ ...parts(args), rest: shellWords(value) }),
    },
    {
      kind: "choice",
      label: { en: "-H, where the daemon is", zh: "-H，daemon 的地址" },
      options: [
        { value: "", label: { en: "not given", zh: "不给" } },
        ...Object.values(addresses).map((value) => ({ value, label: same(value) })),
        { value: "tcp://127.0.0.1:9", label: { en: "tcp://127.0.0.1:9 (nobody)", zh: "tcp://127.0.0.1:9（没有人）" } },
        {
          value: "unix:///nope.sock",
          label: { en: "unix:///nope.sock (no file)", zh: "unix:///nope.sock（没有文件）" },
        },
      ],
      read: (args) => parts(args).hosts[0] ?? "",
      write: (args, value) => join({ ...parts(args), hosts: value === "" ? [] : [value] }),
    },
    {
      kind: "choice",
      label: { en: "TLS", zh: "TLS" },
      options: [
        { value: "", label: { en: "none", zh: "不用" } },
        { value: "--tls", label: same("--tls") },
        { value: "--tlsverify", label: same("--tlsverify") },
      ],
      read: (args) => parts(args).tls,
      write: (args, value) => join({ ...parts(args), tls: value }),
    },
    {
      kind: "choice",
      label: { en: "HOME", zh: "HOME" },
      options: [
        { value: "", label: { en: "/root: nothing there", zh: "/root：什么也没有" } },
        { value: "/home/me", label: { en: "/home/me: credentials, certificates", zh: "/home/me：有凭据和证书" } },
        { value: "/home/bad", label: { en: "/home/bad: broken ones", zh: "/home/bad：坏的凭据和证书" } },
      ],
      read: (args) => parts(args).env["HOME"] ?? "",
      write: (args, value) => withVariable(args, "HOME", value),
    },
    {
      kind: "switch",
      label: { en: "standard output is a terminal", zh: "标准输出是终端" },
      read: (args) => parts(args).env["TTY"] === "1",
      write: (args, on) => withVariable(args, "TTY", on ? "1" : ""),
    },
  ],
  caption: {
    en: "From the words of a command line to its exit status. Each step opens and names its place in 1.2.0 and here.",
    zh: "从命令行的词到退出状态。每一步都可以展开，并标明它在 1.2.0 和本项目中的位置。",
  },
  draw,
};

/** The arguments with a variable set, or without it. */
function withVariable(args: Args, name: string, value: string): Args {
  const all = parts(args);
  const { [name]: _, ...env } = all.env;
  return join({ ...all, env: value === "" ? env : { ...env, [name]: value } });
}
