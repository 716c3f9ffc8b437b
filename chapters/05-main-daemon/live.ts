/**
 * The picture of chapter 05: the boot as two halves and a gate.
 *
 * Positions are in per cent of the width and type is in pixels, so that the picture keeps its letters on a narrow page
 * and its proportions on a wide one.
 *
 * @module
 */

import { esc, type Kind, table, textWidth, tickStep } from "../lib/draw.ts";
import type { Args, Language, Live, Text } from "../lib/live.ts";
import { axisEnd, example, leftText, type Request, read, write } from "./demo.ts";
import { faults } from "./machine.ts";
import { stepTexts } from "./steps.ts";
import { type Client, follow, type Step, type Trace } from "./trace.ts";

const words = {
  main: { en: "① mainDaemon() itself", zh: "① mainDaemon() 自己" },
  loader: { en: "② the goroutine that loads the daemon", zh: "② 加载 daemon 的 goroutine" },
  clients: { en: "③ clients, asking for the containers", zh: "③ Client，请求容器列表" },
  socket: { en: "socket there", zh: "socket 出现" },
  held: { en: "listens; whoever comes waits", zh: "已监听，来者等待" },
  heldShort: { en: "holds", zh: "等待" },
  serves: { en: "serves", zh: "提供服务" },
  gate: { en: "the gate opens", zh: "闸门打开" },
  ended: { en: "exit status", zh: "退出状态" },
  go: { en: "go ② ↓", zh: "go ② ↓" },
  answered: { en: "answered after", zh: "等待后得到应答：" },
  straight: { en: "answered at once", zh: "立即得到应答" },
  refused: { en: "refused", zh: "被拒绝" },
  missing: { en: "no socket there", zh: "socket 不存在，连接失败" },
  cut: { en: "cut off after", zh: "连接被切断，已等待" },
  comes: { en: "comes at", zh: "到达时刻" },
  log: { en: "The daemon's log", zh: "Daemon 的日志" },
  time: { en: "ms", zh: "毫秒" },
  line: { en: "line", zh: "日志行" },
  left: { en: "Left behind", zh: "留下的文件" },
  others: { en: "of another daemon", zh: "属于另一个 Daemon" },
  nothing: { en: "nothing", zh: "无" },
  inStep: { en: "What happened in this step", zh: "这一步里发生的事" },
  notReached: { en: "It did not come to that.", zh: "没有走到这一步。" },
} satisfies Record<string, Text>;

/** Height of a row, and of the type in it. */
const ROW = 24;
const BAR = 16;

/** Places on the picture's axis: a little room is left and right of it. */
class Axis {
  readonly #end: number;

  constructor(end: number) {
    this.#end = end;
  }

  /** Per cent of the width. */
  at(ms: number): number {
    return 1.5 + (Math.min(ms, this.#end) / this.#end) * 95;
  }
}

/** Lines behind a text stop short of it. */
const halo = "paint-order:stroke;stroke:var(--live-paper);stroke-width:4px;stroke-linejoin:round";

const pc = (value: number): string => `${Math.round(value * 100) / 100}%`;

function rect(x: number, to: number, y: number, height: number, kind: Kind): string {
  return `<rect class="box k-${kind}" x="${pc(x)}" y="${y}" width="${pc(Math.max(to - x, 0.9))}" height="${height}" rx="3"/>`;
}

function lettering(
  x: number,
  dx: number,
  y: number,
  content: string,
  look = "",
  anchor: "start" | "end" = "start",
): string {
  return `<text class="t${look}" x="${pc(x)}" dx="${dx}" y="${y}" text-anchor="${anchor}" style="${halo}">${esc(content)}</text>`;
}

function upright(x: number, from: number, to: number, kind: Kind, dashed: boolean): string {
  return `<line class="line k-${kind}${dashed ? " dashed" : ""}" x1="${pc(x)}" x2="${pc(x)}" y1="${from}" y2="${to}"/>`;
}

/** Words beside something: to its right, or to its left where there is more room. */
function beside(from: number, to: number, y: number, content: string, look = ""): string {
  return from > 48 ? lettering(from, -6, y, content, look, "end") : lettering(to, 6, y, content, look);
}

function button(args: Args, name: string, body: string): string {
  return `<g class="hot" role="button" tabindex="0" data-args="${esc(JSON.stringify(args))}" aria-label="${esc(name)}"><title>${esc(name)}</title>${body}</g>`;
}

/** Everything a part of the picture needs. */
interface Drawing {
  readonly request: Request;
  readonly trace: Trace;
  readonly axis: Axis;
  readonly language: Language;
  readonly say: (what: keyof typeof words) => string;
}

const nameOf = (step: Step, language: Language): string => stepTexts[step.name]?.name[language] ?? step.name;
const lookAt = (request: Request, step: string): Args => write({ ...request, step });

/** The first half: four moments, and a job that does not end. */
function mainLane(drawing: Drawing, top: number): { body: string[]; bottom: number } {
  const { request, trace, axis, language, say } = drawing;
  const steps = trace.steps.filter(({ lane }) => lane === "main");
  const body = [lettering(0, 6, top + 14, `${say("main")} · 0 ms`, " t-title")];
  let y = top + 24;
  let x = 6;
  const chip = (name: string, look: string): string => {
    const wide = textWidth(name, 12) + 14;
    if (x + wide > 325) {
      x = 6;
      y += ROW;
    }
    const at = x;
    x += wide + 6;
    return `<rect class="box ${look}" x="${at}" y="${y}" width="${wide}" height="20" rx="10"/><text class="t t-small" x="${at + wide / 2}" y="${y + 14.5}" text-anchor="middle">${esc(name)}</text>`;
  };
  for (const step of steps.filter(({ name }) => name !== "serveapi")) {
    // The goroutine is started between these two.
    if (step.name === "banner") body.push(chip(say("go"), "k-note dashed"));
    const name = nameOf(step, language);
    const drawn = chip(name, request.step === step.name ? "k-pick" : "k-run");
    body.push(button(lookAt(request, step.name), `${name}, ${step.from} ms`, drawn));
  }
  y += 28;
  if (steps.some(({ name }) => name === "serveapi")) {
    body.push(button(lookAt(request, "serveapi"), "serveapi", serveBar(drawing, y)));
    y += 24;
  }
  if (trace.listening !== undefined) {
    const at = axis.at(trace.listening);
    body.push(
      `<circle class="dot k-note" cx="${pc(at)}" cy="${y + 5}" r="5"/>`,
      lettering(at, 10, y + 9.5, `${say("socket")}: ${trace.listening} ms`, " t-small"),
    );
    y += 18;
  }
  return { body, bottom: y };
}

/** The job `serveapi`: until it listens, while the gate is shut, and after. */
function serveBar({ request, trace, axis, say }: Drawing, y: number): string {
  const stop = trace.ended?.at ?? axisEnd(trace);
  const shut = Math.min(trace.gate ?? stop, stop);
  const listens = Math.min(trace.listening ?? shut, shut);
  const narrow = 330;
  const inside = (from: number, to: number, texts: readonly string[]): string => {
    const room = ((axis.at(to) - axis.at(from)) / 100) * narrow - 12;
    const fits = texts.find((text) => textWidth(text, 12) <= room);
    return fits === undefined
      ? ""
      : `<text class="t t-small" x="${pc(axis.at(from))}" dx="7" y="${y + 14.5}">${esc(fits)}</text>`;
  };
  const parts: string[] = [];
  if (listens > 0) parts.push(rect(axis.at(0), axis.at(listens), y, 20, "run"));
  if (shut > listens) {
    parts.push(rect(axis.at(listens), axis.at(shut), y, 20, "wait"));
    parts.push(inside(listens, shut, [`serveapi ${say("held")}`, `serveapi ${say("heldShort")}`, "serveapi"]));
  }
  if (stop > shut || trace.gate !== undefined) {
    parts.push(rect(axis.at(shut), axis.at(stop), y, 20, "good"));
    parts.push(inside(shut, stop, [`serveapi ${say("serves")} →`, `${say("serves")} →`, "→"]));
  }
  const chosen = `<rect class="box k-pick" x="${pc(axis.at(0))}" y="${y}" width="${pc(axis.at(stop) - axis.at(0))}" height="20" rx="3" style="fill:none"/>`;
  return parts.join("") + (request.step === "serveapi" ? chosen : "");
}

/** The second half: one step after another. */
function loaderLane({ request, trace, axis, language, say }: Drawing, top: number): { body: string[]; bottom: number } {
  const steps = trace.steps.filter(({ lane }) => lane === "loader");
  const body = [lettering(0, 6, top + 14, say("loader"), " t-title")];
  let y = top + 24;
  steps.forEach((step, i) => {
    const failed = step.to === undefined && trace.ended?.status !== 0;
    const to = step.to ?? trace.ended?.at ?? axisEnd(trace);
    const kind: Kind = request.step === step.name ? "pick" : failed ? "bad" : step.to === undefined ? "wait" : "run";
    const [a, b] = [axis.at(step.from), Math.max(axis.at(to), axis.at(step.from) + 0.9)];
    const name = nameOf(step, language);
    const took = step.to === undefined ? "✗" : `${to - step.from} ms`;
    const before = steps[i - 1];
    // The end of one is the begin of the next: a thin line leads down from it.
    const drop = before === undefined ? "" : upright(a, y - ROW + BAR + 2, y + 2, "quiet", false);
    const drawn = `${drop}${rect(a, b, y + 2, BAR, kind)}${beside(a, b, y + 14.5, `${name} · ${took}`, failed ? " k-bad" : " t-small")}`;
    body.push(button(lookAt(request, step.name), `${name}, ${step.from}–${to} ms`, drawn));
    y += ROW;
  });
  return { body, bottom: y };
}

function fate({ say }: Drawing, { end, from, to, text }: Client): { text: string; kind: Kind; mark: string } {
  if (end === "answered") {
    return { text: to === from ? say("straight") : `${say("answered")} ${to - from} ms`, kind: "good", mark: "✓" };
  }
  if (end === "refused") {
    return { text: say(text.includes("ENOENT") ? "missing" : "refused"), kind: "bad", mark: "✗" };
  }
  return { text: `${say("cut")} ${to - from} ms`, kind: "bad", mark: "✗" };
}

/** The clients: each waits in front of the gate. */
function clientLanes(drawing: Drawing, top: number): { body: string[]; bottom: number } {
  const { trace, axis, say } = drawing;
  const body = [lettering(0, 6, top + 14, say("clients"), " t-title")];
  let y = top + 22;
  for (const client of trace.clients) {
    const { text, kind, mark } = fate(drawing, client);
    const [a, b] = [axis.at(client.from), axis.at(client.to)];
    body.push(
      lettering(0, 6, y + 13, `${say("comes")} ${client.from} ms: ${mark} ${text}`, kind === "bad" ? " k-bad" : ""),
    );
    y += 18;
    if (client.to > client.from) body.push(rect(a, b, y + 1, 12, "wait"));
    body.push(
      `<circle class="dot k-note" cx="${pc(a)}" cy="${y + 7}" r="5"/>`,
      `<circle class="dot k-${kind}" cx="${pc(b)}" cy="${y + 7}" r="7"/>`,
      `<text class="t t-title" x="${pc(b)}" y="${y + 11}" text-anchor="middle" style="fill:var(--live-paper);font-size:11px">${mark}</text>`,
    );
    y += 22;
  }
  return { body, bottom: y };
}

/** Lines through all lanes: the gate, and the end. */
function rules({ trace, axis, say }: Drawing, top: number, bottom: number): string[] {
  const drawn: string[] = [];
  const rule = (ms: number, text: string, kind: Kind, row: number) => {
    const at = axis.at(ms);
    const y = top + 14 + row * 18;
    drawn.push(upright(at, y - 12, bottom, kind, false));
    drawn.push(at > 50 ? lettering(at, -7, y, text, ` k-${kind}`, "end") : lettering(at, 7, y, text, ` k-${kind}`));
  };
  if (trace.gate !== undefined) rule(trace.gate, `${say("gate")}: ${trace.gate} ms`, "pick", 0);
  if (trace.ended !== undefined) {
    const { at, status } = trace.ended;
    rule(at, `${say("ended")} ${status}: ${at} ms`, "bad", trace.gate === undefined ? 0 : 1);
  }
  return drawn;
}

function scale({ trace, axis }: Drawing, top: number, bottom: number): string[] {
  const end = axisEnd(trace);
  const drawn: string[] = [];
  // Few enough for a narrow page.
  const step = tickStep(end) * 2;
  for (let at = 0; at <= end; at += step) {
    const x = axis.at(at);
    drawn.push(upright(x, top, bottom, "quiet", true));
    drawn.push(lettering(x, 0, bottom + 16, `${at}${at === 0 ? " ms" : ""}`, " t-small", x > 92 ? "end" : "start"));
  }
  return drawn;
}

function picture(drawing: Drawing): string {
  const { trace, language } = drawing;
  const rows = Number(trace.gate !== undefined) + Number(trace.ended !== undefined);
  const top = rows * 18 + 8;
  const first = mainLane(drawing, top);
  const second = loaderLane(drawing, first.bottom + 12);
  const third = clientLanes(drawing, second.bottom + 12);
  const { bottom } = third;
  const body = [
    ...scale(drawing, top, bottom),
    ...rules(drawing, 0, bottom),
    ...first.body,
    ...second.body,
    ...third.body,
  ];
  return [
    `<svg class="live-svg" width="100%" style="width:100%;height:${bottom + 26}px" role="group" aria-label="${esc(live.caption[language])}">`,
    `<rect width="100%" height="${bottom + 26}" rx="6" style="fill:var(--live-paper)"/>`,
    ...body,
    "</svg>",
  ].join("\n");
}

function looked({ request, trace, language, say }: Drawing): string {
  if (request.step === undefined) return "";
  const { name, go } = stepTexts[request.step] ?? {};
  const title = `${say("inStep")}: ${name?.[language] ?? request.step} (${go ?? ""})`;
  const step = trace.steps.find((one) => one.name === request.step);
  if (step === undefined) return table([title], [{ cells: [say("notReached")], kind: "quiet" }]);
  return table(
    [title],
    step.touched.map((what) => ({ cells: [what] })),
  );
}

function logTable({ trace, say }: Drawing): string {
  const rows = trace.log.map(({ at, text }) => ({ cells: [String(at), text] }));
  const { ended } = trace;
  const last =
    ended === undefined
      ? []
      : [
          {
            cells: [String(ended.at), `${say("left")}: ${leftText(trace, say("others")) || say("nothing")}`],
            kind: "note" as const,
          },
        ];
  return `<details><summary>${esc(say("log"))}</summary>${table([say("time"), say("line")], [...rows, ...last])}</details>`;
}

/** A control that changes one property of the request. */
const change = (args: Args, changes: Partial<Request>): Args => write({ ...read(args), ...changes });

/** The chapter's picture and its controls. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "a boot with three clients", zh: "一次启动，三个 Client" }, args: example },
    {
      label: { en: "a slow disk, many containers", zh: "慢磁盘，容器很多" },
      args: ["--disk", "40", "--containers", "40", "--clients", "30,500,1000,2500"],
    },
    { label: { en: "too early", zh: "来得太早" }, args: ["--clients", "0,5,10,15"] },
    {
      label: { en: "another daemon has the pid file", zh: "pid 文件属于另一个 Daemon" },
      args: [...example, "--fail", "pidfile"],
    },
    { label: { en: "no bridge to be had", zh: "找不到可用网段" }, args: [...example, "--fail", "bridge"] },
    { label: { en: "the port is taken", zh: "端口被占用" }, args: [...example, "--fail", "listen"] },
    { label: { en: "TERM in the middle", zh: "启动途中收到 TERM" }, args: [...example, "--signal", "TERM@330"] },
  ],
  controls: [
    {
      kind: "range",
      label: { en: "each file operation takes", zh: "每次文件操作耗时" },
      min: 0,
      max: 50,
      step: 5,
      unit: "ms",
      read: (args) => read(args).disk,
      write: (args, disk) => change(args, { disk }),
    },
    {
      kind: "range",
      label: { en: "containers from before", zh: "已有容器数" },
      min: 0,
      max: 40,
      step: 1,
      unit: "",
      read: (args) => read(args).containers,
      write: (args, containers) => change(args, { containers }),
    },
    {
      kind: "text",
      label: { en: "clients come at (ms)", zh: "Client 到达时刻（毫秒）" },
      size: 18,
      read: (args) => read(args).clients.join(","),
      write: (args, text) => change(args, { clients: read(["--clients", text]).clients }),
    },
    {
      kind: "choice",
      label: { en: "what goes wrong", zh: "出什么问题" },
      options: [
        { value: "", label: { en: "nothing", zh: "没有问题" } },
        ...faults.map((value) => ({ value, label: faultTexts(value) })),
      ],
      read: (args) => read(args).fault ?? "",
      write: (args, value) => change(args, { fault: faults.find((fault) => fault === value) }),
    },
    {
      kind: "range",
      label: { en: "SIGTERM at (0: never)", zh: "SIGTERM 到达时刻（0：不发）" },
      min: 0,
      max: 1000,
      step: 10,
      unit: "ms",
      read: (args) => read(args).signal?.at ?? 0,
      write: (args, at) => change(args, { signal: at === 0 ? undefined : { name: "TERM", at } }),
    },
  ],
  caption: {
    en: "A boot: mainDaemon() listens at once, the goroutine beside it makes the daemon step by step, and the clients wait in front of the gate. Choose a step to see what happened in it.",
    zh: "一次启动：mainDaemon() 立刻监听，旁边的 goroutine 一步步加载 daemon，Client 在闸门前等待。点一个步骤，看里面发生了什么。",
  },
  async draw(args, language) {
    const request = read(args);
    const trace = await follow(request);
    const say = (what: keyof typeof words) => words[what][language];
    const drawing: Drawing = { request, trace, axis: new Axis(axisEnd(trace)), language, say };
    return [picture(drawing), looked(drawing), logTable(drawing)].filter((part) => part !== "").join("\n");
  },
};

function faultTexts(fault: (typeof faults)[number]): Text {
  const texts: Record<typeof fault, Text> = {
    pidfile: { en: "pidfile: it is another daemon's", zh: "pidfile：属于另一个 Daemon" },
    root: { en: "root: the disk is read-only", zh: "root：磁盘只读" },
    bridge: { en: "bridge: no free network", zh: "bridge：没有空闲网段" },
    listen: { en: "listen: the port is taken", zh: "listen：端口被占用" },
  };
  return texts[fault];
}
