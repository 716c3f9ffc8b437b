/**
 * Docker's command line flags: Go's `flag` package with short and long names, grouped letters and deprecated names.
 *
 * A flag is declared with a list of names, written as they follow the first dash:
 *
 * ```text
 * "d"            typed -d
 * "-daemon"      typed --daemon
 * "#bip"         typed -bip: works, warns, and no usage screen shows it
 * ```
 *
 * @origin pkg/mflag/flag.go
 * @article 001/5.0
 * @module
 */

import type { Writer } from "../../sync/io.ts";
import { quote } from "../strconv/strconv.ts";
import { FlagError, FlagPanic, HelpRequested } from "./errors.ts";
import { type Flag, flagTable, sortFlags } from "./flag.ts";
import {
  boolKind,
  durationKind,
  floatKind,
  intKind,
  type Kind,
  SimpleValue,
  stringKind,
  uintKind,
  type Value,
} from "./values.ts";

/** What a declaration returns: read it after {@link FlagSet.parse}. */
export interface FlagHandle<T> {
  /** The flag's value, or its default. */
  value: T;
  /** Whether the command line named it. */
  readonly isSet: boolean;
  readonly flag: Flag;
}

/**
 * What happens on a wrong command line, after message and usage were written: `continue` throws the {@link FlagError},
 * `exit` ends the program with status 2, `panic` throws a {@link FlagPanic}.
 *
 * @origin pkg/mflag/flag.go ErrorHandling
 */
export type ErrorHandling = "continue" | "exit" | "panic";

/** What a flag set touches. */
export interface FlagSetHost {
  /** Receives warnings, messages and the usage screen. */
  readonly stderr: Writer;
  /** Ends the program; needed by sets that exit. */
  readonly exit: (code: number) => never;
}

/** Marks "no such flag, perhaps a group of letters". */
const retry = Symbol("retry");

/** @origin pkg/mflag/flag.go FlagSet */
export class FlagSet {
  readonly name: string;
  /** Writes the usage screen; replaceable. By default `Usage of <name>:` and the flags. */
  usage: () => void = () => this.defaultUsage();
  /** Receives warnings, messages and the usage screen; replaceable. */
  output: Writer;
  readonly #errorHandling: ErrorHandling;
  readonly #exit: (code: number) => never;
  readonly #formal = new Map<string, Flag>();
  readonly #actual = new Set<Flag>();
  #args: string[] = [];
  #parsed = false;

  /** @param name - shown in the usage screen and in the text of a redefinition */
  constructor(name: string, errorHandling: ErrorHandling, host: FlagSetHost) {
    this.name = name;
    this.output = host.stderr;
    this.#errorHandling = errorHandling;
    this.#exit = host.exit;
  }

  /** Declares a flag that is on or off. @origin pkg/mflag/flag.go (*FlagSet).Bool */
  bool(names: readonly string[], value: boolean, usage: string): FlagHandle<boolean> {
    return this.#simple(names, value, usage, boolKind);
  }

  /** Declares a whole number of 64 bits. @origin pkg/mflag/flag.go (*FlagSet).Int */
  int(names: readonly string[], value: number, usage: string): FlagHandle<number> {
    return this.#simple(names, value, usage, intKind);
  }

  /** The same as {@link int}. @origin pkg/mflag/flag.go (*FlagSet).Int64 */
  int64(names: readonly string[], value: number, usage: string): FlagHandle<number> {
    return this.#simple(names, value, usage, intKind);
  }

  /** Declares a number that is never negative. @origin pkg/mflag/flag.go (*FlagSet).Uint */
  uint(names: readonly string[], value: number, usage: string): FlagHandle<number> {
    return this.#simple(names, value, usage, uintKind);
  }

  /** The same as {@link uint}. @origin pkg/mflag/flag.go (*FlagSet).Uint64 */
  uint64(names: readonly string[], value: number, usage: string): FlagHandle<number> {
    return this.#simple(names, value, usage, uintKind);
  }

  /** Declares a text. @origin pkg/mflag/flag.go (*FlagSet).String */
  string(names: readonly string[], value: string, usage: string): FlagHandle<string> {
    return this.#simple(names, value, usage, stringKind);
  }

  /** Declares a number with a fraction. @origin pkg/mflag/flag.go (*FlagSet).Float64 */
  float64(names: readonly string[], value: number, usage: string): FlagHandle<number> {
    return this.#simple(names, value, usage, floatKind);
  }

  /** Declares a length of time, in milliseconds. @origin pkg/mflag/flag.go (*FlagSet).Duration */
  duration(names: readonly string[], value: number, usage: string): FlagHandle<number> {
    return this.#simple(names, value, usage, durationKind);
  }

  /**
   * Declares a flag of the caller's own kind, such as a list.
   *
   * @throws {FlagPanic} when a name is taken
   * @origin pkg/mflag/flag.go (*FlagSet).Var
   */
  var<V extends Value>(value: V, names: readonly string[], usage: string): FlagHandle<V> {
    const flag = this.#declare(value, names, usage);
    const actual = this.#actual;
    return {
      value,
      flag,
      get isSet() {
        return actual.has(flag);
      },
    };
  }

  #simple<T>(names: readonly string[], initial: T, usage: string, kind: Kind<T>): FlagHandle<T> {
    const holder = new SimpleValue(initial, kind);
    const flag = this.#declare(holder, names, usage);
    const actual = this.#actual;
    return {
      flag,
      get value() {
        return holder.current;
      },
      set value(value: T) {
        holder.current = value;
      },
      get isSet() {
        return actual.has(flag);
      },
    };
  }

  #declare(value: Value, names: readonly string[], usage: string): Flag {
    const flag: Flag = { names, usage, value, defValue: value.toString() };
    for (const declared of names) {
      const name = declared.replace(/^#/, "");
      if (this.#formal.has(name)) {
        const text = this.name === "" ? `flag redefined: ${name}` : `${this.name} flag redefined: ${name}`;
        this.#print(`${text}\n`);
        throw new FlagPanic(text);
      }
      this.#formal.set(name, flag);
    }
    return flag;
  }

  /** The arguments after the flags. @origin pkg/mflag/flag.go (*FlagSet).Args */
  args(): string[] {
    return this.#args;
  }

  /** The `index`th argument after the flags, or the empty text. @origin pkg/mflag/flag.go (*FlagSet).Arg */
  arg(index: number): string {
    return this.#args[index] ?? "";
  }

  /** How many arguments are left after the flags. @origin pkg/mflag/flag.go (*FlagSet).NArg */
  nArg(): number {
    return this.#args.length;
  }

  /** How many flags were set. @origin pkg/mflag/flag.go (*FlagSet).NFlag */
  nFlag(): number {
    return this.#actual.size;
  }

  /** Whether {@link parse} was called. @origin pkg/mflag/flag.go (*FlagSet).Parsed */
  parsed(): boolean {
    return this.#parsed;
  }

  /** The flag of this name, written as in the declaration without `#`. @origin pkg/mflag/flag.go (*FlagSet).Lookup */
  lookup(name: string): Flag | undefined {
    return this.#formal.get(name);
  }

  /** Whether the flag of this name was set, by whichever of its names. @since Docker 1.3 */
  isSet(name: string): boolean {
    const flag = this.#formal.get(name);
    return flag !== undefined && this.#actual.has(flag);
  }

  /** Sets a flag as the command line would. @origin pkg/mflag/flag.go (*FlagSet).Set */
  set(name: string, text: string): void {
    const flag = this.#formal.get(name);
    if (flag === undefined) throw new FlagError(`no such flag -${name}`);
    flag.value.set(text);
    this.#actual.add(flag);
  }

  /** Calls `visit` for every flag, in the order of the usage screen. @origin pkg/mflag/flag.go (*FlagSet).VisitAll */
  visitAll(visit: (flag: Flag) => void): void {
    for (const flag of sortFlags(new Set(this.#formal.values()))) visit(flag);
  }

  /** The same for the flags that were set. @origin pkg/mflag/flag.go (*FlagSet).Visit */
  visit(visit: (flag: Flag) => void): void {
    for (const flag of sortFlags(this.#actual)) visit(flag);
  }

  /** Writes the table of flags, their defaults and help. @origin pkg/mflag/flag.go (*FlagSet).PrintDefaults */
  printDefaults(): void {
    this.#print(flagTable(new Set(this.#formal.values())));
  }

  /** The usage screen of a set that has no other. @origin pkg/mflag/flag.go defaultUsage */
  defaultUsage(): void {
    this.#print(this.name === "" ? "Usage:\n" : `Usage of ${this.name}:\n`);
    this.printDefaults();
  }

  /**
   * Reads flags up to the first argument that is none.
   *
   * @param args - the command line without the command's name
   * @throws {FlagError} in a set that continues; {HelpRequested} when it was `-h`, `-help` or `--help`
   * @origin pkg/mflag/flag.go (*FlagSet).Parse
   */
  parse(args: readonly string[]): void {
    this.#parsed = true;
    this.#args = [...args];
    try {
      while (this.#parseNext());
    } catch (cause) {
      if (!(cause instanceof FlagError) || this.#errorHandling === "continue") throw cause;
      if (this.#errorHandling === "exit") this.#exit(2);
      throw new FlagPanic(cause.message, { cause });
    }
  }

  /** Parses one flag or one group of letters. Answers whether there may be more. */
  #parseNext(): boolean {
    const seen = this.#parseOne();
    if (typeof seen === "boolean") return seen;
    const letters = [...seen.name];
    if (letters.length <= 1) throw this.#fail(`flag provided but not defined: -${seen.name}`);
    for (const letter of letters) {
      this.#args.unshift(`-${letter}`);
      try {
        const inner = this.#parseOne();
        if (typeof inner === "boolean") continue;
      } catch (cause) {
        if (!(cause instanceof FlagError)) throw cause;
      }
      throw this.#fail(`flag provided but not defined: -${seen.name}`);
    }
    return true;
  }

  /** @origin pkg/mflag/flag.go (*FlagSet).parseOne */
  #parseOne(): boolean | { kind: typeof retry; name: string } {
    const arg = this.#args[0];
    if (arg === undefined || !arg.startsWith("-") || arg === "-") return false;
    if (arg === "--") {
      this.#args.shift();
      return false;
    }
    if (arg[1] === "=") throw this.#fail(`bad flag syntax: ${arg}`);
    this.#args.shift();
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg.slice(1) : arg.slice(1, equals);
    const given = equals < 0 ? undefined : trimQuotes(arg.slice(equals + 1));

    const flag = this.#formal.get(name);
    if (flag === undefined) {
      if (name === "-help" || name === "help" || name === "h") {
        this.usage();
        throw new HelpRequested();
      }
      if (name.startsWith("-")) throw this.#fail(`flag provided but not defined: -${name}`);
      return { kind: retry, name };
    }
    if (flag.value.isBoolFlag) this.#setBool(flag, name, given);
    else this.#setValue(flag, name, given);
    this.#actual.add(flag);
    this.#warn(flag, name);
    return true;
  }

  #setBool(flag: Flag, name: string, given: string | undefined): void {
    try {
      flag.value.set(given ?? "true");
    } catch (cause) {
      throw this.#fail(`invalid boolean value ${quote(given ?? "true")} for  -${name}: ${textOf(cause)}`, cause);
    }
  }

  #setValue(flag: Flag, name: string, given: string | undefined): void {
    const text = given ?? this.#args.shift();
    if (text === undefined) throw this.#fail(`flag needs an argument: -${name}`);
    try {
      flag.value.set(text);
    } catch (cause) {
      throw this.#fail(`invalid value ${quote(text)} for flag -${name}: ${textOf(cause)}`, cause);
    }
  }

  /** Warns once for each use of a deprecated name. */
  #warn(flag: Flag, name: string): void {
    const at = flag.names.indexOf(`#${name}`);
    if (at < 0) return;
    const replacement = flag.names.slice(at).find((other) => !other.startsWith("#"));
    const fate = replacement === undefined ? "removed" : `replaced by '-${replacement}'`;
    this.#print(`Warning: '-${name}' is deprecated, it will be ${fate} soon. See usage.\n`);
  }

  /** Writes message and usage, and makes the error to throw. @origin pkg/mflag/flag.go (*FlagSet).failf */
  #fail(text: string, cause?: unknown): FlagError {
    this.#print(`${text}\n`);
    this.usage();
    return new FlagError(text, { cause });
  }

  #print(text: string): void {
    void this.output.write(text);
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Takes one pair of equal quotes off.
 *
 * @origin pkg/mflag/flag.go trimQuotes
 * @deviation A value that is one quote character alone stays; 1.2.0 panics on it.
 */
function trimQuotes(text: string): string {
  const first = text[0];
  const quoted = text.length > 1 && (first === '"' || first === "'") && text.endsWith(first);
  return quoted ? text.slice(1, -1) : text;
}
