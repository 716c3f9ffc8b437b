/**
 * Replays the consoles shown in the prose against the real code, in memory: no root, no network, a fixed clock.
 *
 * ```text
 * $ npm run chapter 01 -- -d     the chapter's demonstration (npm's own two lines are left out)
 * $ bin/docker -d extra          the program itself
 * $ echo $?                      the exit status of the line before
 * …                              in the output: any number of lines, not shown
 * ```
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { mainDaemon } from "../src/docker/daemon.ts";
import { main } from "../src/docker/docker.ts";
import { memoryHost, tee } from "../src/host/memory/memory.ts";
import { ExitError } from "../src/host/memory/process.ts";
import { BufferWriter, type Writer } from "../src/sync/io.ts";

/** A chapter's demonstration: writes its output and gives the exit status. */
export type Demo = (args: readonly string[], out: Writer) => Promise<number>;

/** The words of a command line; quotes keep a word together. */
export function shellWords(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/["']/g, ""));
}

async function demoOf(number: string): Promise<Demo> {
  const folder = new URL("../chapters/", import.meta.url);
  const name = readdirSync(folder).find((entry) => entry.startsWith(`${number.padStart(2, "0")}-`));
  if (name === undefined) throw new Error(`There is no chapter ${number}`);
  const loaded: { demo: Demo } = await import(/* @vite-ignore */ new URL(`${name}/demo.ts`, folder).href);
  return loaded.demo;
}

/** Runs the program in a world of its own. */
export async function runDocker(args: readonly string[], out: Writer): Promise<number> {
  const host = memoryHost({ env: { HOME: "/root" } });
  tee(host, out);
  try {
    return await main(args, host, { argv0: "docker", mainDaemon });
  } catch (cause) {
    if (cause instanceof ExitError) return cause.code;
    throw cause;
  }
}

async function runLine(line: string, last: number): Promise<{ output: string; status: number }> {
  if (line === "echo $?") return { output: `${last}\n`, status: 0 };
  const out = new BufferWriter();
  const [command, ...rest] = shellWords(line);
  if (command === "bin/docker" || command === "docker") {
    const status = await runDocker(rest, out);
    return { output: out.toString(), status };
  }
  const [, number, separator] = /^npm run chapter (\d+)(?: (--))?/.exec(line) ?? [];
  if (number === undefined) throw new Error(`cannot be replayed: ${line}`);
  const demo = await demoOf(number);
  const status = await demo(separator === undefined ? [] : rest.slice(rest.indexOf("--") + 1), out);
  return { output: out.toString(), status };
}

/** Whether lines are as shown; a line `…` stands for any number of lines. */
function matches(shown: readonly string[], real: readonly string[]): boolean {
  const [first, ...others] = shown;
  if (first === undefined) return real.length === 0;
  if (first === "…") {
    for (let skip = 0; skip <= real.length; skip++) if (matches(others, real.slice(skip))) return true;
    return false;
  }
  return real[0] === first && matches(others, real.slice(1));
}

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());

/** How a shown console differs from what happens now. */
export async function replayFence(body: string): Promise<string[]> {
  const faults: string[] = [];
  let last = 0;
  for (const part of body.split(/^(?=\$ )/m)) {
    const [line = "", ...shown] = part.trimEnd().split("\n");
    if (!line.startsWith("$ ")) return [`does not begin with a command: ${line}`];
    try {
      const { output, status } = await runLine(line.slice(2), last);
      last = status;
      const real = output === "" ? [] : linesOf(output);
      if (
        !matches(
          shown.map((text) => text.trimEnd()),
          real,
        )
      ) {
        const at = real.findIndex((text, i) => text !== shown[i]?.trimEnd());
        faults.push(`"${line}" does not print this; its line ${at + 1} is now: ${real[at] ?? "(the end)"}`);
      }
    } catch (cause) {
      faults.push(cause instanceof Error ? cause.message : String(cause));
    }
  }
  return faults;
}
