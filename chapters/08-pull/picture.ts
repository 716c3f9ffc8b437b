/**
 * The pull as a sequence: time runs down, each client has a column, the keys of the pool stand between them.
 *
 * @module
 */

import { arrow, box, cut, dot, esc, hot, type Kind, line, path, round, svg, text, textWidth } from "../lib/draw.ts";
import type { Args, Language, Text } from "../lib/live.ts";
import { type Asked, argsOf } from "./args.ts";
import type { Fault, Sent } from "./network.ts";
import type { Hold, Trace } from "./trace.ts";

/** How wide things are, in pixels. */
interface Measures {
  readonly time: number;
  readonly column: number;
  readonly lane: number;
  readonly gap: number;
  /** Whether there is room for whole paths. */
  readonly roomy: boolean;
}

const HEAD = 58;
const FOOT = 34;

const words = {
  client: { en: "client", zh: "客户端" },
  pool: { en: "the pool", zh: "下载池" },
  waits: { en: "waits for", zh: "等待客户端" },
  away: { en: "goes away", zh: "离开" },
  well: { en: "done", zh: "完成" },
  failed: { en: "fails", zh: "失败" },
  refused: { en: "refused", zh: "被拒绝" },
  cut: { en: "broke off", zh: "中断" },
  silent: { en: "silent", zh: "没有回音" },
  gone: { en: "given up", zh: "放弃" },
  wrong: { en: "a wrong byte", zh: "一个字节有误" },
  rest: { en: "the rest of ", zh: "续传 " },
  breaks: { en: "let this fail: ", zh: "让这一步出错：" },
  mends: { en: "let this go well again: ", zh: "恢复这一步：" },
} satisfies Record<string, Text>;

/** What somebody does for a while, in a column of their own if they do other things meanwhile. */
interface Block {
  readonly from: number;
  readonly to: number;
  readonly kind: Kind;
  /** What it says, from the longest to the shortest. */
  readonly labels: readonly string[];
  readonly hold?: Hold;
  readonly sent?: Sent;
}

/** From milliseconds to pixels: short times to scale, long ones shortened, none too short to be read. */
export function scaleOf(moments: readonly number[]): { y(at: number): number; breaks: readonly number[]; end: number } {
  const sorted = [...new Set(moments)].sort((a, b) => a - b);
  const at = new Map<number, number>();
  const breaks: number[] = [];
  let y = HEAD;
  sorted.forEach((moment, i) => {
    const passed = moment - (sorted[i - 1] ?? moment);
    if (passed > 400) breaks.push(moment);
    y += i === 0 ? 0 : Math.min(64, 13 + passed * 0.42);
    at.set(moment, y);
  });
  const position = (moment: number): number => {
    const known = at.get(moment);
    if (known !== undefined) return known;
    const before = sorted.findLast((other) => other <= moment);
    return before === undefined ? HEAD : (at.get(before) ?? HEAD);
  };
  return { y: position, breaks, end: y };
}

/** The role of the layer or image that a path or key names. */
function roleOf(name: string, trace: Trace): string {
  const id = /(?:sha256:)?[0-9a-f]{64}/.exec(name)?.[0] ?? "";
  return trace.shelf.roles.get(id) ?? "";
}

function labelsOf(sent: Sent, trace: Trace, language: Language): string[] {
  const role = roleOf(sent.path, trace).replace("config of ", "");
  const status =
    sent.failure === undefined
      ? sent.planted === "corrupt"
        ? words.wrong[language]
        : String(sent.status)
      : words[sent.failure][language];
  const rest = sent.range === undefined ? "" : words.rest[language];
  const size = sent.bytes > 1000 ? `${Math.round(sent.bytes / 1024)} KB` : "";
  // An answer that is as it should be needs no word.
  const end = isFine(sent) ? "" : status;
  const path = sent.path.replace(/^\/v[12]\/(?=.)/, "").replace(/(?:sha256:)?[0-9a-f]{64}/, `<${role}>`);
  const what = `${sent.step} ${role}`.trim();
  const join = (...parts: string[]) => parts.filter(Boolean).join(" ");
  return [
    join(`${rest}${path}`, size, end),
    join(`${rest}${what}`, size, end),
    join(`${rest}${what}`, end),
    join(what, end),
    join(what),
    end || (sent.step === "layer" && role !== "" ? role : sent.step),
  ];
}

/** The longest of some texts that fits. */
function longest(texts: readonly string[], width: number, size: number): string {
  return texts.find((one) => textWidth(one, size) <= width) ?? cut(texts.at(-1) ?? "", width, size);
}

const isFine = ({ status = 0, failure, planted }: Sent) =>
  failure === undefined && status < 300 && planted !== "corrupt";

const isBad = ({ status, failure, planted }: Sent) =>
  (failure !== undefined && failure !== "gone") ||
  (status !== undefined && status >= 400 && planted !== undefined) ||
  planted === "corrupt";

/** Everything one client does. */
function blocksOf(client: number, trace: Trace, language: Language): Block[] {
  const sent = trace.sent
    .filter((one) => one.client === client)
    .map(
      (one): Block => ({
        from: one.from,
        to: one.to,
        kind: isBad(one) ? "bad" : one.failure === "gone" || one.step === "ping" ? "quiet" : "run",
        labels: labelsOf(one, trace, language),
        sent: one,
      }),
    );
  const waits = trace.holds
    .filter((hold) => hold.client === client && !hold.works && hold.worked > hold.from)
    .map((hold): Block => {
      const [waits, other] = [words.waits[language], workerOf(hold, trace)];
      const labels =
        language === "en" ? [`${waits} client ${other}`, `${waits} ${other}`, "waits"] : [`${waits} ${other}`, "等待"];
      return { from: hold.from, to: hold.worked, kind: "wait", labels, hold };
    });
  return [...sent, ...waits].sort((a, b) => a.from - b.from);
}

/** Who does what a client waits for. */
function workerOf(hold: Hold, trace: Trace): number | undefined {
  const same = (one: Hold) => one.works && one.sight.key === hold.sight.key;
  return trace.holds.find((one) => same(one) && one.from <= hold.from && one.worked >= hold.from)?.client;
}

/** Blocks side by side where they overlap. */
export function abreast<T extends { from: number; to: number }>(
  blocks: readonly T[],
): { block: T; at: number; of: number }[] {
  const placed: { block: T; at: number; of: number }[] = [];
  let cluster: { block: T; at: number; of: number }[] = [];
  let ends: number[] = [];
  const close = () => {
    for (const one of cluster) one.of = ends.length;
    cluster = [];
    ends = [];
  };
  for (const block of blocks) {
    if (ends.every((end) => end <= block.from)) close();
    const free = ends.findIndex((end) => end <= block.from);
    const at = free < 0 ? ends.length : free;
    ends[at] = block.to;
    const one = { block, at, of: 1 };
    cluster.push(one);
    placed.push(one);
  }
  close();
  return placed;
}

/** The faults with those of one step switched on or off. */
function toggled(asked: Asked, { step, planted }: Sent): Args {
  const others = asked.faults.filter((fault) => fault.step !== step);
  const fault: Fault = step === "layer" ? { step, way: "cut", times: 1 } : { step, way: "500", times: 1000 };
  return argsOf({ ...asked, faults: planted === undefined ? [...others, fault] : others });
}

/** Keys in the order in which their bars stand: those of the first client left, shared ones in the middle. */
function lanesOf(trace: Trace): string[] {
  const users = new Map<string, { clients: Set<number>; kind: Hold["sight"]["kind"]; from: number }>();
  for (const { sight, client, from } of trace.holds) {
    const known = users.get(sight.key) ?? { clients: new Set(), kind: sight.kind, from };
    known.clients.add(client);
    users.set(sight.key, known);
  }
  const depth = { name: 0, image: 1, layer: 2 };
  const rank = ([, { clients, kind }]: [string, { clients: Set<number>; kind: Hold["sight"]["kind"] }]) => {
    const middle = [...clients].reduce((sum, client) => sum + client, 0) / clients.size;
    return middle <= 1
      ? depth[kind] - 10
      : clients.size > 1
        ? depth[kind] * (middle < 1.5 ? -0.1 : 0.1)
        : 10 * middle - depth[kind];
  };
  return [...users].sort((a, b) => rank(a) - rank(b) || a[1].from - b[1].from).map(([key]) => key);
}

/** What is written on a bar. */
function laneName(key: string, trace: Trace): string {
  if (key.startsWith("img:")) return `img:${roleOf(key, trace)}`;
  if (/[0-9a-f]{64}/.test(key)) return `layer:${roleOf(key, trace)}`;
  return key.replace(/^[^/]*\//, "");
}

function drawWith(trace: Trace, language: Language, given: Measures, caption: string): string {
  const { roomy } = given;
  const say = (text: Text) => text[language];
  const lanes = lanesOf(trace);
  const count = trace.clients.length;
  const poolWidth = Math.max(lanes.length * given.lane, roomy ? 120 : 70);
  const columnX = (client: number) =>
    given.time + (client - 1) * (given.column + given.gap) + (client > 1 ? poolWidth + given.gap : 0);
  const poolX = given.time + given.column + given.gap;
  const width = columnX(count) + given.column + (count === 1 ? poolWidth + given.gap + 4 : 0) + 4;
  const laneX = (key: string) =>
    poolX + (poolWidth - lanes.length * given.lane) / 2 + (lanes.indexOf(key) + 0.5) * given.lane;
  const away = trace.events.filter((event) => event.kind === "goes");
  const moments = [
    ...trace.sent.flatMap(({ from, to }) => [from, to]),
    ...trace.holds.flatMap(({ from, worked, to }) => [from, worked, to]),
    ...trace.clients.flatMap(({ from, to }) => [from, to]),
    ...away.map(({ at }) => at),
  ];
  const { y, breaks, end } = scaleOf(moments);
  const back: string[] = [];
  const body: string[] = [];

  back.push(box(poolX - 4, 6, poolWidth + 8, end - 6 + FOOT, "quiet"));
  body.push(text(poolX + poolWidth / 2, 24, say(words.pool), { anchor: "middle", look: "title" }));

  // The time, where there is room for it.
  let last = Number.NEGATIVE_INFINITY;
  for (const moment of [...new Set(moments)].sort((a, b) => a - b)) {
    const at = y(moment);
    if (breaks.includes(moment)) back.push(path(`M${given.time - 12},${round(at - 30)} l8,5 l-8,5 l8,5`, "note"));
    if (at - last < 15) continue;
    last = at;
    const shown = moment >= 10_000 ? `${(moment / 1000).toFixed(1)}s` : `${moment}`;
    back.push(text(given.time - 7, at + 4, shown, { anchor: "end", look: "small" }));
    back.push(line(given.time - 4, at, width - 4, at, "quiet", true));
  }

  // The keys: a bar from taking it to giving it back; what somebody waits for is drawn over everything.
  const links: string[] = [];
  for (const key of lanes) {
    const x = laneX(key);
    const wide = given.lane - 4;
    for (const hold of trace.holds.filter((one) => one.sight.key === key)) {
      const fromLeft = columnX(hold.client) < poolX;
      const edge = fromLeft ? columnX(hold.client) + given.column : columnX(hold.client);
      const side = x + ((fromLeft ? -1 : 1) * wide) / 2;
      const [top, done, bottom] = [y(hold.from), y(hold.worked), Math.max(y(hold.to), y(hold.from) + 6)];
      if (!hold.works) {
        links.push(line(edge, top, side, top, "wait", true), dot(side, top, "wait", 3.5));
        if (hold.worked > hold.from) links.push(arrow(side, done, edge, done, "wait"));
        continue;
      }
      const fails = trace.clients[hold.client - 1]?.error !== undefined && hold.sight.kind !== "layer";
      back.push(line(edge, top, side, top, "good"));
      if (bottom > done) body.push(box(x - wide / 2, done - 4, wide, bottom - done + 4, "quiet"));
      body.push(box(x - wide / 2, top, wide, Math.max(done - top, 6), fails ? "bad" : "good"));
      const whole = laneName(key, trace);
      const name = longest([whole, whole.slice(whole.indexOf(":") + 1)], bottom - top - 6, 12);
      const turned = `translate(${round(x - 4)} ${round(top + 6)}) rotate(90)`;
      if (name.length > 2) body.push(`<text class="t t-small" transform="${turned}">${esc(name)}</text>`);
    }
  }

  trace.clients.forEach(({ image, from, to, error, gone }, i) => {
    const client = i + 1;
    const x = columnX(client);
    const middle = x + given.column / 2;
    body.push(text(middle, 20, `${say(words.client)} ${client}`, { anchor: "middle", look: "title" }));
    body.push(
      text(middle, 37, cut(roomy ? `docker pull ${image}` : image, given.column, 12), {
        anchor: "middle",
        look: "small",
      }),
    );
    back.push(line(middle, y(from), middle, y(to), "quiet"));
    body.push(dot(middle, y(from), "quiet", 4));
    for (const { block, at, of } of abreast(blocksOf(client, trace, language))) {
      const wide = given.column / of;
      const [top, bottom] = [y(block.from) + 1, y(block.to) - 1];
      const [left, high] = [x + at * wide, Math.max(bottom - top, 12)];
      const size = high < 15 ? 11 : 12;
      const label = longest(roomy ? block.labels : block.labels.slice(-5), wide - 6, size);
      const drawn = `${box(left + 1, top, wide - 2, high, block.kind)}<text class="t k-${block.kind}" style="font-size:${size}px" x="${round(left + wide / 2)}" y="${round(top + Math.min(high / 2, 40) + 4)}" text-anchor="middle">${esc(label)}</text>`;
      if (block.sent === undefined) body.push(drawn);
      else {
        const name = `${say(block.sent.planted === undefined ? words.breaks : words.mends)}${block.sent.step} — GET ${block.labels[0]}`;
        body.push(hot(toggled(trace.asked, block.sent), name, drawn));
      }
    }
    const leaves = away.find((event) => event.client === client);
    const good = error === undefined;
    const said = leaves !== undefined && gone ? say(words.away) : good ? say(words.well) : say(words.failed);
    const mark = `${good ? "✓" : "✗"} ${said}`;
    const wide = Math.min(textWidth(mark, 12) + 14, given.column);
    body.push(box(middle - wide / 2, y(to) + 4, wide, 20, good ? "good" : gone ? "quiet" : "bad"));
    body.push(text(middle, y(to) + 18, cut(mark, wide - 6, 12), { anchor: "middle", look: "small" }));
  });
  return svg(width, end + FOOT + 8, caption, [...back, ...body, ...links]);
}

/** The picture for a wide page, and the one for a narrow page. */
export function draw(trace: Trace, language: Language, caption: string): { wide: string; narrow: string } {
  const count = trace.clients.length;
  const lanes = Math.max(1, new Set(trace.holds.map(({ sight }) => sight.key)).size);
  const poolRoom = count === 3 ? 92 : 110;
  const lane = Math.min(20, Math.max(11, poolRoom / lanes));
  // Seconds need more room than milliseconds.
  const time = trace.clients.some(({ to }) => to >= 10_000) ? 42 : 32;
  const column = (346 - time - 8 * count - Math.max(lanes * lane, 70)) / count;
  return {
    wide: drawWith(
      trace,
      language,
      { time: 46, column: [0, 420, 296, 204][count] ?? 204, lane: 22, gap: 16, roomy: true },
      caption,
    ),
    narrow: drawWith(trace, language, { time, column, lane, gap: 8, roomy: false }, caption),
  };
}
