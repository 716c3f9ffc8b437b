/**
 * Terminal modes by ioctl(2).
 *
 * Node's own raw mode leaves output processing on, so that a program in the container that moves the cursor down with a
 * line feed would land in column one. Therefore the modes are set here; Node puts back at exit what it found at start.
 *
 * @module
 */

import type { Terminal, TerminalSize } from "../terminal.ts";

const TCGETS = 0x5401;
const TCSETS = 0x5402;
/** `struct termios` of the kernel: four flag words, the line discipline, 19 control characters, padding. */
const TERMIOS_BYTES = 60;

/** Offsets of the flag words. */
const IFLAG = 0;
const OFLAG = 4;
const CFLAG = 8;
const LFLAG = 12;

/** IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON */
const INPUT = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000;
const OPOST = 0o1;
/** ECHO ECHONL ICANON ISIG IEXTEN */
const LOCAL = 0o10 | 0o100 | 0o2 | 0o1 | 0o100000;
const ECHO = 0o10;
const CSIZE = 0o60;
const PARENB = 0o400;
const CS8 = 0o60;

/** The few calls of a stream that a window has to do with; Node's own streams have them. */
interface Window {
  readonly isTTY?: boolean;
  getWindowSize?(): [number, number];
  on(event: "resize", handler: () => void): unknown;
  off(event: "resize", handler: () => void): unknown;
}

/** Loaded with the first use: only an interactive command needs it, and every command would pay for it. */
async function openTermios(fd: number): Promise<{ get(): Buffer; set(state: Buffer): void }> {
  const { default: koffi } = await import("koffi");
  const ioctl = koffi.load(null).func("int ioctl(int fd, unsigned long request, _Inout_ uint8_t *data)");
  const call = (request: number, state: Buffer) => {
    if (ioctl(fd, request, state) !== 0) throw new Error("inappropriate ioctl for device");
  };
  return {
    get() {
      const state = Buffer.alloc(TERMIOS_BYTES);
      call(TCGETS, state);
      return state;
    },
    set: (state) => call(TCSETS, state),
  };
}

/** The flags of raw mode: those of cfmakeraw(3) as 1.2.0 sets them. */
export function makeRaw(state: Buffer): Buffer {
  const raw = Buffer.from(state);
  const change = (at: number, clear: number, set = 0) => {
    raw.writeUInt32LE(((raw.readUInt32LE(at) & ~clear) | set) >>> 0, at);
  };
  change(IFLAG, INPUT);
  change(OFLAG, OPOST);
  change(LFLAG, LOCAL);
  change(CFLAG, CSIZE | PARENB, CS8);
  return raw;
}

/** The terminal behind a descriptor of this process. */
export class LinuxTerminal implements Terminal {
  readonly #fd: number;
  readonly #window: () => Window;

  /**
   * @param fd - where modes are set: 1 is standard output
   * @param window - the stream on that descriptor, asked for only when its size is needed
   */
  constructor(fd: number, window: () => Window) {
    this.#fd = fd;
    this.#window = window;
  }

  /** Node keeps it up to date by SIGWINCH. */
  size(): TerminalSize | undefined {
    const [width, height] = this.#window().getWindowSize?.() ?? [];
    return width === undefined || height === undefined ? undefined : { height, width };
  }

  /** Node watches SIGWINCH and reports real changes only. */
  onResize(handler: () => void): () => void {
    const window = this.#window();
    window.on("resize", handler);
    return () => window.off("resize", handler);
  }

  /** @origin pkg/term/termios_linux.go MakeRaw */
  setRaw(): Promise<() => void> {
    return this.#change(makeRaw);
  }

  /** @origin pkg/term/term.go DisableEcho */
  disableEcho(): Promise<() => void> {
    return this.#change((state) => {
      const quiet = Buffer.from(state);
      quiet.writeUInt32LE((quiet.readUInt32LE(LFLAG) & ~ECHO) >>> 0, LFLAG);
      return quiet;
    });
  }

  async #change(next: (state: Buffer) => Buffer): Promise<() => void> {
    const termios = await openTermios(this.#fd);
    const before = termios.get();
    termios.set(next(before));
    return () => termios.set(before);
  }
}
