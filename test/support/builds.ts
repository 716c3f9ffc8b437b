/**
 * Builds for tests: contexts as archives, sent by a client that reads them from its standard input.
 */

import { clientWords, type Result, run, type TestDaemon, TODAY } from "./daemon.ts";
import type { TarEntry } from "./golden.ts";
import { bodyBytes } from "./golden-http.ts";

/** An archive of these files; a text is the content of a plain one. */
export async function contextOf(files: Record<string, string | Omit<TarEntry, "name">>): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, what]) =>
    typeof what === "string" ? { name, content: what } : { name, ...what },
  );
  return (await bodyBytes({ $tar: entries as never }, () => Buffer.alloc(0))).bytes;
}

/** The words of a command that speaks to a daemon. */
export type ClientWords = readonly string[];

/** Today's client, told to build by itself. */
export function todayWords(daemon: Pick<TestDaemon, "netns" | "socket">): ClientWords {
  return clientWords(daemon, TODAY);
}

/** Runs `build … -` with a context on standard input. */
export function build(client: ClientWords, context: Buffer, ...args: string[]): Promise<Result> {
  return run([...client, "build", ...args, "-"], { input: context, env: { DOCKER_BUILDKIT: "0" } });
}

/** The id in a build's last line. @throws when it failed */
export function builtId({ code, stdout, stderr }: Result): string {
  const id = /Successfully built ([0-9a-f]{12})\n/.exec(stdout)?.[1];
  if (code !== 0 || id === undefined) throw new Error(`the build failed (${code}): ${stdout}${stderr}`);
  return id;
}
