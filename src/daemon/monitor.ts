/**
 * Watches a container's process from its start to its last end, and starts it again when its policy says so.
 *
 * ```text
 * start ─▶ run ─▶ ended ─┬─ policy: again ─▶ pause ─▶ run …
 *                        └─ no ─▶ stopped, waiters woken, event, output closed ─▶ torn down in the background
 * ```
 *
 * @origin daemon/monitor.go
 * @module
 */

import { messageOf } from "../errdefs/errdefs.ts";
import type { RestartPolicy } from "../runconfig/host-config.ts";
import { type Deferred, deferred } from "../sync/deferred.ts";
import { cleanup } from "./cleanup.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import type { ExitStatus, Started } from "./execdriver/driver.ts";
import { JsonFileLog } from "./logger/jsonfilelog/jsonfilelog.ts";

/** First pause between two runs, before it is doubled. */
const defaultTimeIncrementMs = 100;
/** Longest pause. */
const longestTimeIncrementMs = 60_000;

/** @origin daemon/monitor.go containerMonitor */
export class ContainerMonitor {
  readonly #daemon: Daemon;
  readonly #container: Container;
  readonly #policy: RestartPolicy;
  readonly #stop = new AbortController();
  #failureCount = 0;
  #timeIncrementMs = defaultTimeIncrementMs;
  #lastStartMs = 0;

  constructor(daemon: Daemon, container: Container, policy: RestartPolicy) {
    this.#daemon = daemon;
    this.#container = container;
    this.#policy = policy;
  }

  /** From now on the end of the process is what somebody asked for. @origin daemon/monitor.go ExitOnNext */
  exitOnNext(): void {
    this.#stop.abort();
  }

  /**
   * Starts the process.
   *
   * @returns when it runs (or has already ended)
   * @throws when it could not be started; nothing is cleaned up then
   * @origin daemon/container.go waitForStart
   */
  start(): Promise<void> {
    const started = deferred();
    void this.#daemon.tasks.run(() => this.#loop(started));
    return started.promise;
  }

  /** @origin daemon/monitor.go Start */
  async #loop(started: Deferred<void>): Promise<void> {
    const container = this.#container;
    container.restartCount = -1;
    let status: ExitStatus;
    do {
      container.restartCount++;
      this.#openStreams();
      this.#daemon.logEvent(container, "start");
      this.#lastStartMs = this.#daemon.host.clock.monotonicMs();
      let failure: unknown;
      try {
        status = await this.#run(started);
      } catch (cause) {
        if (container.restartCount === 0 && !container.state.running) {
          this.#closeStreams();
          started.reject(cause);
          return;
        }
        this.#daemon.log.error("monitor.go:146", `Error running container: ${messageOf(cause)}`);
        failure = cause;
        status = { exitCode: -1 };
      }
      this.#reset(failure === undefined && status.exitCode === 0);
    } while (await this.#again(status));
  }

  #run(started: Deferred<void>): Promise<ExitStatus> {
    const container = this.#container;
    if (container.command === undefined) throw new TypeError("the container has no command");
    return this.#daemon.execDriver.run(
      container.command,
      {
        ...(container.stdin === undefined ? {} : { stdin: container.stdin.reader }),
        stdout: container.stdout,
        stderr: container.stderr,
      },
      (info) => this.#started(info, started),
    );
  }

  /** @origin daemon/monitor.go callback */
  #started(info: Started, started: Deferred<void>): void {
    const container = this.#container;
    container.console = info.console;
    container.state.setRunning(info.pid);
    container.stoppedByUser = false;
    started.resolve();
    // After a crash the driver knows what runs, so nobody waits for this.
    this.#daemon.save(container);
  }

  /** Records the end; `true` when there is to be another run. */
  async #again({ exitCode, signal }: ExitStatus): Promise<boolean> {
    const container = this.#container;
    if (!this.#shouldRestart(exitCode)) {
      this.#end(exitCode, signal);
      return false;
    }
    container.state.setRestarting(exitCode, signal);
    this.#logDeath();
    this.#closeStreams();
    this.#daemon.save(container);
    await this.#daemon.host.clock.sleep(this.#timeIncrementMs, this.#stop.signal).catch(() => undefined);
    if (!this.#stop.signal.aborted) return true;
    // The process had ended before: no second `die`.
    container.stoppedByUser = this.#isWanted();
    container.state.setStopped(exitCode, signal);
    container.teardown = this.#close();
    return false;
  }

  /** Whether a user asked for the end, and not the daemon that ends itself. */
  #isWanted(): boolean {
    return this.#stop.signal.aborted && !this.#daemon.stopping;
  }

  /** The hot path of `docker run`: everybody is told before anything is taken down. */
  #end(exitCode: number, signal: number | undefined): void {
    const container = this.#container;
    container.teardown = deferredTeardown(() => this.#close());
    container.stoppedByUser = this.#isWanted();
    container.state.setStopped(exitCode, signal);
    this.#logDeath();
    this.#closeStreams();
  }

  /** @origin daemon/monitor.go Close */
  async #close(): Promise<void> {
    const container = this.#container;
    await cleanup(this.#daemon, container);
    if (container.hostConfig.AutoRemove === true && !this.#daemon.stopping) {
      // Not awaited: the removal itself waits for this teardown.
      void this.#daemon.tasks.run(() => this.#daemon.autoRemove(container));
      return;
    }
    await container.toDisk(this.#daemon.host).catch((cause: unknown) => {
      this.#daemon.log.error(
        "monitor.go:96",
        `Error dumping container ${container.id} state to disk: ${messageOf(cause)}`,
      );
    });
  }

  #logDeath(): void {
    this.#daemon.logEvent(this.#container, "die", { exitCode: String(this.#container.state.shellExitCode) });
  }

  /**
   * Doubles the pause, unless the run has lasted longer than ten seconds, and counts failures in a row.
   *
   * @origin daemon/monitor.go resetMonitor
   * @deviation No pause is longer than a minute, as today: 1.2.0 doubles without an end, and a container that failed
   *   for a night is left alone for the next.
   */
  #reset(successful: boolean): void {
    const ranMs = this.#daemon.host.clock.monotonicMs() - this.#lastStartMs;
    this.#timeIncrementMs =
      ranMs > 10_000 ? defaultTimeIncrementMs : Math.min(this.#timeIncrementMs * 2, longestTimeIncrementMs);
    this.#failureCount = successful ? 0 : this.#failureCount + 1;
  }

  /** @origin daemon/monitor.go shouldRestart */
  #shouldRestart(exitCode: number): boolean {
    if (this.#stop.signal.aborted) return false;
    const { Name, MaximumRetryCount: most } = this.#policy;
    switch (Name) {
      case "always":
      case "unless-stopped":
        return true;
      case "on-failure":
        if (most !== 0 && this.#failureCount >= most) {
          const text = `stopping restart of container ${this.#container.id} because maximum failure could of ${most} has been reached`;
          this.#daemon.log.debug("monitor.go:237", text);
          return false;
        }
        return exitCode !== 0;
      default:
        return false;
    }
  }

  /** @origin daemon/container.go startLoggingToDisk */
  #openStreams(): void {
    const container = this.#container;
    const log = new JsonFileLog(container.logPath("json"), this.#daemon.host, (cause) =>
      this.#daemon.log.error("daemon.go:284", `Error writing the log of ${container.id}: ${messageOf(cause)}`),
    );
    container.log = log;
    container.stdout.addLog(log, "stdout");
    container.stderr.addLog(log, "stderr");
    container.outputEnd = deferred();
  }

  /** Ends the output of all readers. @origin daemon/monitor.go resetContainer */
  #closeStreams(): void {
    const container = this.#container;
    container.stdout.clean();
    container.stderr.clean();
    container.stdin?.writer.close();
    container.openStdin();
    container.console = undefined;
    void this.#daemon.tasks.run(async () => container.log?.close());
    container.outputEnd.resolve();
  }
}

/** Starts `work` after everything that waits for the present step has had its turn. */
function deferredTeardown(work: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve)).then(work);
}
