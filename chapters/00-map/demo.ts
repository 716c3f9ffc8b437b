/**
 * Runs one command of the client against a daemon in memory, and shows its way through the modules.
 *
 * @module
 */

import type { Writer } from "../../src/sync/io.ts";
import { type ModuleName, modules } from "./modules.ts";
import { follow, type Step, type Trace } from "./trace.ts";

/** What the reader asked for. */
export interface Request {
  readonly command: readonly string[];
  /** Whether the image is there before. */
  readonly prepared: boolean;
  /** Only so many steps. */
  readonly upTo?: number | undefined;
  /** A module to look at. */
  readonly module?: ModuleName | undefined;
}

/** Used when the reader gives no command. */
export const example = ["pull", "busybox"];

/** What can be given. */
export const help = `Follows a command through the modules of Docker 1.2.0. The registry has one image, busybox.

  --prepared      the image has been pulled before
  --up-to N       show the first N steps
  --module NAME   what a module is, and what it did: ${Object.keys(modules).join(", ")}
  COMMAND…        a command of the client: pull busybox, run busybox echo hi, images, ps -a, version
`;

/** A mistake in the arguments. */
export class UsageError extends Error {}

/** Reads the arguments; the command begins with the first word without a dash. @throws {UsageError} */
export function read(args: readonly string[]): Request {
  let request: Request = { command: example, prepared: false };
  const words = [...args];
  while (words[0]?.startsWith("-")) {
    const word = words.shift();
    if (word === "--prepared") request = { ...request, prepared: true };
    else if (word === "--up-to") request = { ...request, upTo: count(words.shift()) };
    else if (word === "--module") request = { ...request, module: moduleOf(words.shift()) };
    else throw new UsageError(`There is no ${word}`);
  }
  return words.length === 0 ? request : { ...request, command: words };
}

function count(text: string | undefined): number {
  if (text === undefined || !/^\d{1,3}$/.test(text)) {
    throw new UsageError(`--up-to wants a number, not ${text ?? "nothing"}`);
  }
  return Number(text);
}

function moduleOf(text: string | undefined): ModuleName {
  if (text !== undefined && Object.hasOwn(modules, text)) return text as ModuleName;
  throw new UsageError(`--module wants one of ${Object.keys(modules).join(", ")}, not ${text ?? "nothing"}`);
}

/** The arguments of a request. */
export function write({ command, prepared, upTo, module }: Request): string[] {
  return [
    ...(prepared ? ["--prepared"] : []),
    ...(upTo === undefined ? [] : ["--up-to", String(upTo)]),
    ...(module === undefined ? [] : ["--module", module]),
    ...command,
  ];
}

/** How often each module was reached. */
export function visits(steps: readonly Step[]): Map<ModuleName, number> {
  const counts = new Map<ModuleName, number>();
  // The client is where everything begins: it counts its requests.
  const reached = steps.flatMap(({ path }) => (path[0] === "client" ? path : path.slice(1)));
  for (const name of reached) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function about(name: ModuleName, steps: readonly Step[]): string[] {
  const { name: title, about: text, go, here, files, chapters } = modules[name];
  const did = steps.filter(({ path }) => path.includes(name)).map(({ what }) => `  ${what}`);
  return [
    `${title.en}: ${text.en}`,
    ...(go === "" ? [] : [`  in Go     ${go}`, `  here      ${here}: ${files.join(", ")}`]),
    ...(chapters.length === 0 ? [] : [`  chapter   ${chapters.join(", ")}`]),
    "",
    did.length === 0 ? "This command does not come here." : "What passed through it:",
    ...did,
  ];
}

/** The text of a trace. */
export function report(trace: Trace, { upTo, module }: Pick<Request, "upTo" | "module">): string[] {
  const steps = trace.steps.slice(0, upTo);
  const ways = steps.map(({ path }) => path.join(" > "));
  const width = Math.max(0, ...ways.map((way) => way.length)) + 2;
  const rows = steps.map(({ what }, i) => `${String(i + 1).padStart(3)}  ${(ways[i] ?? "").padEnd(width)}${what}`);
  const rest = trace.steps.length - steps.length;
  const reached = [...visits(steps)].map(([name, times]) => `${name} ${times}`).join(", ");
  return [
    `docker ${trace.command.join(" ")}`,
    "",
    ...(rows.length === 0 ? ["The daemon hears nothing of it."] : rows),
    ...(rest > 0 ? [`     and ${rest} more`] : []),
    "",
    ...(reached === "" ? [] : [`reached: ${reached}`, ""]),
    ...(module === undefined ? [] : [...about(module, steps), ""]),
    ...trace.output.split("\n").filter((line) => line.trim() !== ""),
    trace.status === undefined ? "and it goes on" : `exit status ${trace.status}`,
  ];
}

/** Runs the command and writes what happened. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  if (args[0] === "--help") {
    await out.write(help);
    return 0;
  }
  let request: Request;
  try {
    request = read(args);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    await out.write(`${cause.message}.\n\n${help}`);
    return 2;
  }
  const trace = await follow(request.command, request.prepared);
  await out.write(`${report(trace, request).join("\n")}\n`);
  return 0;
}
