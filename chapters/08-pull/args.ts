/**
 * What the reader can ask this chapter's demonstration for.
 *
 * @module
 */

import { type Fault, type Step, WAYS } from "./network.ts";
import type { Version } from "./shelf.ts";

/** Used when the reader says nothing. */
export const example = ["app:1.0", "tools:1.0"];

export const HELP = `npm run chapter 08 -- [OPTION...] [IMAGE...]

Each IMAGE is pulled by a client of its own, at most three. The registry holds
base:1.0, app:1.0, app:latest (the same image) and tools:1.0; without a tag, all tags are meant.
Without any IMAGE: ${example.join(" ")}

  --registry v1|v2    the protocol; v1 is the one of 1.2.0 (default)
  --after MS          how long after the client before it each client starts (default 30)
  --have IMAGE        this image was pulled before
  --leave CLIENT=MS   this client (1, 2, 3) goes away at this time
  --fail STEP=WAY[:N] something goes wrong, N times
      STEP of v1: ping index tags ancestry json layer     of v2: ping manifest config layer
      WAY: 401 404 500   the registry answers that           (default: always)
           refused       nobody takes the connection         (default: once)
           cut           the body breaks off in the middle   (default: once)
           silent        half a body, then not a byte more   (default: once)
           slow          ten times slower                    (default: always)
           corrupt       one byte of the body is another     (default: always)
`;

const STEPS: Record<Version, readonly Step[]> = {
  v1: ["ping", "index", "tags", "ancestry", "json", "layer"],
  v2: ["ping", "manifest", "config", "layer"],
};
const ONCE: readonly string[] = ["refused", "cut", "silent"];
const ALWAYS = 1000;
const AFTER_MS = 30;

/** The steps a reader can make fail. */
export function stepsOf(version: Version): readonly Step[] {
  return STEPS[version];
}

/** Arguments nobody can make sense of. */
export class ArgumentError extends Error {}

/** What was asked for. */
export interface Asked {
  readonly version: Version;
  readonly faults: readonly Fault[];
  readonly afterMs: number;
  /** Images that are there already. */
  readonly have: readonly string[];
  /** When a client goes away, by its number. */
  readonly leave: ReadonlyMap<number, number>;
  /** One for each client, as typed. */
  readonly images: readonly string[];
}

const number = (text: string, max: number): number => {
  if (!/^\d{1,6}$/.test(text) || Number(text) > max)
    throw new ArgumentError(`${text} is no number up to ${max}: see --help`);
  return Number(text);
};

function faultOf(text: string, version: Version): Fault {
  const [, step = "", way = "", times] = /^([^=]*)=([^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (!STEPS[version].includes(step as Step)) {
    throw new ArgumentError(
      `A pull from a ${version} registry has no step "${step || text}": it has ${STEPS[version].join(", ")}`,
    );
  }
  const known = WAYS.find((name) => name === way);
  if (known === undefined) throw new ArgumentError(`Nothing fails in the way "${way}": there are ${WAYS.join(", ")}`);
  const byDefault = ONCE.includes(way) ? 1 : ALWAYS;
  return { step: step as Step, way: known, times: times === undefined ? byDefault : number(times, ALWAYS) };
}

/** Reads the arguments. @throws ArgumentError */
export function ask(args: readonly string[]): Asked {
  const values = new Map<string, string[]>();
  const images: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (!word.startsWith("-")) images.push(word);
    else if (!["--registry", "--after", "--have", "--leave", "--fail"].includes(word) || args[at + 1] === undefined) {
      throw new ArgumentError(`Cannot read ${word}: see --help`);
    } else values.set(word, [...(values.get(word) ?? []), args[++at] as string]);
  }
  if (images.length > 3) throw new ArgumentError("Three clients are enough");
  const version = values.get("--registry")?.at(-1) ?? "v1";
  if (version !== "v1" && version !== "v2") throw new ArgumentError(`There is no registry ${version}: see --help`);
  const leave = (values.get("--leave") ?? []).map((text): [number, number] => {
    const [, client = "", ms = ""] = /^([123])=(.*)$/.exec(text) ?? [];
    if (client === "") throw new ArgumentError(`Cannot read --leave ${text}: see --help`);
    return [Number(client), number(ms, 600_000)];
  });
  return {
    version,
    faults: (values.get("--fail") ?? []).map((text) => faultOf(text, version)),
    afterMs: number(values.get("--after")?.at(-1) ?? String(AFTER_MS), 600_000),
    have: values.get("--have") ?? [],
    leave: new Map(leave),
    images: images.length > 0 ? images : example,
  };
}

/** The words that ask for it, the shortest ones. */
export function argsOf(asked: Asked): string[] {
  const { version, faults, afterMs, have, leave, images } = asked;
  const faultText = ({ step, way, times }: Fault) => {
    const usual = ONCE.includes(way) ? 1 : ALWAYS;
    return `${step}=${way}${times === usual ? "" : `:${times}`}`;
  };
  return [
    ...(version === "v1" ? [] : ["--registry", version]),
    ...(afterMs === AFTER_MS ? [] : ["--after", String(afterMs)]),
    ...have.flatMap((image) => ["--have", image]),
    ...[...leave].flatMap(([client, ms]) => ["--leave", `${client}=${ms}`]),
    ...faults.flatMap((fault) => ["--fail", faultText(fault)]),
    ...(images.join(" ") === example.join(" ") ? [] : images),
  ];
}
