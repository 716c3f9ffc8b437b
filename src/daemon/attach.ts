/**
 * Joins a client to a container's streams.
 *
 * @origin daemon/attach.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { isErrno, messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Subscription } from "../pkg/broadcastwriter/subscription.ts";
import type { Logger } from "../pkg/log/log.ts";
import type { Writer } from "../sync/io.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { escapable, parseDetachKeys } from "./detach-keys.ts";
import { readLog } from "./logger/jsonfilelog/read.ts";
import { legacyLogs, type Outputs, writeLines } from "./logs.ts";

/**
 * Job `attach CONTAINER`: `logs` replays what was printed, `stream` joins the present or the next run.
 *
 * @origin daemon/attach.go ContainerAttach
 */
export async function containerAttach(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name} CONTAINER\n`);
  const container = daemon.mustGet(name);
  const out: Outputs = {
    stdout: job.getenvBool("stdout") ? job.stdout : undefined,
    stderr: job.getenvBool("stderr") ? job.stderr : undefined,
  };
  if (!job.getenvBool("stream")) {
    if (job.getenvBool("logs")) await replay(daemon, container, out);
    return;
  }
  // Joined before the replay and held back until it is over: nothing is lost in between.
  const attachment = new Attachment(daemon.log, container, out, job.getenvBool("logs"));
  const leave = () => attachment.detach();
  job.signal.addEventListener("abort", leave, { once: true });
  try {
    if (job.getenvBool("logs")) await replay(daemon, container, out);
    const stdin = job.getenvBool("stdin") ? copyStdin(daemon, container, job, attachment) : undefined;
    if (stdin !== undefined || out.stdout !== undefined || out.stderr !== undefined) await attachment.run(stdin);
    else attachment.detach(); // with nothing to wait for 1.2.0 does not wait
    const { StdinOnce, Tty } = container.config;
    if (StdinOnce && !Tty && !job.signal.aborted) await container.state.waitStop();
  } finally {
    job.signal.removeEventListener("abort", leave);
  }
}

async function replay(daemon: Daemon, container: Container, out: Outputs): Promise<void> {
  await container.log?.flushed();
  try {
    const batches = readLog(container.logPath("json"), daemon.host, {
      tail: undefined,
      follow: undefined,
      merged: true,
    });
    for await (const { lines } of batches) await writeLines(lines, out, (line) => line.log);
  } catch (cause) {
    if (isErrno(cause, "ENOENT")) await legacyLogs(daemon, container, out);
    else daemon.log.error("attach.go:64", `Error streaming logs: ${messageOf(cause)}`);
  }
}

/** What is waited for, and what 1.2.0 says of it. */
interface Part {
  readonly ended: Promise<unknown>;
  /** Lines of its source that tell the beginning and the end. */
  readonly at: readonly [begin: number, end: number];
  readonly name: "stdout" | "stderr";
}

/** A client's share of a container's output. @origin daemon/attach.go Attach */
class Attachment {
  readonly #log: Pick<Logger, "debug">;
  readonly #subscriptions: Subscription[] = [];
  readonly #parts: Part[] = [];
  readonly #ended: Promise<unknown>;

  constructor(log: Pick<Logger, "debug">, container: Container, out: Outputs, held: boolean) {
    this.#log = log;
    // Also a stream that nobody wants is joined: its end is the end of the run.
    const nowhere: Writer = { write: () => undefined };
    const join = (name: Part["name"], at: Part["at"]) => {
      const subscription = container[name].addWriter(out[name] ?? nowhere, held);
      this.#subscriptions.push(subscription);
      if (out[name] !== undefined) this.#parts.push({ name, at, ended: subscription.ended });
    };
    join("stdout", [172, 189]);
    join("stderr", [210, 227]);
    this.#ended = Promise.all(this.#subscriptions.map((subscription) => subscription.ended));
  }

  /**
   * Lets the output through, and waits for its end.
   *
   * @param stdin - the copying of the input, which goes on no longer than the output
   */
  async run(stdin: { stop(): void } | undefined): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.release();
    const [log, parts] = [this.#log, this.#parts];
    for (const { name, at } of parts) log.debug(`attach.go:${at[0]}`, `attach: ${name}: begin`);
    try {
      for (const [i, { name, at, ended }] of parts.entries()) {
        log.debug("attach.go:256", `attach: waiting for job ${i + 1}/${parts.length}`);
        await ended;
        log.debug(`attach.go:${at[1]}`, `attach: ${name}: end`);
        log.debug("attach.go:261", `attach: job ${i + 1} completed successfully`);
      }
      await this.#ended;
      log.debug("attach.go:263", "attach: all jobs completed successfully");
    } finally {
      stdin?.stop();
    }
  }

  /** Leaves; the container goes on. */
  detach(): void {
    for (const subscription of this.#subscriptions) subscription.cancel();
  }
}

/** Copies what the client types into the container, until either of them ends. */
function copyStdin(
  daemon: Daemon,
  container: Container,
  job: Job,
  attachment: Attachment,
): { stop(): void } | undefined {
  const { stdin, config } = container;
  if (stdin === undefined) return undefined;
  const source = job.stdin[Symbol.asyncIterator]();
  let stopped = false;
  let stop = (): void => undefined;
  const asked = new Promise<{ done: true; value: undefined }>((resolve) => {
    stop = () => {
      stopped = true;
      resolve({ done: true, value: undefined });
    };
  });
  const copy = async (): Promise<void> => {
    const keys = config.Tty ? escapable(parseDetachKeys(job.getenv("detachKeys"))) : undefined;
    try {
      for (;;) {
        const next = await Promise.race([source.next(), asked]);
        if (next.done === true) break;
        const { bytes, detached } = keys?.(next.value) ?? { bytes: next.value, detached: false };
        if (bytes.length > 0) await stdin.writer.write(bytes);
        if (detached) break;
      }
    } catch (cause) {
      // The container's end closes its input under us; that is no failure of the client's.
      if (!stopped) daemon.log.debug("attach.go:157", `attach: stdin: ${messageOf(cause)}`);
    }
    if (stopped) return;
    if (config.StdinOnce && !config.Tty) stdin.writer.close();
    else attachment.detach();
  };
  void daemon.tasks.run(copy);
  return { stop };
}
