/**
 * The layers as panes of glass: one looks from the left, and sees of each path what the first pane has there.
 *
 * @module
 */

import { box, cut, dot, hot, line, path, svg, text, textWidth } from "../lib/draw.ts";
import type { Language, Text } from "../lib/live.ts";
import type { Asked, Outcome } from "./demo.ts";
import type { Layer } from "./disk.ts";
import { CODE, short } from "./session.ts";

const WORDS = {
  see: { en: "What you see", zh: "你看到的" },
  bare: { en: "Not mounted", zh: "没有挂载" },
  file: { en: "file", zh: "文件" },
  dir: { en: "dir", zh: "目录" },
  covered: { en: "covered", zh: "被遮住" },
  gone: { en: "hidden", zh: "被隐藏" },
  white: { en: "whiteout", zh: "白障" },
  opaque: { en: "opaque", zh: "不透明" },
  more: { en: "more", zh: "层" },
} satisfies Record<string, Text>;

/** What the picture shows. */
export const caption: Text = {
  en: "You look through the layers from the left. For each path you see what the first layer has there; a whiteout blocks the view.",
  zh: "从左向右透过各层看。每个路径，看到的是第一个含有它的层的内容；白障挡住视线。",
};

/** Arguments that ask for this. */
export function argsOf({ depth, show, vfs, calls }: Asked): string[] {
  return [
    ...(depth === 2 ? [] : ["--depth", String(depth)]),
    ...(show === "" ? [] : ["--show", `/${show}`]),
    ...(vfs ? ["--vfs"] : []),
    ...calls.map((call) => call.line),
  ];
}

/** So narrow that it can be read on a telephone. */
const NARROW = 380;
const LEFT = 138;
const TOP = 54;
const ROW = 26;

/** A pane of glass: a layer, or several that nothing is in. */
interface Pane {
  readonly layer: Layer | undefined;
  readonly title: string;
  readonly note: string;
}

function panesOf(layers: readonly Layer[], language: Language): Pane[] {
  const pane = (layer: Layer): Pane => ({ layer, title: short(layer.id), note: layer.id === CODE ? "rw" : "ro+wh" });
  if (layers.length <= 4) return layers.map(pane);
  const between = { layer: undefined, title: `+ ${layers.length - 3}`, note: WORDS.more[language] };
  return [...layers.slice(0, 2).map(pane), between, ...layers.slice(-1).map(pane)];
}

/** A path of the picture. */
export interface Row {
  readonly path: string;
  /** Layers that have it, topmost first. */
  readonly layers: readonly string[];
  readonly seen: boolean;
  readonly by?: { readonly layer: string; readonly path: string } | undefined;
}

/** Everything that a layer has or hides, by path. */
export function rowsOf({ shown, hidden, mounted, layers }: Outcome): Row[] {
  if (!mounted) {
    const having = (path: string) => layers.filter(({ diff }) => diff.some((entry) => entry.path === path));
    const all = new Set(layers.flatMap(({ diff }) => diff.map(({ path }) => path)));
    return [...all]
      .filter((path) => !/(^|\/)\.wh\./.test(path))
      .sort()
      .map((path) => ({ path, layers: having(path).map(({ id }) => id), seen: false }));
  }
  const rows = [...shown.map((one) => ({ ...one, seen: true })), ...hidden.map((one) => ({ ...one, seen: false }))];
  return rows.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What a thing that hides another is. */
function hider(path: string): Text {
  if (/(^|\/)\.wh\.[^/]*$/.test(path)) return path.endsWith(".wh..wh..opq") ? WORDS.opaque : WORDS.white;
  return path.endsWith("/") ? WORDS.dir : WORDS.file;
}

/** What a pane has on the line of a path. */
function cell(
  row: Row,
  pane: Pane,
  mounted: boolean,
  language: Language,
): { word: string; kind: "good" | "bad" | "quiet" } | undefined {
  const id = pane.layer?.id;
  if (id === undefined) return undefined;
  if (row.by?.layer === id && !row.layers.slice(0, 1).includes(id))
    return { word: hider(row.by.path)[language], kind: "bad" };
  if (!row.layers.includes(id)) return undefined;
  const isDirectory = row.path.endsWith("/");
  if (!mounted) return { word: (isDirectory ? WORDS.dir : WORDS.file)[language], kind: "quiet" };
  if (row.seen && (isDirectory || row.layers[0] === id))
    return { word: (isDirectory ? WORDS.dir : WORDS.file)[language], kind: "good" };
  return { word: (row.seen ? WORDS.covered : WORDS.gone)[language], kind: "quiet" };
}

/** The panes, and on the line of each path what is in them and where the look stops. */
export function glass(asked: Asked, outcome: Outcome, language: Language): string {
  const panes = panesOf(outcome.layers, language);
  const rows = rowsOf(outcome);
  const named = rows.filter(({ path }) => path.replace(/\/$/, "") === asked.show);
  const picked = named.find(({ seen }) => seen) ?? named[0];
  const width = NARROW + Math.max(0, panes.length - 3) * 70;
  const wide = (width - LEFT - 4) / panes.length;
  const height = TOP + rows.length * ROW + 8;
  const x = (at: number) => LEFT + at * wide;
  const body: string[] = [
    ...(outcome.mounted ? [path("M3 15 Q15 3 27 15 Q15 27 3 15", "good"), dot(15, 15, "good", 4)] : []),
    text(outcome.mounted ? 34 : 2, 20, outcome.mounted ? WORDS.see[language] : WORDS.bare[language], { look: "title" }),
    text(outcome.mounted ? 34 : 2, 38, `mnt/${short(CODE)}`, { look: "small" }),
  ];
  for (const [at, pane] of panes.entries()) {
    body.push(box(x(at) + 3, 2, wide - 6, height - 4, pane.note === "rw" ? "run" : "quiet"));
    body.push(text(x(at) + wide / 2, 20, pane.title, { look: "title", anchor: "middle" }));
    body.push(text(x(at) + wide / 2, 38, pane.note, { look: "small", anchor: "middle" }));
  }
  for (const [n, row] of rows.entries()) {
    const y = TOP + n * ROW;
    const parts = row.path.split("/").filter(Boolean);
    const indent = 4 + (parts.length - 1) * 14;
    const name = cut(`${parts.at(-1)}${row.path.endsWith("/") ? "/" : ""}`, LEFT - indent - 14);
    const end = indent + textWidth(name);
    const chosen = row === picked;
    const drawn: string[] = [
      `<rect class="row" x="0" y="${y}" width="${width}" height="${ROW}" fill="transparent"/>`,
      ...(chosen ? [box(1, y + 2, width - 2, ROW - 4, "pick").replace("<rect ", '<rect fill-opacity="0" ')] : []),
      text(indent, y + 17, name, row.seen || !outcome.mounted ? (chosen ? { kind: "pick" } : {}) : { look: "small" }),
    ];
    if (!row.seen && outcome.mounted) drawn.push(line(indent, y + 13, end, y + 13, "bad"));
    const cells = panes.map((pane) => cell(row, pane, outcome.mounted, language));
    const stop = cells.findIndex((one) => one?.kind === "good" || one?.kind === "bad");
    if (outcome.mounted && stop >= 0)
      drawn.push(line(end + 5, y + 13, x(stop) + 7, y + 13, cells[stop]?.kind, !row.seen));
    for (const [at, one] of cells.entries()) {
      if (one === undefined) continue;
      const kind = {
        look: "small" as const,
        anchor: "middle" as const,
        ...(one.kind === "bad" ? { kind: "bad" as const } : {}),
      };
      drawn.push(box(x(at) + 7, y + 4, wide - 14, ROW - 8, one.kind));
      drawn.push(text(x(at) + wide / 2, y + 17, cut(one.word, wide - 14, 12), kind));
    }
    const says = row.seen ? `/${row.path}: ${short(row.layers[0] ?? "")}` : `/${row.path}: –`;
    body.push(hot(argsOf({ ...asked, show: chosen ? "" : row.path.replace(/\/$/, "") }), says, drawn.join("")));
  }
  return svg(width, height, caption[language], body);
}
