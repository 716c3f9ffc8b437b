/**
 * ADD and COPY: files of the context, or of the web, become files of the image.
 *
 * @origin daemon/build.go
 * @module
 */

import posix from "node:path/posix";
import { fromText } from "../../archive/byte-string.ts";
import { BadRequestError, SystemError } from "../../errdefs/errdefs.ts";
import { isUrl } from "../../utils/utils.ts";
import { withRootfs } from "../cleanup.ts";
import type { BuildFile } from "./build-file.ts";
import { copyIn, type Source } from "./copy-in.ts";
import { trim } from "./dockerfile.ts";
import { replaceEnvMatches } from "./expand.ts";
import { type Found, findInContext } from "./in-context.ts";
import { fetchFile } from "./remote-file.ts";

/** @origin daemon/build.go (*buildFile).CmdAdd */
export function add(build: BuildFile, args: string): Promise<void> {
  return contextCommand(build, args, "ADD");
}

/** @origin daemon/build.go (*buildFile).CmdCopy */
export function copy(build: BuildFile, args: string): Promise<void> {
  return contextCommand(build, args, "COPY");
}

/** What is to be copied, and what the cache knows it by; without a sum the cache does not count. */
interface Wanted {
  readonly source: Source;
  readonly sum: string;
}

/** @origin daemon/build.go (*buildFile).runContextCommand */
async function contextCommand(build: BuildFile, args: string, name: "ADD" | "COPY"): Promise<void> {
  const blank = args.indexOf(" ");
  if (blank < 0) throw new SystemError(`Invalid ${name} format`);
  const expand = (text: string) => replaceEnvMatches(trim(text, " \t"), build.config.Env ?? []);
  const [orig, dest] = [expand(args.slice(0, blank)), expand(args.slice(blank + 1))];
  await checkForm(build, name, orig, dest);
  if (!isUrl(orig)) {
    const wanted = await inContext(build, orig, name === "ADD");
    return copyStep(build, wanted, `${name} ${orig} in ${dest}`, `${name} ${wanted.sum} in ${dest}`, dest);
  }
  if (name === "COPY") throw new BadRequestError("Source can't be an URL for COPY");
  const file = await fetchFile(build.daemon.host, orig, dest, build.signal);
  try {
    await copyStep(build, file, `${name} ${orig} in ${dest}`, `${name} ${file.sum} in ${dest}`, dest);
  } finally {
    await file.remove();
  }
}

/**
 * Refuses forms of later versions: 1.2.0 takes everything behind the first blank for the destination, blanks and all.
 *
 * @deviation 1.2.0 makes a strange directory without a word, or misses a file of a strange name.
 */
async function checkForm({ context, daemon }: BuildFile, name: string, orig: string, dest: string): Promise<void> {
  const isThere = async (path: string) =>
    findInContext(daemon.host.fs, context.root, path).then(
      (found) => found.path !== "",
      () => false,
    );
  const refuse = (later: string) => {
    throw new SystemError(`Invalid ${name} format: one source and one destination; ${later}`);
  };
  if (orig.startsWith("--") && !(await isThere(orig))) refuse("options came with Docker 17.05");
  if (orig.startsWith('["') && !(await isThere(orig))) refuse("the JSON form came with Docker 1.5");
  const blank = dest.search(/\s/);
  if (blank < 0) return;
  if (/\s\//.test(dest) || (await isThere(dest.slice(0, blank)))) refuse("several sources came with Docker 1.3");
}

async function inContext({ context, daemon }: BuildFile, orig: string, unpack: boolean): Promise<Wanted> {
  const { fs, hash } = daemon.host;
  const found = await findInContext(fs, context.root, orig);
  return {
    source: { path: posix.join(context.root, found.path), info: found.info, name: posix.basename(orig), unpack },
    sum: sumOf(found, context.sums, () => hash("sha256")),
  };
}

/**
 * What the content of a path is known by.
 *
 * @param sums - of the entries of the context
 * @returns `file:<sum>`; for a directory `dir:` and the sum of all sums below it; `""` when nothing is known
 * @origin daemon/build.go (*buildFile).runContextCommand
 * @deviation A link is known by what it leads to; 1.2.0 takes the sum of the link itself, and the cache does not notice
 *   when the file behind it changes.
 */
export function sumOf(
  { path, info }: Found,
  sums: ReadonlyMap<string, string>,
  sha256: () => { update(text: string): { hex(): string } },
): string {
  if (!info.isDirectory()) {
    const sum = sums.get(fromText(path));
    return sum === undefined ? "" : `file:${sum}`;
  }
  // As in 1.2.0 by the beginning of the text: what is in `dx` belongs to `d`, too.
  const prefix = posix.join("/", fromText(path));
  const below = [...sums].filter(([name]) => posix.join("/", name).startsWith(prefix)).map(([, sum]) => sum);
  return `dir:${sha256().update(below.sort().join(",")).hex()}`;
}

/**
 * @param comment - how the step is called where the cache is not used
 * @param known - the same with the sum of the content
 * @origin daemon/build.go (*buildFile).runContextCommand, addContext
 * @deviation The files go right into the layer of the image, when nobody may look at the container afterwards; 1.2.0 writes
 *   them into the container's layer and copies that.
 */
async function copyStep(
  build: BuildFile,
  { source, sum }: Wanted,
  comment: string,
  known: string,
  dest: string,
): Promise<void> {
  build.wantImage("commit");
  const { daemon, settings, signal } = build;
  const text = settings.useCache ? known : comment;
  await build.withCommand(["/bin/sh", "-c", `#(nop) ${text}`], async (command) => {
    if (sum !== "" && (await build.probeCache())) return;
    const fill = (root: string) => copyIn(daemon.host, root, source, dest, signal);
    if (build.keepsContainers) {
      const container = await build.create();
      await withRootfs(daemon, container, fill);
      return build.commitImage(
        { id: container.id, layer: daemon.driver.diff(container.id, `${container.id}-init`) },
        command,
      );
    }
    const id = await build.createId();
    await build.commitImage({ id, fill: (made) => withLayer(build, made, fill) }, command);
  });
}

/** Mounts a layer while `work` runs. */
async function withLayer({ daemon }: BuildFile, id: string, work: (root: string) => Promise<void>): Promise<void> {
  const root = await daemon.driver.get(id);
  try {
    await work(root);
  } finally {
    await daemon.driver.put(id);
  }
}
