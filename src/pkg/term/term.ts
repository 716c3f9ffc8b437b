/**
 * What a client does with its terminal.
 *
 * @origin pkg/term/term.go
 * @module
 */

import type { Host } from "../../host/host.ts";
import type { TerminalSize } from "../../host/terminal.ts";

/** A changed terminal: what was before is kept here. */
export interface State {
  /** Puts the terminal back; safe to call twice. */
  restore(): void;
}

/**
 * The size of the window, `undefined` without a terminal.
 *
 * @origin pkg/term/term.go GetWinsize
 */
export function getWinsize(host: Pick<Host, "terminal" | "stdout">): TerminalSize | undefined {
  return host.stdout.isTerminal ? host.terminal.size() : undefined;
}

/**
 * Puts the terminal in raw mode. An interrupt from elsewhere (the key no longer makes one) restores it and ends the
 * process with exit code 0.
 *
 * @origin pkg/term/term.go SetRawTerminal
 */
export async function setRawTerminal(host: Pick<Host, "terminal" | "signals">): Promise<State> {
  return handleInterrupt(host, await host.terminal.setRaw());
}

/**
 * Stops the echo, for passwords; an interrupt restores it and ends the process with exit code 0.
 *
 * @origin pkg/term/term.go DisableEcho
 */
export async function disableEcho(host: Pick<Host, "terminal" | "signals">): Promise<State> {
  return handleInterrupt(host, await host.terminal.disableEcho());
}

/** @origin pkg/term/term.go handleInterrupt */
function handleInterrupt(host: Pick<Host, "signals">, restore: () => void): State {
  const stop = host.signals.on("SIGINT", () => {
    restore();
    host.signals.exit(0);
  });
  return {
    restore() {
      stop();
      restore();
    },
  };
}
