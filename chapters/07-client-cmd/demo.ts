/**
 * Follows a command line of the client: the words, the host, TLS, the method, its flags, the request, what the daemon
 * does with it, the answer, the output, the exit status.
 *
 * @module
 */

import type { Writer } from "../../src/sync/io.ts";
import { textWidth } from "../lib/draw.ts";
import { type Step, type StepName, stepNames, stepsOf } from "./steps.ts";
import { follow, known, splitEnv, type Trace } from "./trace.ts";
import { addresses, variables } from "./world.ts";

/** Used when the reader gives no command line. */
export const example = ["pull", "-t", "14.04", "ubuntu"];

const usage = `npm run chapter 07 -- [NAME=value…] WORD…

The words are a command line of docker: pull -t 14.04 ubuntu. Commands:
  ${known.join(" ")}
(--help alone shows this; docker's own screen comes with -h.)

Before them, as in a shell:
  DOCKER_HOST=…        ${addresses.socket} (the default)
                       ${addresses.plain} plain; ${addresses.secure} TLS, wants a certificate
                       ${addresses.middle} TLS, and not the one it says it is
  HOME=/home/me        has .dockercfg and certificates; /home/bad has broken ones; /root, the default, none
  DOCKER_CERT_PATH=…   a directory of certificates
  USER=alice           may not write to the socket; root (the default) and docker may
  TTY=1                standard output is a terminal
  DEBUG=1 NORAW=1
  STEP=request         shows one step, with its place in both sources: ${stepNames.join(" ")}
`;

/** What the reader asked for: a command line, and perhaps one step of it. */
export interface Asked {
  readonly args: readonly string[];
  readonly line: readonly string[];
  readonly step: StepName | undefined;
}

/** @throws when a variable means nothing here */
export function readArgs(args: readonly string[]): Asked {
  const { env, line } = splitEnv(args.length > 0 ? args : example);
  const { STEP: step, ...others } = env;
  for (const name of Object.keys(others)) {
    if (!variables.includes(name))
      throw new Error(`${name} means nothing here. There are: ${variables.join(" ")} STEP`);
  }
  const found = stepNames.find((name) => name === step);
  if (step !== undefined && found === undefined) {
    throw new Error(`There is no step ${step}. There are: ${stepNames.join(" ")}`);
  }
  return { args: [...Object.entries(others).map(([name, value]) => `${name}=${value}`), ...line], line, step: found };
}

/** Lines of a step that are shown, and columns of a line. */
const [MOST, WIDTH] = [14, 100];

const cut = (text: string) => (text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text);

/** A text whose control characters can be seen. */
export function visible(text: string): string {
  return text.replace(/[\x00-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function stepText(step: Step, whole: boolean): string {
  const shown = whole || step.lines.length <= MOST + 1 ? step.lines : step.lines.slice(0, MOST);
  const left = step.lines.length - shown.length;
  const remarked = shown.filter(({ remark }) => remark !== undefined);
  const wide = Math.min(44, Math.max(0, ...remarked.map(({ text }) => textWidth(text, 10) / 6)));
  const texts = shown.map(({ text, remark }) => {
    // What the user sees is not cut.
    const one = step.name === "output" ? visible(text) : cut(visible(text));
    return remark === undefined ? one : `${one.padEnd(wide)}  · ${remark.en}`;
  });
  if (left > 0) texts.push(`(${left} more lines)`);
  return texts.map((text, i) => `${(i === 0 ? step.title.en : "").padEnd(9)}${text}`.trimEnd()).join("\n");
}

/** The text of a trace. */
export function report(trace: Trace, step?: StepName): string {
  const all = stepsOf(trace).filter(({ name }) => step === undefined || name === step);
  if (all.length === 0) return `The command line does not come to this step.\n`;
  const places = ({ go, ts }: Step) =>
    step === undefined
      ? ""
      : [...go.map((place) => `\n         ${place}`), ...ts.map((place) => `\n         ${place}`)].join("");
  return all.map((one) => `${stepText(one, step !== undefined)}${places(one)}\n`).join("");
}

/** Writes what becomes of a command line. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  if (args.length === 1 && args[0] === "--help") {
    await out.write(usage);
    return 0;
  }
  let asked: Asked;
  try {
    asked = readArgs(args);
  } catch (cause) {
    await out.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    return 2;
  }
  const trace = await follow(asked.args);
  const { env } = splitEnv(asked.args);
  const before = Object.entries(env).map(([name, value]) => `${name}=${value} `);
  await out.write(`${before.join("")}${["docker", ...asked.line].join(" ")}\n\n`);
  await out.write(report(trace, asked.step));
  return trace.status ?? 130;
}
