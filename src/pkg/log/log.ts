/**
 * The daemon's log lines, in the three forms 1.2.0 mixes.
 *
 * ```text
 * [info] Listening for HTTP on unix (/var/run/docker.sock)      standard output
 * [debug] daemon.go:751 Using graph driver vfs                  standard error, only while DEBUG is set
 * 2014/08/20 20:20:14 docker daemon: 1.2.0 …                    standard error, Go's own log package
 * ```
 *
 * The `file.go:line` of a line is part of its text: people search for it. A caller passes the original's.
 *
 * @origin pkg/log/log.go
 * @module
 */

import type { Host } from "../../host/host.ts";

/** Writes log lines to the host's streams. */
export class Logger {
  readonly #host: Pick<Host, "stdout" | "stderr" | "env" | "clock">;

  /** @param host - the streams, `DEBUG`, and the time for {@link std} */
  constructor(host: Pick<Host, "stdout" | "stderr" | "env" | "clock">) {
    this.#host = host;
  }

  /** Whether debug lines are written; asked anew for each line, as 1.2.0 does. */
  get debugging(): boolean {
    return Boolean(this.#host.env["DEBUG"]);
  }

  /** @origin pkg/log/log.go Infof */
  info(text: string): void {
    void this.#host.stdout.write(`[info] ${text}\n`);
  }

  /**
   * @param site - file and line of the original's call, `daemon.go:751`
   * @origin pkg/log/log.go Debugf
   */
  debug(site: string, text: string): void {
    if (this.debugging) void this.#host.stderr.write(`[debug] ${site} ${text}\n`);
  }

  /** @origin pkg/log/log.go Errorf */
  error(site: string, text: string): void {
    void this.#host.stderr.write(`[error] ${site} ${text}\n`);
  }

  /** Text without the tag, for the dots of `Loading containers`. */
  raw(text: string): void {
    void this.#host.stdout.write(text);
  }

  /** A line of Go's own log package: local time, to the second. */
  std(text: string): void {
    const t = new Date(this.#host.clock.now());
    const two = (n: number) => String(n).padStart(2, "0");
    const date = `${t.getFullYear()}/${two(t.getMonth() + 1)}/${two(t.getDate())}`;
    const time = `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
    void this.#host.stderr.write(`${date} ${time} ${text}\n`);
  }
}
