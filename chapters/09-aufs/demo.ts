/**
 * A session with the files of a container, through the real storage driver: what each call does to the layers.
 *
 * @module
 */

import { memoryHost } from "../../src/host/memory/memory.ts";
import type { Writer } from "../../src/sync/io.ts";
import { ArgumentError, type Call, names, readLines } from "./calls.ts";
import { type Entry, isOwn, type Layer } from "./disk.ts";
import { CODE, imageIds, Session, type Step, short, type Trace } from "./session.ts";

/** Used when the reader asks for nothing else. */
export const example = [
  "get",
  "write /etc/motd hello from the container",
  "rm /bin/ls",
  "rm /srv",
  "mkdir /srv",
  "write /srv/index.html <h1>two</h1>",
];

/** What was asked for. */
export interface Asked {
  /** Layers of the image. */
  readonly depth: number;
  /** A path to be told more of; "" for none. */
  readonly show: string;
  /** Whether the same layers are to be given to vfs. */
  readonly vfs: boolean;
  readonly calls: readonly Call[];
}

/** Everything it leads to; text and picture are made from it. */
export interface Outcome extends Trace {
  readonly vfs: readonly Entry[] | undefined;
}

const MOST = 130;
const HELP = `npm run chapter 09 -- [--depth N] [--show PATH] [--vfs] [CALL...]

A container stands on an image; each CALL does something to its files:
  get [LAYER]  put [LAYER]     ask the driver for the layer's directory, give it back
  write PATH TEXT  append PATH TEXT  cat PATH  ls PATH
  mkdir PATH  rm PATH  mv FROM TO  chmod MODE PATH
  image PREFIX                 look up an image in the graph by the start of its id
A CALL of several words may be one argument: "write /etc/motd good morning".

  --depth N     an image of N layers, 1 to ${MOST}; default 2
  --show PATH   also tell which layers have this path, and what each has there
  --vfs         also give the same archives to the driver vfs, and list its tree
`;

/** Reads the arguments. @throws ArgumentError */
export function ask(args: readonly string[]): Asked {
  let [depth, show, vfs, at] = [2, "", false, 0];
  for (; args[at]?.startsWith("--"); at++) {
    const value = args[at + 1] ?? "";
    if (args[at] === "--vfs") vfs = true;
    else if (args[at] === "--depth" && /^[1-9]\d{0,2}$/.test(value) && Number(value) <= MOST)
      depth = Number(args[++at]);
    else if (args[at] === "--show" && value !== "") show = value.replace(/^\/+|\/+$/g, "");
    else throw new ArgumentError(`Cannot read ${[args[at], value].join(" ").trim()}: see --help`);
    if (args[at] === "--show") at++;
  }
  const lines = args.slice(at);
  return { depth, show, vfs, calls: readLines(lines.length > 0 ? lines : example) };
}

/** A machine of 2014 whose kernel has aufs. */
export function demoHost() {
  return memoryHost({
    files: { "/proc/filesystems": "nodev\tproc\nnodev\taufs\n\text4\n" },
    exec: { modprobe: {}, auplink: {} },
  });
}

/** Does what was asked for, in a world of its own. */
export async function follow(asked: Asked): Promise<Outcome> {
  const session = await Session.open("/var/lib/docker", demoHost(), asked.depth);
  const trace = await session.run(asked.calls);
  const vfs = asked.vfs && trace.end === "" ? await session.underVfs() : undefined;
  await session.close();
  return { ...trace, vfs };
}

/** Columns under a head, each as wide as it must be. */
function columns(rows: readonly (readonly string[])[], indent = "  "): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)) + 2);
  const line = (row: readonly string[]) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("");
  return rows.map((row) => `${indent}${line(row).trimEnd()}\n`).join("");
}

/** Rows of layers, of which many in the middle are alike. */
function some<T>(rows: readonly T[], gap: (left: number) => T): T[] {
  return rows.length <= 7 ? [...rows] : [...rows.slice(0, 3), gap(rows.length - 5), ...rows.slice(-2)];
}

function disk({ layers }: Trace): string {
  const count = ({ diff }: Layer) => {
    const [all, marks] = [
      diff.filter(({ path }) => !isOwn(path)),
      diff.filter(({ path }) => /(^|\/)\.wh\./.test(path)),
    ];
    const whiteouts = marks.filter(({ path }) => !isOwn(path)).length;
    const entries = all.length - whiteouts;
    return `${entries} ${entries === 1 ? "entry" : "entries"}${whiteouts > 0 ? `, ${whiteouts} whiteout${whiteouts > 1 ? "s" : ""}` : ""}`;
  };
  const rows = layers.map((layer) => {
    const below = layer.below.map(short);
    const lines = below.length > 5 ? [...below.slice(0, 2), `(${below.length - 3} more)`, ...below.slice(-1)] : below;
    const graph = layer.graph.map(({ name, text }) => (name === "layersize" ? `layersize=${text}` : name));
    return [short(layer.id), graph.join(" ") || "-", lines.join(" ") || "(empty)", count(layer)];
  });
  const head = ["layer", "graph/<id>/", "aufs/layers/<id>", "aufs/diff/<id>/"];
  return columns([head, ...some(rows, (left) => [`(${left} more)`, "", "", ""])]);
}

function told(step: Step): string {
  const lines =
    step.mounts.length > 6
      ? [...step.mounts.slice(0, 3), `… ${step.mounts.length - 4} more …`, ...step.mounts.slice(-1)]
      : step.mounts;
  const own = step.changes.filter((change) => !isOwn(change.slice(2)));
  const hidden = step.changes.length - own.length;
  return [
    `> ${step.line}`,
    ...lines.map(
      (text) =>
        `    ${text.length > 400 ? `${text.slice(0, 180)} … ${text.slice(-60)} (${text.length} characters)` : text}`,
    ),
    ...step.said.map((text) => `    ${text}`),
    ...(step.error === "" ? [] : [`    ${step.error}`]),
    ...(hidden > 0 ? [`    ${step.changes[0]?.[0]} diff/${short(CODE)}/.wh..wh.*, aufs's own`] : []),
    ...own.map((change) => `    ${change.slice(0, 2)}diff/${short(CODE)}/${change.slice(2)}`),
    ...(step.mounted || /^(get|put|image)\b/.test(step.line)
      ? []
      : [`    nothing is mounted: this met the directory mnt/${short(CODE)} itself`]),
    ...(step.references === undefined ? [] : [`    references: ${step.references}`]),
    "",
  ].join("\n");
}

function view({ mounted, shown, hidden }: Trace): string {
  if (!mounted) return `Nothing is mounted at mnt/${short(CODE)}.\n`;
  const rows = shown.map(({ path, layers }) => {
    const [first, ...others] = layers.map(short);
    const isDirectory = path.endsWith("/");
    return [
      path,
      isDirectory ? layers.map(short).join(" ") : (first ?? ""),
      !isDirectory && others.length > 0 ? `covers ${others.join(" ")}` : "",
    ];
  });
  const gone = hidden.map(({ path, layers, by }) => [
    path,
    layers.map(short).join(" "),
    by === undefined ? "" : `diff/${short(by.layer)}/${by.path}`,
  ]);
  return [
    `What mnt/${short(CODE)} shows, and whose it is\n`,
    columns(rows),
    ...(gone.length === 0 ? [] : ["\nWhat it hides, whose that is, and by what\n", columns(gone)]),
  ].join("");
}

const KIND: Readonly<Record<string, string>> = { "0": "file", "1": "link", "2": "symlink", "5": "dir" };

function archive({ archive: headers, changes, diffSize }: Trace): string {
  const rows = headers.map(({ type, mode, size, name, linkname }) => [
    KIND[type] ?? type,
    (mode & 0o7777).toString(8).padStart(4, "0"),
    String(size),
    type === "1" ? `${name} → ${linkname}` : name,
  ]);
  const kinds = ["C", "A", "D"];
  return [
    `The archive of the layer: what commit keeps and push sends\n${columns(rows)}`,
    `\nChanges: ${changes.map(({ kind, path }) => `${kinds[kind]} ${path}`).join(", ") || "none"}\n`,
    `DiffSize: ${diffSize}\n`,
  ].join("");
}

function closer({ layers, shown, hidden }: Trace, path: string): string {
  const found = layers.flatMap(({ id, diff }) =>
    diff
      .filter((entry) => entry.path === path || entry.path === `${path}/`)
      .map((entry) => [short(id), entry.path, entry.text]),
  );
  const by = hidden.find((one) => one.path === path || one.path === `${path}/`)?.by;
  const seen = shown.some((one) => one.path === path || one.path === `${path}/`);
  const end = seen
    ? "it is seen"
    : by === undefined
      ? "it is not there"
      : `${short(by.layer)} hides it with ${by.path}`;
  return `\n${path}: ${end}\n${columns(found)}`;
}

/** Writes the session, and what is on the disk after it. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  if (args.includes("--help")) {
    await out.write(HELP);
    return 0;
  }
  let asked: Asked;
  try {
    asked = ask(args);
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    await out.write(`${cause.message}\n`);
    return 2;
  }
  const outcome = await follow(asked);
  for (const step of outcome.steps) await out.write(told(step));
  await out.write(`\n${outcome.root}\n${disk(outcome)}`);
  if (outcome.end !== "") {
    await out.write(`\nNo container: ${outcome.end}\n`);
    return 1;
  }
  await out.write(`\n${view(outcome)}\n${archive(outcome)}`);
  if (asked.show !== "") await out.write(closer(outcome, asked.show));
  if (outcome.vfs !== undefined)
    await out.write(
      `\nThe same archives under vfs: dir/${short(CODE)}\n  ${outcome.vfs.map(({ path }) => path).join("  ")}\n`,
    );
  return outcome.steps.some(({ error }) => error !== "") ? 1 : 0;
}

/** For those who draw: the layers there are, and the names of all calls. */
export { imageIds, names };
