/**
 * Pictures as text: SVG and HTML in the book's own hand.
 *
 * Colours, lines and fonts are in live.css, by class; a picture says what a thing is, not how it looks. What a colour
 * tells, a word or a shape tells, too.
 *
 * @module
 */

import type { Args } from "./live.ts";

/**
 * What a shape stands for; live.css gives each a look of its own.
 *
 * ```text
 * run   at work          wait  held up, waiting        good  ended well
 * bad   failed           note  a remark, a moment      quiet there, but not the point
 * pick  what the reader has chosen
 * ```
 */
export type Kind = "run" | "wait" | "good" | "bad" | "note" | "quiet" | "pick";

/** Makes text harmless in HTML, in attributes too. */
export function esc(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]/gu;

/** Width of a line of text in pixels; Chinese characters are two columns wide. @param size - of the type, in pixels */
export function textWidth(text: string, size = 13): number {
  const wide = text.match(WIDE)?.length ?? 0;
  return ([...text].length - wide) * size * 0.6 + wide * size;
}

/** A text cut to a width, with an ellipsis where it was cut. */
export function cut(text: string, width: number, size = 13): string {
  if (textWidth(text, size) <= width) return text;
  const chars = [...text];
  while (chars.length > 0 && textWidth(`${chars.join("")}…`, size) > width) chars.pop();
  return `${chars.join("")}…`;
}

/** A picture that shrinks with its page. @param label - read aloud in its place */
export function svg(width: number, height: number, label: string, body: readonly string[]): string {
  return [
    `<svg class="live-svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" role="group" aria-label="${esc(label)}">`,
    ...body,
    "</svg>",
  ].join("\n");
}

/** A number without a tail. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Where a text begins, and how it looks. */
export interface TextLook {
  readonly anchor?: "start" | "middle" | "end";
  readonly kind?: Kind;
  /** `title` bold, `small` smaller and paler, `code` in the type of programs. */
  readonly look?: "title" | "small" | "code";
}

/** One line of text; `y` is its base line. */
export function text(x: number, y: number, content: string, { anchor = "start", kind, look }: TextLook = {}): string {
  const names = ["t", look && `t-${look}`, kind && `k-${kind}`].filter(Boolean).join(" ");
  return `<text class="${names}" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${esc(content)}</text>`;
}

/** A box with round corners. */
export function box(x: number, y: number, width: number, height: number, kind: Kind = "quiet"): string {
  return `<rect class="box k-${kind}" x="${round(x)}" y="${round(y)}" width="${round(Math.max(width, 1))}" height="${round(height)}" rx="4"/>`;
}

/** A box with a line of text in it. */
export function label(x: number, y: number, width: number, height: number, content: string, kind: Kind): string {
  const inside = cut(content, width - 12);
  return `${box(x, y, width, height, kind)}${text(x + width / 2, y + height / 2 + 4.5, inside, { anchor: "middle", kind })}`;
}

/** A straight line. */
export function line(x1: number, y1: number, x2: number, y2: number, kind: Kind = "quiet", dashed = false): string {
  return `<line class="line k-${kind}${dashed ? " dashed" : ""}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

/** A line with a head at its end. */
export function arrow(x1: number, y1: number, x2: number, y2: number, kind: Kind = "run", dashed = false): string {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const wing = (turn: number) => `${round(x2 - 8 * Math.cos(angle + turn))},${round(y2 - 8 * Math.sin(angle + turn))}`;
  return `${line(x1, y1, x2, y2, kind, dashed)}<polygon class="head k-${kind}" points="${round(x2)},${round(y2)} ${wing(0.4)} ${wing(-0.4)}"/>`;
}

/** A path with curves; `d` as SVG has it. */
export function path(d: string, kind: Kind = "quiet", dashed = false): string {
  return `<path class="line k-${kind}${dashed ? " dashed" : ""}" d="${d}"/>`;
}

/** A small round mark. */
export function dot(x: number, y: number, kind: Kind = "note", radius = 5): string {
  return `<circle class="dot k-${kind}" cx="${round(x)}" cy="${round(y)}" r="${radius}"/>`;
}

/** A part of a picture that is clicked, or reached by Tab and pressed by Enter: it sets the arguments. */
export function hot(args: Args, name: string, body: string): string {
  return `<g class="hot" role="button" tabindex="0" data-args="${esc(JSON.stringify(args))}" aria-label="${esc(name)}"><title>${esc(name)}</title>${body}</g>`;
}

/** The same outside a picture: a button that looks like a link. @param name - said instead of the content, if that is short */
export function button(args: Args, content: string, name = content): string {
  return `<button type="button" class="live-button" data-args="${esc(JSON.stringify(args))}" aria-label="${esc(name)}">${esc(content)}</button>`;
}

/** A table; a cell is text, or HTML made with these functions. */
export function table(
  head: readonly string[],
  rows: readonly { readonly cells: readonly (string | { readonly html: string })[]; readonly kind?: Kind }[],
): string {
  const cell = (content: string | { readonly html: string }) =>
    `<td>${typeof content === "string" ? esc(content) : content.html}</td>`;
  return [
    '<div class="live-scroll"><table class="live-table">',
    `<thead><tr>${head.map((name) => `<th scope="col">${esc(name)}</th>`).join("")}</tr></thead><tbody>`,
    ...rows.map(({ cells, kind }) => `<tr${kind ? ` class="k-${kind}"` : ""}>${cells.map(cell).join("")}</tr>`),
    "</tbody></table></div>",
  ].join("\n");
}

/** What happens in a lane for a while. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly kind: Kind;
  /** Makes it a button. */
  readonly args?: Args;
}

/** What happens in a lane at one moment. */
export interface Mark {
  readonly at: number;
  readonly label: string;
  readonly kind: Kind;
}

/** One line of a timeline. */
export interface Lane {
  readonly name: string;
  readonly spans?: readonly Span[];
  readonly marks?: readonly Mark[];
}

/** A timeline: lanes from left to right, all on one axis. */
export interface Timeline {
  readonly caption: string;
  readonly lanes: readonly Lane[];
  /** Both ends of the axis, in its unit. */
  readonly from: number;
  readonly to: number;
  /** Text of a moment on the axis. */
  readonly tick: (at: number) => string;
  /** Moments that all lanes share: a dashed line from top to bottom. */
  readonly rules?: readonly Mark[];
  /** In pixels; default 760. */
  readonly width?: number;
}

const LANE = 30;
const ROW = 22;

/** A step of an axis that shows five to ten numbers: 1, 2 or 5 times a power of ten. */
export function tickStep(length: number): number {
  const rough = length / 8 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough) ?? rough;
}

/** Rows for spans so that none covers another, nor another's text. */
function rowsOf(lane: Lane, x: (at: number) => number): { span: Span; row: number; inside: boolean }[] {
  const ends: number[] = [];
  return [...(lane.spans ?? [])]
    .sort((a, b) => a.from - b.from)
    .map((span) => {
      const [from, to] = [x(span.from), x(span.to)];
      const inside = textWidth(span.label) + 12 <= to - from;
      const end = inside ? to : to + 6 + textWidth(span.label);
      const free = ends.findIndex((taken) => taken + 4 <= from);
      const row = free < 0 ? ends.length : free;
      ends[row] = end;
      return { span, row, inside };
    });
}

/** Draws a timeline; the names of the lanes stand above them, so that a narrow page keeps the width for the time. */
export function timeline(given: Timeline): string {
  const { lanes, from, to, width = 760 } = given;
  const [left, right] = [10, 14];
  const x = (at: number) =>
    left + ((Math.min(Math.max(at, from), to) - from) / (to - from || 1)) * (width - left - right);
  const body: string[] = [];
  const rules = given.rules ?? [];
  let y = rules.length > 0 ? 18 * rules.length + 10 : 6;
  const top = y;
  for (const lane of lanes) {
    body.push(text(left, y + 15, lane.name, { look: "title" }));
    y += 22;
    const marks = lane.marks ?? [];
    marks.forEach((mark, i) => {
      const at = x(mark.at);
      const flip = at + 10 + textWidth(mark.label) > width;
      const base = y + 14 + i * 18;
      body.push(dot(at, base - 4, mark.kind));
      body.push(text(at + (flip ? -10 : 10), base, mark.label, { kind: mark.kind, anchor: flip ? "end" : "start" }));
    });
    y += marks.length * 18;
    const placed = rowsOf(lane, x);
    for (const { span, row, inside } of placed) {
      const [a, b, base] = [x(span.from), x(span.to), y + 2 + row * (ROW + 4)];
      const wide = Math.max(b - a, 3);
      const flip = !inside && b + 6 + textWidth(span.label) > width;
      const words = inside
        ? text(a + 7, base + 15.5, span.label, { kind: span.kind })
        : text(flip ? a - 6 : b + 6, base + 15.5, span.label, { anchor: flip ? "end" : "start" });
      const drawn = box(a, base, wide, ROW, span.kind) + words;
      body.push(span.args === undefined ? drawn : hot(span.args, span.label, drawn));
    }
    y +=
      Math.max(placed.length === 0 ? 0 : LANE, (Math.max(-1, ...placed.map(({ row }) => row)) + 1) * (ROW + 4) + 4) + 6;
  }
  const bottom = y;
  rules.forEach((rule, i) => {
    const at = x(rule.at);
    const flip = at + 6 + textWidth(rule.label) > width;
    body.unshift(line(at, 18 * i + 4, at, bottom, rule.kind, true));
    body.push(text(at + (flip ? -6 : 6), 18 * i + 15, rule.label, { kind: rule.kind, anchor: flip ? "end" : "start" }));
  });
  const step = tickStep(to - from);
  for (let at = Math.ceil(from / step) * step; at <= to + step / 1e6; at += step) {
    body.unshift(line(x(at), top, x(at), bottom, "quiet", true));
    const edge = x(at) > width - 30 ? "end" : x(at) < 30 ? "start" : "middle";
    body.push(text(x(at), bottom + 16, given.tick(at), { look: "small", anchor: edge }));
  }
  return svg(width, bottom + 24, given.caption, body);
}

/** A node of a tree. */
export interface TreeNode {
  readonly label: string;
  /** Behind the label, paler. */
  readonly note?: string;
  readonly kind: Kind;
  readonly args?: Args;
  readonly children?: readonly TreeNode[];
}

/** Draws a tree from top to bottom, one node a line, children to the right of their parent. */
export function tree(root: TreeNode, caption: string, width = 760): string {
  const body: string[] = [];
  let y = 4;
  const draw = (node: TreeNode, depth: number): number => {
    const x = 8 + depth * 26;
    const wide = Math.min(textWidth(node.label) + 18, width - x - 8);
    const middle = y + 13;
    const drawn = label(x, y, wide, 26, node.label, node.kind);
    body.push(node.args === undefined ? drawn : hot(node.args, node.label, drawn));
    if (node.note)
      body.push(text(x + wide + 8, y + 17.5, cut(node.note, width - x - wide - 16, 12), { look: "small" }));
    y += 34;
    for (const child of node.children ?? []) {
      const below = draw(child, depth + 1);
      body.unshift(path(`M${round(x + 11)},${round(middle + 13)} V${round(below)} H${round(x + 26)}`));
    }
    return middle;
  };
  draw(root, 0);
  return svg(width, y + 2, caption, body);
}
