/**
 * A context from a git repository.
 *
 * The address comes from a client, and what is behind it from anybody. So the address never becomes an option, and the
 * program may speak to servers only: `ext::` would run a command, `file:` read this machine. Nothing of a repository runs:
 * no hooks, no file system monitor, and no template that could bring some.
 *
 * @origin daemon/build.go
 * @module
 */

import { tar } from "../../archive/archive.ts";
import { SystemError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import type { Reader } from "../../sync/io.ts";

/** What cloning touches. */
export type GitHost = Pick<Host, "exec" | "fs" | "kernel" | "machine" | "env">;

const settings = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "protocol.allow": "never",
  "protocol.git.allow": "always",
  "protocol.http.allow": "always",
  "protocol.https.allow": "always",
  "protocol.ssh.allow": "always",
};

/** What the program needs of our environment to reach the network. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "SSH_AUTH_SOCK",
  "http_proxy",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "no_proxy",
];

/**
 * The address that git is given: without a scheme it is https.
 *
 * @origin daemon/build.go (*Daemon).CmdBuild
 * @deviation An address with a scheme, or in the form `git@host:path`, stays as it is; 1.2.0 puts `https://` before it all
 *   the same, and git fails.
 */
export function gitAddress(remote: string): string {
  return /^(?:git|https?|ssh):\/\//.test(remote) || remote.startsWith("git@") ? remote : `https://${remote}`;
}

/**
 * Clones a repository with its submodules, and archives what is checked out.
 *
 * @param dir - an empty directory; the caller removes it when the archive has been read
 * @throws {SystemError} with what git said
 * @origin daemon/build.go (*Daemon).CmdBuild
 * @deviation What git said comes on one line; of 1.2.0's text the client gets the last line, a parenthesis.
 */
export async function gitArchive(host: GitHost, remote: string, dir: string, signal: AbortSignal): Promise<Reader> {
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const env: Record<string, string> = {
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "git:http:https:ssh",
    GIT_SSH_COMMAND: "ssh -oBatchMode=yes",
    GIT_LFS_SKIP_SMUDGE: "1",
  };
  for (const name of PASSED_ON) {
    const value = host.env[name];
    if (value !== undefined) env[name] = value;
  }
  const clone = [...options, "clone", "--recursive", "--template=", "--", gitAddress(remote), dir];
  const { code, signal: killed, stdout, stderr } = await host.exec.run("git", clone, { env, signal, group: true });
  if (code !== 0) {
    const how = code === undefined ? `signal: ${killed}` : `exit status ${code}`;
    // On one line: of an error with several, only the last one reaches the client.
    const said = `${stdout}${stderr}`.trim().replace(/\s*\n\s*/g, "; ");
    throw new SystemError(`Error trying to use git: ${how} (${said})`);
  }
  return tar(host, dir);
}
