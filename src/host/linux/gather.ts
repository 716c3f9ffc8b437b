/**
 * Gathers what is written to standard output and error during one turn of the event loop, and writes it at its end.
 *
 * A busy daemon writes three lines for each request: a system call for each would cost as much as the answer. The order
 * of the lines is kept, also between the two streams; what is gathered when the process exits is written then.
 *
 * @module
 */

import type { Host } from "../host.ts";

/** What is kept at most before it is written at once, in characters. */
const LIMIT = 64 << 10;

type Output = Host["stdout"];

/** A host like the given one, whose standard output and error gather. */
export function gathering(host: Host): Host {
  const queue: { to: Output; text: string }[] = [];
  let size = 0;
  let scheduled = false;
  const flush = () => {
    scheduled = false;
    size = 0;
    for (const { to, text } of queue.splice(0)) {
      try {
        void to.write(text);
      } catch {
        // Nobody reads the log any more: no reason for a daemon to end.
      }
    }
  };
  const gather = (to: Output): Output => ({
    get isTerminal() {
      return to.isTerminal;
    },
    write(chunk) {
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      const last = queue.at(-1);
      if (last?.to === to) last.text += text;
      else queue.push({ to, text });
      size += text.length;
      if (size > LIMIT) flush();
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    },
  });
  process.once("exit", flush);
  const own = { stdout: gather(host.stdout), stderr: gather(host.stderr) };
  return new Proxy(host, {
    get: (target, name: keyof Host) => (name === "stdout" || name === "stderr" ? own[name] : target[name]),
  });
}
