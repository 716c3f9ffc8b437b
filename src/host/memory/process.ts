/**
 * The process that a memory host pretends to be: signals, its end, and its standard streams.
 *
 * @module
 */

import { BufferWriter, type Reader, type Writer } from "../../sync/io.ts";
import type { Random, Signals } from "../host.ts";
import type { Terminal, TerminalSize } from "../terminal.ts";

/** What {@link MemorySignals.exit} throws in place of ending. */
export class ExitError extends Error {
  readonly code: number;

  /** @param code - the exit status */
  constructor(code: number) {
    super(`exit status ${code}`);
    this.name = "ExitError";
    this.code = code;
  }
}

/** Signals that are raised by hand. */
export class MemorySignals implements Signals {
  /** Every exit status that was asked for; a real process stops at the first. */
  readonly exits: number[] = [];
  readonly #handlers = new Map<string, Set<() => void>>();

  /** Names that have a handler. */
  get trapped(): string[] {
    return [...this.#handlers].filter(([, handlers]) => handlers.size > 0).map(([name]) => name);
  }

  on(name: string, handler: () => void): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => {
      handlers.delete(handler);
    };
  }

  /** Delivers a signal. @returns `false` when nobody handles it: the system would do its default */
  raise(name: string): boolean {
    const handlers = [...(this.#handlers.get(name) ?? [])];
    for (const handler of handlers) handler();
    return handlers.length > 0;
  }

  exit(code: number): never {
    this.exits.push(code);
    throw new ExitError(code);
  }
}

/** An output stream that keeps what is written. */
export class CapturedStream implements Writer {
  readonly isTerminal: boolean;
  #buffer = new BufferWriter();

  /** @param isTerminal - what the program is told about it */
  constructor(isTerminal: boolean) {
    this.isTerminal = isTerminal;
  }

  write(chunk: Uint8Array | string): void {
    this.#buffer.write(chunk);
  }

  /** Everything so far. */
  get text(): string {
    return this.#buffer.toString();
  }

  /** Everything so far, without the line ends. */
  get lines(): string[] {
    return this.text.split("\n").filter((line) => line !== "");
  }

  /** Forgets what was written. */
  clear(): void {
    this.#buffer = new BufferWriter();
  }
}

/** An input stream with a given content. */
export function memoryInput(
  content: Uint8Array | string,
  isTerminal: boolean,
): Reader & { readonly isTerminal: boolean } {
  return {
    isTerminal,
    async *[Symbol.asyncIterator]() {
      if (content.length > 0) yield Buffer.from(content as Uint8Array);
    },
  };
}

/** A terminal whose window a test resizes. */
export class MemoryTerminal implements Terminal {
  /** How the terminal is set now. */
  mode: "cooked" | "raw" | "silent" = "cooked";
  #size: TerminalSize | undefined;
  readonly #listeners = new Set<() => void>();

  /** @param size - `undefined`: standard output is no terminal */
  constructor(size: TerminalSize | undefined) {
    this.#size = size;
  }

  size(): TerminalSize | undefined {
    return this.#size;
  }

  /** Changes the window's size and tells whoever listens. */
  resize(size: TerminalSize): void {
    this.#size = size;
    for (const listener of [...this.#listeners]) listener();
  }

  onResize(handler: () => void): () => void {
    this.#listeners.add(handler);
    return () => {
      this.#listeners.delete(handler);
    };
  }

  async setRaw(): Promise<() => void> {
    return this.#set("raw");
  }

  async disableEcho(): Promise<() => void> {
    return this.#set("silent");
  }

  #set(mode: "raw" | "silent"): () => void {
    this.mode = mode;
    return () => {
      this.mode = "cooked";
    };
  }
}

/** Bytes that are the same in each run with the same seed (xorshift32). */
export class SeededRandom implements Random {
  #state: number;

  /** @param seed - any number; 0 is taken as 1 */
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  bytes(size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++) {
      this.#state ^= this.#state << 13;
      this.#state ^= this.#state >>> 17;
      this.#state ^= this.#state << 5;
      bytes[i] = this.#state >>> 24;
    }
    return bytes;
  }
}
