/**
 * Runs a process that exists in memory only: signals go in, and everything that happens is noted, up to its end.
 *
 * @module
 */

import { type MemoryHost, memoryHost, tee } from "../../src/host/memory/memory.ts";
import { ExitError } from "../../src/host/memory/process.ts";
import type { Text } from "../lib/live.ts";
import type { Asked, Happening, SignalName } from "./arguments.ts";
import { install, STEPS, start } from "./main.ts";
import { DONE, EFFECTS, gaveUp, list, type Step, same } from "./words.ts";

/** What a signal did. */
export type Effect =
  /** The first: shutdown begins. */
  | "begins"
  /** The second and the third. */
  | "counted"
  /** The process ends at once. */
  | "forces"
  /** Handled by doing nothing. */
  | "dropped"
  /** The system ends the process. */
  | "unhandled";

/** A signal that arrived. */
export interface Arrival {
  readonly at: number;
  readonly name: SignalName;
  readonly effect: Effect;
}

/** A client that wanted a job. */
export interface Ask {
  readonly at: number;
  readonly answer: Text;
  readonly ran: boolean;
}

/** Something that took time; without `to` the end of the process came first. */
export interface Stretch {
  readonly name: string;
  readonly from: number;
  to?: number;
}

/** Something worth a line. */
export interface Note {
  readonly at: number;
  readonly who: string;
  readonly what: Text;
}

/** How it ended. */
export interface End {
  readonly at: number;
  /** `undefined`: the process lives. */
  readonly status: number | undefined;
  /** The signal whose default action ended it. */
  readonly signal?: SignalName;
}

/** Everything that happened, in milliseconds; text and picture are made from it. */
export interface Trace {
  readonly asked: Asked;
  readonly arrivals: readonly Arrival[];
  readonly asks: readonly Ask[];
  readonly jobs: readonly Stretch[];
  readonly handlers: readonly Stretch[];
  /** When the engine stopped taking jobs, and when it turned to the handlers. */
  readonly shutdownAt: number | undefined;
  readonly handlersAt: number | undefined;
  readonly notes: readonly Note[];
  readonly end: End;
}

/** Longer than any shutdown. */
const PATIENCE = 20_000;

/** Runs a process until it ends, or until nothing more can happen. */
export async function follow(asked: Asked): Promise<Trace> {
  return new Run(asked).run();
}

class Run {
  readonly #asked: Asked;
  readonly #host: MemoryHost;
  readonly #arrivals: Arrival[] = [];
  readonly #asks: Ask[] = [];
  readonly #jobs: Stretch[] = [];
  readonly #handlers: Stretch[] = [];
  readonly #notes: Note[] = [];
  readonly #eng;
  #shutdownAt: number | undefined;
  #handlersAt: number | undefined;
  #end: End | undefined;
  #forced = false;

  constructor(asked: Asked) {
    this.#asked = asked;
    const host = memoryHost({ env: { HOME: "/root", ...(asked.debug ? { DEBUG: "1" } : {}) } });
    // Noted before it throws: a real process would be gone.
    const exit = host.signals.exit.bind(host.signals);
    host.signals.exit = (code) => {
      this.#stop({ at: this.#now, status: code });
      return exit(code);
    };
    this.#host = host;
    const started = start(["-d"], host);
    if (started === undefined) throw new TypeError("docker -d leaves no argument over");
    this.#eng = started.eng;
    this.#eng.logging = false;
    tee(host, { write: (chunk) => this.#log(String(chunk)) });
    install(this.#eng, (step) => this.#step(step));
  }

  async run(): Promise<Trace> {
    this.#job("serveapi", Number.POSITIVE_INFINITY);
    if (this.#asked.job !== undefined) this.#job("build", this.#asked.job);
    this.#eng.register("ps", () => undefined);
    for (const happening of this.#asked.happenings) {
      await this.#host.clock.advance(happening.at - this.#now);
      if (this.#end !== undefined) break;
      await this.#happen(happening);
    }
    if (this.#eng.isShutdown()) await this.#host.clock.advance(PATIENCE);
    const end = this.#end ?? { at: this.#now, status: undefined };
    if (end.status === undefined && end.signal === undefined)
      this.#note("process", { en: "lives on", zh: "继续运行" }, true);
    return {
      asked: this.#asked,
      arrivals: this.#arrivals,
      asks: this.#asks,
      jobs: this.#jobs,
      handlers: this.#handlers,
      shutdownAt: this.#shutdownAt,
      handlersAt: this.#handlersAt,
      notes: this.#notes,
      end,
    };
  }

  get #now(): number {
    return this.#host.clock.monotonicMs();
  }

  /** A process that has ended does nothing more, though its code still runs here. */
  #note(who: string, what: Text, last = false): void {
    if (this.#end === undefined || last) this.#notes.push({ at: this.#now, who, what });
  }

  #stretch(into: Stretch[], name: string): (() => void) | undefined {
    if (this.#end !== undefined) return undefined;
    const stretch: Stretch = { name, from: this.#now };
    into.push(stretch);
    return () => {
      if (this.#end === undefined) stretch.to = this.#now;
    };
  }

  /** Runs a job that takes so long. */
  #job(name: string, ms: number): void {
    this.#eng.register(name, async () => {
      const ended = this.#stretch(this.#jobs, name);
      await this.#sleep(ms);
      ended?.();
      this.#note(name, { en: "ends", zh: "结束" });
    });
    this.#eng
      .job(name)
      .run()
      .catch(() => undefined);
  }

  #sleep(ms: number): Promise<void> {
    return ms === Number.POSITIVE_INFINITY ? new Promise(() => undefined) : this.#host.clock.sleep(ms);
  }

  async #step(step: Step): Promise<void> {
    if (this.#end !== undefined) return;
    if (this.#handlersAt === undefined) {
      this.#handlersAt = this.#now;
      const left = this.#unfinished(this.#jobs).filter((name) => name !== "serveapi");
      if (left.length > 0) this.#note("engine", gaveUp(left));
      this.#note("engine", { en: "calls the handlers, 10 s at most", zh: "调用各个 handler，最多 10 秒" });
    }
    const ended = this.#stretch(this.#handlers, step);
    if (step === "containers") {
      this.#note(step, { en: "are told to stop", zh: "被要求停止" });
      await this.#sleep(this.#asked.handler);
    }
    ended?.();
    this.#note(step, DONE[step]);
  }

  #unfinished(stretches: readonly Stretch[]): string[] {
    return stretches.filter(({ to }) => to === undefined).map(({ name }) => name);
  }

  #log(text: string): void {
    for (const line of text.split("\n").filter((part) => part !== "")) {
      this.#note("log", same(line.replace(/^\d{4}\/\d\d\/\d\d [\d:]{8} /, "")));
      if (line.includes("Force shutdown")) this.#forced = true;
    }
  }

  #stop(end: End): void {
    if (this.#end !== undefined) return;
    const stuck = this.#handlersAt === undefined ? [] : this.#unfinished(this.#handlers);
    if (end.status === 0 && stuck.length > 0) this.#note("engine", gaveUp(stuck));
    const how =
      end.signal === undefined
        ? { en: `exit status ${end.status}`, zh: `退出状态 ${end.status}` }
        : { en: `ended by SIG${end.signal}`, zh: `终止于 SIG${end.signal}` };
    const undone = ["pid file", ...STEPS].filter(
      (name) => !this.#handlers.some((done) => done.name === name && done.to !== undefined),
    );
    const rest =
      undone.length === 0 ? same("") : { en: `; not done: ${list(undone).en}`, zh: `；未做：${list(undone).zh}` };
    this.#note("process", { en: how.en + rest.en, zh: how.zh + rest.zh });
    this.#end = end;
  }

  async #happen({ what, at }: Happening): Promise<void> {
    if (what === "NEW") {
      let refusal: string | undefined;
      await this.#eng
        .job("ps")
        .run()
        .catch((cause: Error) => {
          refusal = cause.message;
        });
      const answer = refusal === undefined ? { en: "it runs", zh: "运行了" } : same(refusal);
      this.#asks.push({ at, answer, ran: refusal === undefined });
      this.#note("client", { en: `wants a job: ${answer.en}`, zh: `想要一个 job：${answer.zh}` });
      return;
    }
    const before = this.#eng.isShutdown();
    const lines = this.#notes.length + 1;
    this.#note(`SIG${what}`, same(""));
    let handled = true;
    try {
      handled = this.#host.signals.raise(`SIG${what}`);
    } catch (cause) {
      if (!(cause instanceof ExitError)) throw cause;
    }
    if (this.#eng.isShutdown() && !before) {
      this.#shutdownAt = at;
      const waits = this.#unfinished(this.#jobs).filter((name) => name !== "serveapi");
      const wait =
        waits.length === 0
          ? { en: "waits for none", zh: "也无需等待" }
          : { en: `waits for ${list(waits).en}, 5 s at most`, zh: `等待 ${list(waits).zh}，最多 5 秒` };
      this.#note("engine", { en: `takes no new jobs, ${wait.en}`, zh: `不再接收新的 job，${wait.zh}` });
    }
    await this.#host.clock.advance(0);
    if (!handled) this.#stop({ at, status: undefined, signal: what });
    const effect = this.#effect(handled, before, lines);
    this.#arrivals.push({ at, name: what, effect });
    this.#notes[lines - 1] = {
      at,
      who: `SIG${what}`,
      what: { en: `arrives: ${EFFECTS[effect].en}`, zh: `到达：${EFFECTS[effect].zh}` },
    };
  }

  #effect(handled: boolean, before: boolean, lines: number): Effect {
    if (!handled) return "unhandled";
    if (this.#eng.isShutdown() && !before) return "begins";
    if (this.#forced || this.#end !== undefined) return "forces";
    return this.#notes.slice(lines).some(({ who }) => who === "log") ? "counted" : "dropped";
  }
}
