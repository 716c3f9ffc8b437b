/**
 * What a container printed.
 *
 * @origin daemon/logs.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { isErrno, messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { JsonLog } from "../pkg/jsonlog/jsonlog.ts";
import { parseInteger } from "../pkg/strconv/strconv.ts";
import type { Writer } from "../sync/io.ts";
import { parseRfc3339 } from "../utils/go-time.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { readLog } from "./logger/jsonfilelog/read.ts";

/** Which streams somebody wants, and where they go. */
export interface Outputs {
  readonly stdout: Writer | undefined;
  readonly stderr: Writer | undefined;
}

/**
 * Job `logs CONTAINER`.
 *
 * Environment: `stdout`, `stderr`, `tail`, `follow`, `timestamps`; for clients of today `since` and `until` (seconds
 * since 1970, with a fraction) and `strict`: lines that are followed look like the others.
 *
 * @origin daemon/logs.go ContainerLogs
 * @deviation Following reads the file as it grows, so a slow reader never slows the container; it ends at once when the
 *   container does not run, where 1.2.0 waits for the end of the next run.
 */
export async function containerLogs(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name} CONTAINER\n`);
  const out: Outputs = {
    stdout: job.getenvBool("stdout") ? job.stdout : undefined,
    stderr: job.getenvBool("stderr") ? job.stderr : undefined,
  };
  if (out.stdout === undefined && out.stderr === undefined)
    throw new SystemError("You must choose at least one stream");
  const container = daemon.mustGet(name);
  const plain = job.getenvBool("strict") || job.envExists("since") || job.envExists("until");
  const times = job.getenvBool("timestamps");
  const [since, until] = [moment(job.getenv("since")), moment(job.getenv("until"))];
  await container.log?.flushed();
  try {
    const batches = readLog(container.logPath("json"), daemon.host, {
      tail: tailOf(daemon, job.getenv("tail")),
      follow: job.getenvBool("follow") && container.state.running ? container.log : undefined,
      signal: job.signal,
      merged: !times && since === undefined && until === undefined,
    });
    // The next lines are read while the client takes these.
    let sending = Promise.resolve();
    for await (const { lines, live } of batches) {
      const wanted =
        since === undefined && until === undefined ? lines : lines.filter((l) => isWithin(l, since, until));
      await sending;
      sending = writeLines(wanted, out, (line) => {
        if (!times) return line.log;
        return live && !plain ? `[${line.time}] ${line.log}` : `${line.time} ${line.log}`;
      });
      sending.catch(() => undefined); // awaited in the next round, or at the end
      const last = lines.at(-1);
      if (until !== undefined && last !== undefined && !isWithin(last, undefined, until)) break;
    }
    await sending;
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
    await legacyLogs(daemon, container, out);
  }
}

/** Writes lines, byte strings, to their streams; neighbours of one stream go in one piece. */
export async function writeLines(
  lines: readonly JsonLog[],
  out: Outputs,
  format: (line: JsonLog) => string,
): Promise<void> {
  let piece = "";
  let stream = "";
  const flush = async (): Promise<void> => {
    const writer = stream === "stdout" ? out.stdout : stream === "stderr" ? out.stderr : undefined;
    if (writer !== undefined && piece !== "") await writer.write(Buffer.from(piece, "latin1"));
    piece = "";
  };
  for (const line of lines) {
    if (line.stream !== stream) await flush();
    stream = line.stream;
    piece += format(line);
  }
  await flush();
}

/** Files of a time before the present format. */
export async function legacyLogs(daemon: Daemon, container: Container, out: Outputs): Promise<void> {
  daemon.log.debug("logs.go:54", "Old logs format");
  for (const stream of ["stdout", "stderr"] as const) {
    const writer = out[stream];
    if (writer === undefined) continue;
    try {
      await writer.write(await daemon.host.fs.readFile(container.logPath(stream)));
    } catch (cause) {
      if (!isErrno(cause, "ENOENT"))
        daemon.log.error("logs.go:58", `Error reading logs (${stream}): ${messageOf(cause)}`);
    }
  }
}

/** `all` or nothing: `undefined`; a number below 0 or no number: also. */
function tailOf(daemon: Daemon, text: string): number | undefined {
  if (text === "" || text === "all") return undefined;
  try {
    const lines = parseInteger(text);
    return lines < 0 ? undefined : lines;
  } catch (cause) {
    daemon.log.error("logs.go:76", `Failed to parse tail ${text}, error: ${messageOf(cause)}, show all logs`);
    return undefined;
  }
}

/** `1408565614.947578859` in nanoseconds; nothing for 0 and for what is no time. */
function moment(text: string): bigint | undefined {
  const match = /^(\d{1,18})(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (match === null || text === "0") return undefined;
  return BigInt(match[1] ?? "0") * 1_000_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

function isWithin(line: JsonLog, since: bigint | undefined, until: bigint | undefined): boolean {
  let time: bigint;
  try {
    time = parseRfc3339(line.time);
  } catch {
    return true;
  }
  return (since === undefined || time >= since) && (until === undefined || time <= until);
}
