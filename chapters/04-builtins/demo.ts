/**
 * Steps through a start and shows how the engine's table of names grows.
 *
 * The real installers run, on a machine in memory. Beside the size of our table stands that of 1.2.0; a name that is not
 * here yet is named, and both are computed.
 *
 * @module
 */

import type { Writer } from "../../src/sync/io.ts";
import { CALLS, CATALOGUE } from "./catalogue.ts";
import { type Answer, detailOf, follow, type Network, type Step } from "./trace.ts";
import { BadWordError, HELP, readWishes, type Wishes } from "./wishes.ts";

const WIDTH = 78;

/** Words in lines, five columns in. */
export function wrapped(words: readonly string[]): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || `     ${last} ${word}`.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return indented(lines.join("\n"), "     ");
}

/** The same in front of each line. */
function indented(text: string, by: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `${by}${line}\n`)
    .join("");
}

/** What a step registered: by the five parts for the builtins, in one list for the others. */
function namesText({ added, parts }: Step): string {
  if (parts.length === 1) return wrapped(added);
  return parts
    .map((part) => {
      const names = added.filter((name) => CATALOGUE.some((entry) => entry.name === name && entry.part === part));
      return `     ${CALLS[part].padEnd(35)}${names.join(" ")}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join("");
}

function stepText(step: Step, number: number): string {
  const { call, original, size, missing, skipped } = step;
  const here = size === original ? "" : `  (here ${size})`;
  const head = `${number}  ${call.padEnd(37)}${String(original).padStart(3)}${here}\n`;
  if (skipped) return `${head}     does not run: there is to be no network\n`;
  const gap = missing.length === 0 ? "" : wrapped(["not here yet:", ...missing]);
  return head + namesText(step) + gap;
}

function networkText({ bridge, address, rules, forwarding, bridgeIP }: Network): string {
  const lines = [
    `bridge ${bridge}, ${address}; httpapi.bridgeIP ${bridgeIP}; ip_forward ${forwarding ? "1" : "as it was"}`,
    ...rules,
  ];
  return indented(lines.join("\n"), "   | ");
}

/** The first and the last event tell enough. */
function answerText({ word: { job, value }, text }: Answer): string {
  const head = `${job}${value === "" ? "" : ` ${value.replace(/:.*/, ":…")}`}\n`;
  if (job !== "events") return `${head}${indented(text, "  ")}`;
  const events = text.split(/(?<=\})(?=\{)/).filter((event) => event !== "");
  const shown = events.length > 2 ? [events[0] ?? "", "…", events.at(-1) ?? ""] : events;
  return `${head}${shown.map((event) => `  ${event}\n`).join("")}  events: ${events.length}\n`;
}

function detailText(name: string): string {
  const detail = detailOf(name);
  if (detail === undefined) return `${name}: no handler of 1.2.0 has this name\n`;
  const { part, registered, handler, defined, routes } = detail;
  return [
    `${name}`,
    `  registered by  ${CALLS[part]}, ${registered}`,
    `  runs           ${handler}, ${defined}`,
    `  routes         ${routes.length === 0 ? "none: only other code runs it" : routes.join(", ")}`,
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** Writes what happens; the arguments are flags of the daemon and the words of {@link HELP}. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  if (args.includes("--help")) {
    await out.write(HELP);
    return 0;
  }
  let wishes: Wishes;
  try {
    wishes = readWishes(args);
  } catch (cause) {
    if (!(cause instanceof BadWordError)) throw cause;
    await out.write(`${cause.message}\n`);
    return 2;
  }
  const { steps, network, answers, log, failed, end, status } = await follow(wishes);
  const parts = steps.length === 0 ? [] : [`docker ${["-d", ...wishes.flags].join(" ")}\n\n`];
  steps.forEach((step, i) => {
    parts.push(stepText(step, i + 1));
    if (i === 2 && network !== undefined) parts.push(networkText(network));
  });
  if (failed !== "") parts.push(`   ${failed} fails: ${end}\n`);
  else if (end !== "") parts.push(`${end}\n`);
  if (log !== "" && (failed !== "" || wishes.flags.includes("-D"))) parts.push(`\n${log}`);
  for (const answer of answers) parts.push(`\n${answerText(answer)}`);
  if (wishes.name !== undefined) parts.push(`\n${detailText(wishes.name)}`);
  for (const part of parts) await out.write(part);
  return status;
}
