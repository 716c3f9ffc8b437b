/**
 * Recorded command lines of the 1.2.0 client, and what ours prints brought into the same form.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "./docker.ts";

/** A usage screen, without its prose. */
export interface HelpScreen {
  readonly stream: "stdout" | "stderr";
  readonly usage: string;
  readonly flags: readonly { readonly names: readonly string[]; readonly default: string }[];
  readonly commands?: readonly string[];
}

/** One recorded command line. */
export interface CliRecord {
  readonly id: string;
  readonly title?: string;
  readonly argv: readonly string[];
  readonly stdin: string | null | { readonly $file: string } | { readonly $tar: unknown };
  readonly env: Readonly<Record<string, string>>;
  readonly before?: readonly {
    readonly sleep?: number;
    readonly host?: string;
    readonly files?: Record<string, string>;
  }[];
  /** Exit status; below zero, the signal. */
  readonly exit: number;
  readonly stdout: string | { readonly $tar: unknown } | null;
  readonly stderr: string;
  readonly help?: HelpScreen;
  readonly sorted?: boolean;
  readonly table?: boolean;
  readonly tty?: {
    readonly rows: number;
    readonly cols: number;
    readonly input?: readonly string[];
    readonly after?: number;
  };
  readonly signal?: { readonly after: number; readonly signal: NodeJS.Signals };
  readonly endedBy?: string;
  readonly note?: string;
  readonly unstable?: boolean;
  readonly goText?: boolean;
}

const FILE = join(import.meta.dirname, "../golden/records/cli-1.2.0.jsonl");

/** The command lines of one scenario, in order. */
export function cliRecords(scenario: string): CliRecord[] {
  return readFileSync(FILE, "utf8")
    .split("\n")
    .filter((line) => line.includes(`"scenario": "${scenario}"`))
    .map((line) => JSON.parse(line) as CliRecord);
}

/**
 * The texts of the newer Go the records were made with, as Go 1.3 wrote them: requests without quotes and escapes,
 * dialling without the system call's name.
 */
export function asGo13(text: string): string {
  return text
    .replace(
      /(Get|Post|Delete) "(https?):\/\/([^"/?]*)([^"]*)"/g,
      (_, verb: string, scheme: string, host: string, rest: string) => {
        return `${verb} ${scheme}://${decodeURIComponent(host)}${rest.replace(/\?$/, "")}`;
      },
    )
    .replaceAll(": connect: ", ": ")
    .replaceAll("strconv.Atoi:", "strconv.ParseInt:");
}

/** Times of log lines, written as in the records. */
export function withoutTimes(text: string): string {
  return text.replace(/(?<!\d)\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\b/g, "<time>");
}

/** Columns as the records have them: two blanks or more become three. */
export function asTable(text: string): string {
  return text
    .split("\n")
    .map((line) => line.replace(/ {2,}/g, "   "))
    .join("\n");
}

const USAGE = /^(?:Usage:? .*$)/m;

/** Takes the usage screen out of what was printed. */
export function splitHelp({ stderr }: Pick<Outcome, "stderr">): { stderr: string; help: HelpScreen | undefined } {
  const match = USAGE.exec(stderr);
  if (!match) return { stderr, help: undefined };
  const screen = stderr.slice(match.index);
  const flags = [...screen.matchAll(/^ {1,2}(-.*?)=("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^\s:]*)/gm)].map(
    ([, names = "", value = ""]) => ({
      names: names.split(", "),
      default: value,
    }),
  );
  const commands = screen.includes("\nCommands:\n")
    ? [...screen.matchAll(/^ {4}(\S+) /gm)].map(([, name = ""]) => name)
    : undefined;
  return {
    stderr: `${stderr.slice(0, match.index)}<help>`,
    help: { stream: "stderr", usage: match[0], flags, ...(commands ? { commands } : {}) },
  };
}
