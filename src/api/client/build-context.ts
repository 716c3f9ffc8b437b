/**
 * Where the context of a build comes from: standard input, a git repository, a directory.
 *
 * @origin api/client/commands.go (*DockerCli).CmdBuild
 * @module
 */

import posix from "node:path/posix";
import { tar } from "../../archive/archive.ts";
import { fromText, toText } from "../../archive/byte-string.ts";
import { detectCompression } from "../../archive/compression.ts";
import { BLOCK_BYTES, beginsTar } from "../../archive/tar/header.ts";
import { generate } from "../../archive/wrap.ts";
import { isErrno, messageOf } from "../../errdefs/errdefs.ts";
import { errnoText, pathErrorText } from "../../errdefs/errno-text.ts";
import { match } from "../../pkg/filepath/match.ts";
import { type Reader, readAll } from "../../sync/io.ts";
import { type MatchLog, matches, validateContextDirectory } from "../../utils/context.ts";
import { isGit, isUrl } from "../../utils/utils.ts";
import { ByteSource } from "./byte-source.ts";
import type { DockerCli } from "./cli.ts";

const DOCKERFILE = "Dockerfile";

/** A context, and what has to be tidied up when it has been sent. */
export interface BuildContext {
  readonly body: Reader;
  /** Removes what was made for it. Safe to call twice. */
  close(): Promise<void>;
}

const nothing = async () => undefined;

/** Whether bytes begin an archive: compressed, or with a header of tar. @origin archive/archive.go IsArchive */
function isArchive(head: Buffer): boolean {
  return detectCompression(head) !== "none" || beginsTar(head);
}

/**
 * Standard input: an archive as it is, and anything else as the Dockerfile of a context with nothing besides.
 *
 * @deviation An archive that begins with an extended header is one; 1.2.0 looks for the whole first entry in the first 512
 *   bytes, and takes such an archive for a Dockerfile.
 */
export async function stdinContext(cli: DockerCli): Promise<BuildContext> {
  const source = new ByteSource(cli.in);
  let head = Buffer.alloc(0);
  try {
    while (head.length < BLOCK_BYTES) {
      const piece = await source.next();
      if (piece === undefined) break;
      head = Buffer.concat([head, piece]);
    }
  } catch (cause) {
    throw new Error(`failed to peek context header from STDIN: ${errnoText(cause)}`, { cause });
  }
  source.unread(head);
  if (isArchive(head)) return { body: source.rest(), close: nothing };
  try {
    return { body: generate([[DOCKERFILE, await readAll(source.rest())]]), close: nothing };
  } catch (cause) {
    throw new Error(`failed to read Dockerfile from STDIN: ${messageOf(cause)}`, { cause });
  }
}

/** Clones a repository with its submodules; the context is what is checked out. */
export async function gitContext(cli: DockerCli, address: string): Promise<BuildContext> {
  const { fs, env, exec } = cli.host;
  const whole = /^(?:git:\/\/|git@)/.test(address) || isUrl(address) ? address : `https://${address}`;
  const root = await fs.mkdtemp(posix.join(env["TMPDIR"] || "/tmp", "docker-build-git"));
  const close = () => fs.rm(root, { recursive: true, force: true });
  try {
    const ours = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const { code, signal, stdout, stderr } = await exec
      .run("git", ["clone", "--recursive", "--", whole, root], { env: Object.fromEntries(ours) })
      .catch((cause: unknown) => {
        if (!isErrno(cause, "ENOENT")) throw cause;
        throw new Error(`Error trying to use git: exec: "git": executable file not found in $PATH ()`, { cause });
      });
    if (code !== 0) {
      const how = code === undefined ? `signal: ${signal}` : `exit status ${code}`;
      throw new Error(`Error trying to use git: ${how} (${cli.show(`${stdout}${stderr}`)})`);
    }
    return { body: (await directoryContext(cli, root, address)).body, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** Whether git has to be asked for an address; an address of the web without git is left to the daemon. */
export async function needsGit(cli: DockerCli, address: string): Promise<boolean> {
  return isGit(address) && (!isUrl(address) || (await cli.host.exec.lookPath("git")) !== undefined);
}

/**
 * A directory, without what its `.dockerignore` names.
 *
 * @param named - as the user named it
 * @deviation A link to a directory counts as the directory; 1.2.0 sends the link.
 */
export async function directoryContext(cli: DockerCli, root: string, named = root): Promise<BuildContext> {
  const { fs } = cli.host;
  const there = (path: string) => fs.stat(path).then(() => true);
  await there(root).catch((cause) => {
    throw new Error(pathErrorText("stat", root, cause), { cause });
  });
  const found = await there(posix.join(root, DOCKERFILE)).catch((cause) => !isErrno(cause, "ENOENT"));
  if (!found) throw new Error(`no Dockerfile found in ${named}`);
  const excludes = await readDockerignore(cli, posix.join(root, ".dockerignore"));
  // A cloned repository may have any names in it.
  const log: MatchLog = {
    debug: (site, text) => cli.log.debug(site, cli.show(text)),
    error: (site, text) => cli.log.error(site, cli.show(text)),
  };
  try {
    await validateContextDirectory(cli.host, root, { excludes, log });
  } catch (cause) {
    const text = messageOf(cause);
    throw new Error(
      `Error checking context is accessible: '${cli.show(text)}'. Please check permissions and try again.`,
      { cause },
    );
  }
  const real = await fs.realpath(root);
  const skip = (path: string) => matches(path, excludes, log);
  return { body: tar(cli.host, real, { skip, context: true }), close: nothing };
}

/** One pattern on each line, as it stands: there are no comments, and blanks are part of a pattern. */
async function readDockerignore(cli: DockerCli, path: string): Promise<string[]> {
  let text = "";
  try {
    text = (await cli.host.fs.readFile(path)).toString("latin1");
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) {
      const operation = isErrno(cause, "EISDIR") ? "read" : "open";
      throw new Error(`Error reading .dockerignore: '${pathErrorText(operation, path, cause)}'`, { cause });
    }
  }
  const patterns = text.split("\n");
  for (const pattern of patterns) {
    let excluded: boolean;
    try {
      excluded = match(pattern, fromText(DOCKERFILE));
    } catch (cause) {
      const shown = cli.show(toText(pattern));
      throw new Error(`Bad .dockerignore pattern: '${shown}', error: ${messageOf(cause)}`, { cause });
    }
    if (excluded) throw new Error(`Dockerfile was excluded by .dockerignore pattern '${cli.show(toText(pattern))}'`);
  }
  return patterns;
}
