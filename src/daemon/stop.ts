/**
 * Ends containers: politely, or not.
 *
 * @origin daemon/stop.go, daemon/kill.go, daemon/restart.go, daemon/container.go KillSig, Kill, Stop
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError, ConflictError, NotModifiedError, SystemError } from "../errdefs/errdefs.ts";
import { parseSignal as parseTodaysSignal, signalMap, validSignalForPlatform } from "../pkg/signal/signal.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import { rephrase } from "./errors.ts";
import { startContainer } from "./start.ts";

const SIGKILL = 9;
const SIGTERM = 15;
const defaultTimeoutSeconds = 10;

/** Job `stop CONTAINER`; `t`: seconds to wait before the process is killed. @origin daemon/stop.go ContainerStop */
export async function containerStop(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name} CONTAINER\n`);
  const container = daemon.mustGet(name);
  if (!container.state.running) throw new NotModifiedError("Container already stopped");
  try {
    await stopContainer(daemon, container, timeoutOf(job));
  } catch (cause) {
    throw rephrase(cause, (text) => `Cannot stop container ${name}: ${text}`);
  }
  daemon.logEvent(container, "stop");
}

/** Job `restart CONTAINER`. @origin daemon/restart.go ContainerRestart, daemon/container.go Restart */
export async function containerRestart(daemon: Daemon, job: Job): Promise<void> {
  const [name] = job.args;
  if (name === undefined || job.args.length > 1) throw new SystemError(`Usage: ${job.name} CONTAINER\n`);
  const container = daemon.mustGet(name);
  try {
    await stopContainer(daemon, container, timeoutOf(job));
    await startContainer(daemon, container);
  } catch (cause) {
    throw rephrase(cause, (text) => `Cannot restart container ${name}: ${text}`);
  }
  daemon.logEvent(container, "restart");
}

/** No key: 10 s. A key without a number: none, as in 1.2.0. */
function timeoutOf(job: Job): number {
  return job.envExists("t") ? job.getenvInt("t") : defaultTimeoutSeconds;
}

/**
 * Job `kill CONTAINER [SIGNAL]`; `strict`: a container that does not run is an error; `today`: the signals, errors and
 * events that clients newer than 1.2.0 know.
 *
 * @origin daemon/kill.go ContainerKill
 */
export async function containerKill(daemon: Daemon, job: Job): Promise<void> {
  const [name, text = ""] = job.args;
  if (name === undefined || job.args.length > 2) throw new SystemError(`Usage: ${job.name} CONTAINER [SIGNAL]`);
  const today = job.getenvBool("today");
  const signal = text === "" ? SIGKILL : today ? signalOf(text) : parseSignal(text);
  const container = today ? known(daemon, name) : daemon.mustGet(name);
  try {
    if (today && !validSignalForPlatform(signal)) {
      throw new SystemError(`The linux daemon does not support signal ${signal}`);
    }
    if (job.getenvBool("strict") && !container.state.running) {
      throw new ConflictError(`Container ${container.id} is not running`);
    }
    if (signal === SIGKILL) await killContainer(daemon, container);
    else await killSig(daemon, container, signal);
  } catch (cause) {
    throw rephrase(cause, (reason) => `Cannot kill container${today ? ":" : ""} ${name}: ${reason}`);
  }
  if (signal === SIGKILL || today) daemon.logEvent(container, "kill", { signal: String(signal) });
}

/** @throws {BadRequestError} `Invalid signal: <text>` */
function signalOf(text: string): number {
  const signal = parseTodaysSignal(text);
  if (signal === undefined) throw new BadRequestError(`Invalid signal: ${text}`);
  return signal;
}

/** @throws {NotFoundError} in the words of today */
function known(daemon: Daemon, name: string): Container {
  try {
    return daemon.mustGet(name);
  } catch (cause) {
    throw rephrase(cause, (reason) => `Cannot kill container: ${name}: ${reason}`);
  }
}

/** A number from 1 to 31, or a name with or without `SIG`. @throws `Invalid signal: <text>` */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : undefined;
  const name = text.replace(/^SIG/, "");
  const signal = number ?? signalMap.get(name);
  if (signal === undefined || signal < 1 || signal > 31) throw new SystemError(`Invalid signal: ${text}`);
  return signal;
}

/**
 * Sends a signal. Whatever it is, the restart policy no longer counts for this run.
 *
 * @origin daemon/container.go KillSig
 */
export async function killSig(daemon: Daemon, container: Container, signal: number): Promise<void> {
  await daemon.locks.run(container.id, async () => {
    const { state } = container;
    if (state.paused)
      throw new SystemError(`Container ${container.id} is paused. Unpause the container before stopping`);
    if (!state.running) return;
    container.monitor?.exitOnNext();
    // Between two runs there is no process; and one that has just ended is about to be noticed.
    if (state.restarting || !daemon.execDriver.isRunning(container.id)) return;
    await daemon.execDriver.kill(container.id, signal);
  });
}

/** Kills and waits for the end. @origin daemon/container.go Kill */
export async function killContainer(daemon: Daemon, container: Container): Promise<void> {
  if (!container.state.running) return;
  const ended = container.state.waitNotRunning();
  try {
    await killSig(daemon, container, SIGKILL);
  } catch (cause) {
    // It may have ended by itself between the question and the signal.
    if (container.state.paused || container.state.running) throw cause;
  }
  if (!(await within(daemon, 10_000, ended))) {
    const { pid } = container.state;
    const text = "failed to exit within 10 seconds of kill - trying direct SIGKILL";
    daemon.log.info(`Container ${container.id.slice(0, 12)} ${text}`);
    if (pid !== 0) daemon.host.kernel.kill(pid, SIGKILL);
  }
  await ended;
}

/** Asks the process to end, waits, then kills it. @origin daemon/container.go Stop */
export async function stopContainer(daemon: Daemon, container: Container, seconds: number): Promise<void> {
  if (!container.state.running) return;
  const ended = container.state.waitNotRunning();
  try {
    await killSig(daemon, container, stopSignal(container));
  } catch {
    if (!container.state.running) return;
    daemon.log.info("Failed to send SIGTERM to the process, force killing");
    await killSig(daemon, container, SIGKILL);
  }
  if (seconds < 0) {
    await ended;
    return;
  }
  if (await within(daemon, seconds * 1000, ended)) return;
  const text = `failed to exit within ${seconds} seconds of SIGTERM - using the force`;
  daemon.log.info(`Container ${container.id} ${text}`);
  await killContainer(daemon, container);
}

/** The image's choice, else SIGTERM. @since Docker 1.9 */
function stopSignal({ config }: Container): number {
  const signal = parseTodaysSignal(config.StopSignal ?? "");
  return signal !== undefined && validSignalForPlatform(signal) ? signal : SIGTERM;
}

/** Whether `done` settles in time. */
export async function within(daemon: Daemon, timeoutMs: number, done: Promise<unknown>): Promise<boolean> {
  const stop = new AbortController();
  const timer = daemon.host.clock.sleep(timeoutMs, stop.signal).then(
    () => false,
    () => true,
  );
  try {
    return await Promise.race([done.then(() => true), timer]);
  } finally {
    stop.abort();
  }
}
