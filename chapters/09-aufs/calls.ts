/**
 * What a reader may do to the files of a container, one line each.
 *
 * @module
 */

import { dirname, join, normalize } from "node:path/posix";
import type { FileSystem } from "../../src/host/host.ts";

/** Arguments nobody can make sense of. */
export class ArgumentError extends Error {}

/** A line of the session. */
export interface Call {
  /** As it is echoed. */
  readonly line: string;
  readonly name: string;
  readonly words: readonly string[];
}

/** How many words follow each name, at least and at most. */
const WORDS: Readonly<Record<string, readonly [number, number]>> = {
  get: [0, 1],
  put: [0, 1],
  image: [1, 1],
  write: [2, 2],
  append: [2, 2],
  cat: [1, 1],
  ls: [1, 1],
  mkdir: [1, 1],
  rm: [1, 1],
  mv: [2, 2],
  chmod: [2, 2],
};

/** The last word of these may hold blanks. */
const WITH_TEXT = ["write", "append"];

/** Names of what can be done. */
export const names = Object.keys(WORDS);

/** Reads one line, given as a whole. @throws ArgumentError */
export function readLine(line: string): Call {
  const [name = "", ...rest] = line.trim().split(/\s+/);
  const [least, most] = WORDS[name] ?? [];
  if (least === undefined || most === undefined)
    throw new ArgumentError(`Cannot read "${line}": no such call; there are ${names.join(", ")}`);
  const words = WITH_TEXT.includes(name) ? [...rest.slice(0, 1), rest.slice(1).join(" ")].filter(Boolean) : rest;
  if (words.length < least || words.length > most) {
    const many = least === most ? `${least}` : `${least} or ${most}`;
    throw new ArgumentError(`Cannot read "${line}": ${name} takes ${many} word${many === "1" ? "" : "s"}`);
  }
  if (name === "chmod" && !/^[0-7]{3,4}$/.test(words[0] ?? ""))
    throw new ArgumentError(`Cannot read "${line}": a mode is three or four octal digits`);
  return { line: [name, ...words].join(" "), name, words };
}

/**
 * Reads the lines of a session: an argument with a blank in it is one line, otherwise a name and the words it takes.
 *
 * @throws ArgumentError
 */
export function readLines(args: readonly string[]): Call[] {
  const calls: Call[] = [];
  for (let at = 0; at < args.length; ) {
    const arg = args[at] ?? "";
    const [least = 0, most = 0] = WORDS[arg] ?? [];
    let length = 1 + least;
    // A word that may be left out is there when it is no name and no line.
    const next = args[at + length];
    if (least < most && next !== undefined && WORDS[next] === undefined && !next.includes(" ")) length++;
    calls.push(readLine(arg.includes(" ") ? arg : args.slice(at, at + length).join(" ")));
    at += arg.includes(" ") ? 1 : length;
  }
  return calls;
}

/** Does what a line says to the files below a directory. @returns what it prints */
export async function act(fs: FileSystem, root: string, { name, words }: Call): Promise<string[]> {
  const at = (word = "/") => join(root, normalize(`/${word}`));
  const [first = "", second = ""] = words;
  switch (name) {
    case "write":
      await fs.writeFile(at(first), `${second}\n`, { mode: 0o644 });
      return [];
    case "append":
      await fs.appendFile(at(first), `${second}\n`, { mode: 0o644 });
      return [];
    case "cat":
      return (await fs.readFile(at(first), "utf8")).trimEnd().split("\n");
    case "ls":
      return [(await fs.readdir(at(first))).sort().join("  ")];
    case "mkdir":
      await fs.mkdir(at(first), { mode: 0o755 });
      return [];
    case "rm":
      await fs.rm(at(first), { recursive: true });
      return [];
    case "chmod":
      await fs.chmod(at(second), Number.parseInt(first, 8));
      return [];
    default:
      return move(fs, at(first), at(second));
  }
}

/** As mv(1): what cannot be renamed is copied, and removed where it was. */
async function move(fs: FileSystem, from: string, to: string): Promise<string[]> {
  const isDirectory = await fs.stat(to).then(
    (info) => info.isDirectory(),
    () => false,
  );
  const target = isDirectory ? join(to, from.slice(dirname(from).length)) : to;
  try {
    await fs.rename(from, target);
    return [];
  } catch (cause) {
    if ((cause as { code?: string }).code !== "EXDEV") throw cause;
  }
  await copy(fs, from, target);
  await fs.rm(from, { recursive: true });
  return ["rename: EXDEV; mv copied it, and removed what was there"];
}

async function copy(fs: FileSystem, from: string, to: string): Promise<void> {
  const info = await fs.lstat(from);
  if (info.isDirectory()) {
    await fs.mkdir(to, { mode: info.mode & 0o7777 });
    for (const name of (await fs.readdir(from)).sort()) await copy(fs, join(from, name), join(to, name));
  } else if (info.isSymbolicLink()) await fs.symlink(await fs.readlink(from), to);
  else await fs.copyFile(from, to);
}
