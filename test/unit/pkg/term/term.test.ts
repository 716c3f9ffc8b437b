import { expect, test } from "vitest";
import type { Host } from "../../../../src/host/host.ts";
import { makeRaw } from "../../../../src/host/linux/terminal.ts";
import { printable } from "../../../../src/pkg/term/printable.ts";
import { getWinsize, setRawTerminal } from "../../../../src/pkg/term/term.ts";

test("makeRaw() clears what 1.2.0 clears, output processing too", () => {
  const state = Buffer.alloc(60, 0xff);
  const flags = [0, 4, 8, 12].map((at) => makeRaw(state).readUInt32LE(at).toString(8));
  // ~(IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON), ~OPOST, ~PARENB, ~(ISIG ICANON ECHO ECHONL IEXTEN)
  expect(flags).toEqual(["37777775024", "37777777776", "37777777377", "37777677664"]);
  const cooked = Buffer.alloc(60);
  expect(makeRaw(cooked).readUInt32LE(8)).toBe(0o60);
  expect(cooked.every((byte) => byte === 0)).toBe(true);
});

/** A terminal that counts what happens to it. */
function terminal() {
  const events: string[] = [];
  const handlers = new Set<() => void>();
  const host = {
    stdout: { isTerminal: true },
    terminal: {
      size: () => ({ height: 24, width: 80 }),
      setRaw: async () => {
        events.push("raw");
        return () => void events.push("restored");
      },
    },
    signals: {
      on: (name: string, handler: () => void) => {
        events.push(`traps ${name}`);
        handlers.add(handler);
        return () => handlers.delete(handler);
      },
      exit: (code: number) => {
        events.push(`exit ${code}`);
      },
    },
  } as unknown as Pick<Host, "terminal" | "signals" | "stdout">;
  return { host, events, interrupt: () => void [...handlers].map((handler) => handler()), handlers };
}

test("setRawTerminal() gives back what restores the terminal", async () => {
  const { host, events, handlers } = terminal();
  const state = await setRawTerminal(host);
  state.restore();
  expect(events).toEqual(["raw", "traps SIGINT", "restored"]);
  expect(handlers.size).toBe(0);
});

test("setRawTerminal() restores the terminal and ends with 0 when it is interrupted", async () => {
  const { host, events, interrupt } = terminal();
  await setRawTerminal(host);
  interrupt();
  expect(events.slice(2)).toEqual(["restored", "exit 0"]);
});

test("getWinsize() knows no size without a terminal", () => {
  const { host } = terminal();
  expect(getWinsize(host)).toEqual({ height: 24, width: 80 });
  expect(getWinsize({ ...host, stdout: { ...host.stdout, isTerminal: false } })).toBeUndefined();
});

test("printable() keeps text, tabs and line ends, and drops what steers a terminal", () => {
  expect(printable("plain\ttext\n└─ é 漢")).toBe("plain\ttext\n└─ é 漢");
  expect(printable("a\x1b[2Jb\rc\x07d\x7fe\x9b31mf\u202eg\u2066h\0i")).toBe("a[2Jbcde31mfghi");
});
