/**
 * The picture of chapter 00: the map, with the way of one command over it.
 *
 * Positions are in per cent of the width and type is in pixels: the map keeps its letters on a narrow page.
 *
 * @module
 */

import { esc, type Kind, button as link, table } from "../lib/draw.ts";
import type { Args, Language, Live, Text } from "../lib/live.ts";
import { example, type Request, read, visits, write } from "./demo.ts";
import { type ModuleName, modules } from "./modules.ts";
import { follow, type Step, type Trace } from "./trace.ts";

const words = {
  way: { en: "The way, step by step", zh: "逐步的路径" },
  number: { en: "step", zh: "步" },
  from: { en: "from → to", zh: "从 → 到" },
  what: { en: "what", zh: "内容" },
  output: { en: "What the command printed", zh: "命令的输出" },
  status: { en: "exit status", zh: "退出状态" },
  endless: { en: "it goes on", zh: "仍在运行" },
  silent: { en: "The daemon hears nothing of it.", zh: "Daemon 对此一无所知。" },
  times: { en: "times", zh: "次" },
  inGo: { en: "in Go", zh: "Go 源码" },
  here: { en: "here", zh: "本项目" },
  chapter: { en: "chapter", zh: "章" },
  passed: { en: "passed through it", zh: "经过它的" },
  process: { en: "docker -d", zh: "docker -d" },
  inside: { en: "the daemon, one process", zh: "Daemon，一个进程" },
  none: { en: "nothing, for this command", zh: "这条命令没有经过它" },
} satisfies Record<string, Text>;

/** Measures of the map. */
const ROW = 80;
const BOX = 48;
const CENTRES = [17, 50, 83] as const;
const HALF = 15;

const pc = (value: number): string => `${Math.round(value * 100) / 100}%`;
const top = (row: number): number => 6 + row * ROW;

/** Where an arrow leaves a box and where it arrives, in per cent and pixels. */
function ends(from: ModuleName, to: ModuleName): { x1: number; y1: number; x2: number; y2: number } {
  const [[c1, r1], [c2, r2]] = [modules[from].at, modules[to].at];
  const [x1, x2] = [CENTRES[c1] ?? 50, CENTRES[c2] ?? 50];
  if (r1 === r2) {
    const side = x2 > x1 ? 1 : -1;
    return { x1: x1 + side * HALF, x2: x2 - side * (HALF + 0.6), y1: top(r1) + BOX / 2, y2: top(r2) + BOX / 2 };
  }
  // There and back beside each other.
  const shift = r1 > r2 ? 4 : 0;
  if (r2 > r1) return { x1, x2, y1: top(r1) + BOX, y2: top(r2) - 2 };
  return { x1: x1 + shift, x2: x2 + shift, y1: top(r1), y2: top(r2) + BOX + 2 };
}

/** The pieces of a step's way: one for each pair of modules. */
const legs = ({ path }: Step): [ModuleName, ModuleName][] => path.slice(1).map((to, i) => [path[i] as ModuleName, to]);

function arrows(steps: readonly Step[], current: Step | undefined): string[] {
  const known = new Map<string, { from: ModuleName; to: ModuleName; now: boolean }>();
  for (const step of steps) {
    for (const [from, to] of legs(step)) {
      const before = known.get(`${from} ${to}`)?.now ?? false;
      known.set(`${from} ${to}`, { from, to, now: before || step === current });
    }
  }
  return [...known.values()].map(({ from, to, now }) => {
    const { x1, y1, x2, y2 } = ends(from, to);
    const kind = now ? "pick" : "run";
    return `<line class="line k-${kind}" x1="${pc(x1)}" y1="${y1}" x2="${pc(x2)}" y2="${y2}" marker-end="url(#map-head-${kind})"${now ? ' style="stroke-width:3"' : ""}/>`;
  });
}

function head(kind: "run" | "pick"): string {
  return `<marker id="map-head-${kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path class="head k-${kind}" d="M0,0 L10,5 L0,10 z"/></marker>`;
}

function box(name: ModuleName, request: Request, times: number, now: boolean, language: Language): string {
  const { name: title, at, about, go } = modules[name];
  const x = CENTRES[at[0]] ?? 50;
  const y = top(at[1]);
  const chosen = request.module === name;
  const kind: Kind = chosen || now ? "pick" : times > 0 ? "run" : "quiet";
  // What is no module of Docker's has round corners.
  const round = go === "" ? 22 : 4;
  const count = times === 0 ? "" : `×${times}`;
  const body = [
    `<rect class="box k-${kind}" x="${pc(x - HALF)}" y="${y}" width="${pc(2 * HALF)}" height="${BOX}" rx="${round}"/>`,
    `<text class="t t-title" x="${pc(x)}" y="${y + (count === "" ? 29 : 22)}" text-anchor="middle" style="font-size:12px">${esc(title[language])}</text>`,
    count === "" ? "" : `<text class="t t-small" x="${pc(x)}" y="${y + 39}" text-anchor="middle">${count}</text>`,
  ];
  const args = write({ ...request, module: chosen ? undefined : name });
  const said = `${title[language]}: ${about[language]}`;
  return `<g class="hot" role="button" tabindex="0" data-args="${esc(JSON.stringify(args))}" aria-label="${esc(said)}"><title>${esc(said)}</title>${body.join("")}</g>`;
}

/** What is one process: everything but the client above and the world below. */
function frame(language: Language): string[] {
  const [y, end] = [top(1) - 14, top(4) + BOX + 14];
  return [
    `<rect class="box k-quiet dashed" x="0.5%" y="${y}" width="99%" height="${end - y}" rx="8" style="fill:none"/>`,
    `<text class="t t-title" x="2%" y="${y + 26}">${esc(say("process", language))}</text>`,
    `<text class="t t-small" x="2%" y="${y + 44}" style="font-size:11px">${esc(say("inside", language))}</text>`,
  ];
}

function map(request: Request, trace: Trace, language: Language): string {
  const steps = trace.steps.slice(0, request.upTo);
  const current = request.upTo === undefined ? undefined : steps.at(-1);
  const counts = visits(steps);
  const names = Object.keys(modules) as ModuleName[];
  const height = top(5) + BOX + 10;
  return [
    `<svg class="live-svg" width="100%" style="width:100%;height:${height}px" role="group" aria-label="${esc(live.caption[language])}">`,
    `<defs>${head("run")}${head("pick")}</defs>`,
    `<rect width="100%" height="${height}" rx="6" style="fill:var(--live-paper)"/>`,
    ...frame(language),
    ...arrows(steps, current),
    ...names.map((name) => box(name, request, counts.get(name) ?? 0, current?.path.includes(name) ?? false, language)),
    "</svg>",
  ].join("\n");
}

const say = (what: keyof typeof words, language: Language): string => words[what][language];

/** What a module is, and what it did. */
function card(request: Request, steps: readonly Step[], language: Language): string {
  if (request.module === undefined) return "";
  const { name, about, go, here, files, chapters } = modules[request.module];
  const did = steps.filter(({ path }) => request.module !== undefined && path.includes(request.module));
  const folder = `<a href="https://github.com/moby/moby/tree/v1.2.0/${go}">${esc(go)}</a>`;
  const rows: { cells: (string | { html: string })[] }[] = [{ cells: [name[language], about[language]] }];
  if (go !== "") rows.push({ cells: [say("inGo", language), { html: folder }] });
  if (here !== "") rows.push({ cells: [say("here", language), `${here}: ${files.join(", ")}`] });
  if (chapters.length > 0) rows.push({ cells: [say("chapter", language), chapters.join(", ")] });
  const passed = did.length === 0 ? say("none", language) : did.map(({ what }) => what).join(" · ");
  rows.push({ cells: [say("passed", language), passed] });
  return table(["", ""], rows);
}

function steps(request: Request, trace: Trace, language: Language): string {
  if (trace.steps.length === 0) return `<p>${esc(say("silent", language))}</p>`;
  const rows = trace.steps.map(({ path, what }, i) => {
    const args = write({ ...request, upTo: i + 1 });
    const now = request.upTo === i + 1;
    const number = { html: link(args, String(i + 1), `${say("number", language)} ${i + 1}`) };
    const way = path.map((name) => modules[name].name[language]).join(" → ");
    const kind: Kind = now ? "pick" : request.upTo !== undefined && i >= request.upTo ? "quiet" : "run";
    return { cells: [number, way, what], ...(kind === "run" ? {} : { kind }) };
  });
  const headings = (["number", "from", "what"] as const).map((what) => say(what, language));
  return `<details open><summary>${esc(say("way", language))}</summary>${table(headings, rows)}</details>`;
}

function printed(trace: Trace, language: Language): string {
  const lines = trace.output.split("\n").filter((line) => line.trim() !== "");
  const end = trace.status === undefined ? say("endless", language) : `${say("status", language)} ${trace.status}`;
  return table(
    [say("output", language)],
    [...lines.map((line) => ({ cells: [line] })), { cells: [end], kind: "note" }],
  );
}

const change = (args: Args, changes: Partial<Request>): Args => write({ ...read(args), ...changes });

/** The chapter's picture and its controls. */
export const live: Live = {
  example,
  presets: [
    { label: { en: "docker pull busybox", zh: "docker pull busybox" }, args: example },
    {
      label: { en: "docker run, the image is there", zh: "docker run（镜像已在本地）" },
      args: ["--prepared", "run", "busybox", "echo", "hi"],
    },
    {
      label: { en: "docker run, nothing is there", zh: "docker run（本地什么也没有）" },
      args: ["run", "busybox", "echo", "hi"],
    },
    { label: { en: "docker version", zh: "docker version" }, args: ["version"] },
    { label: { en: "docker images", zh: "docker images" }, args: ["--prepared", "images"] },
    { label: { en: "a command that is none", zh: "不存在的命令" }, args: ["nope"] },
  ],
  controls: [
    {
      kind: "range",
      label: { en: "up to step (0: all of them)", zh: "走到第几步（0：全部）" },
      min: 0,
      max: 45,
      step: 1,
      unit: "",
      read: (args) => read(args).upTo ?? 0,
      write: (args, upTo) => change(args, { upTo: upTo === 0 ? undefined : upTo }),
    },
    {
      kind: "text",
      label: { en: "docker", zh: "docker" },
      size: 28,
      read: (args) => read(args).command.join(" "),
      write: (args, text) => change(args, { command: text.trim().split(/\s+/), upTo: undefined }),
    },
    {
      kind: "switch",
      label: { en: "the image is on the machine", zh: "镜像已在本地" },
      read: (args) => read(args).prepared,
      write: (args, prepared) => change(args, { prepared, upTo: undefined }),
    },
  ],
  caption: {
    en: "The modules of Docker 1.2.0, and the way of one command over them. Choose a module to see what it is.",
    zh: "Docker 1.2.0 的模块，以及一条命令走过的路。点一个模块，看它是什么。",
  },
  async draw(args, language) {
    const request = read(args);
    const trace = await follow(request.command, request.prepared);
    const parts = [
      map(request, trace, language),
      card(request, trace.steps.slice(0, request.upTo), language),
      steps(request, trace, language),
      printed(trace, language),
    ];
    return parts.filter((part) => part !== "").join("\n");
  },
};
