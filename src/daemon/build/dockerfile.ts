/**
 * From the text of a Dockerfile to its steps.
 *
 * ```text
 * lines that begin with # go, and empty ones   →   a backslash, blanks, line end: gone, nothing in their place
 * →   one step per line, tabs as blanks, trimmed   →   first word: instruction, the rest: arguments
 * ```
 *
 * @origin daemon/build.go
 * @module
 */

import { unmarshal } from "../../utils/go-json-decode.ts";

/** A line understood. */
export interface Instruction {
  /** In lower case. */
  readonly name: string;
  readonly args: string;
}

/**
 * Everything that counts as white space to Go's regular expressions. A comment between continued lines is gone before
 * they are joined.
 *
 * @origin daemon/build.go lineContinuation
 */
const lineContinuation = /\\[\t\n\f\r ]*\n/g;

/**
 * The steps of a Dockerfile, in order.
 *
 * @origin daemon/build.go (*buildFile).Build
 */
export function dockerfileLines(text: string): string[] {
  return stripComments(text)
    .replace(lineContinuation, "")
    .split("\n")
    .map((line) => trim(line.replaceAll("\t", " "), " \r"))
    .filter((line) => line !== "");
}

/** A text without these characters at its ends. Never slow, as a regular expression is with many blanks in the middle. */
export function trim(text: string, characters: string): string {
  let [start, end] = [0, text.length];
  while (start < end && characters.includes(text.charAt(start))) start++;
  while (end > start && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Leaves out empty lines and those whose first character is `#`. @origin daemon/build.go stripComments */
export function stripComments(text: string): string {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}

/**
 * Takes a step apart at its first blank.
 *
 * @returns `undefined` when there is only one word
 * @origin daemon/build.go (*buildFile).BuildStep
 */
export function parseInstruction(line: string): Instruction | undefined {
  const blank = line.indexOf(" ");
  if (blank < 0) return undefined;
  return { name: line.slice(0, blank).toLowerCase(), args: trim(line.slice(blank + 1), " ") };
}

/**
 * The words of an argument that is a JSON list of texts, as Go's decoder reads it: `null` in the list is the empty text.
 *
 * @returns `null` for the JSON `null`, `undefined` for anything that is no such list
 */
export function jsonWords(args: string): string[] | null | undefined {
  let value: unknown;
  try {
    value = unmarshal(args);
  } catch {
    return undefined;
  }
  if (value === null) return null;
  if (!Array.isArray(value) || value.some((word) => word !== null && typeof word !== "string")) return undefined;
  return value.map((word: string | null) => word ?? "");
}

/**
 * What runs for an argument: the words of a JSON list, or a shell with the text.
 *
 * @origin daemon/build.go (*buildFile).buildCmdFromJson
 */
export function commandOf(args: string): string[] | null {
  const words = jsonWords(args);
  return words === undefined ? ["/bin/sh", "-c", args] : words;
}

/** A list as 1.2.0 prints it: Go's `%v`. */
export function goList(words: readonly string[] | null): string {
  return `[${(words ?? []).join(" ")}]`;
}
