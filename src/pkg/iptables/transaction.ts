/**
 * Many commands, three processes.
 *
 * A daemon's boot looks for some rules and adds some: seventeen commands, 3 ms each, and on a busy machine each waits
 * for the lock anew. A transaction reads the rules once, answers every question from that, notes every change, and
 * makes all of them at its end.
 *
 * @module
 */

import { SystemError } from "../../errdefs/errdefs.ts";
import { failed, type Iptables, type Runner } from "./iptables.ts";
import { canonical, parseCommand, parseSave, type RuleCommand, type RuleSet } from "./rules.ts";

/** What `iptables` says, and it exits with 1. */
const BAD_RULE = "iptables: Bad rule (does a matching rule exist in that chain?).\n";
const NO_CHAIN = "iptables: No chain/target/match by that name.\n";
const CHAIN_EXISTS = "iptables: Chain already exists.\n";

/** Rules as they will be, and the commands that make them so. */
export class Transaction implements Runner {
  readonly #iptables: Iptables;
  readonly #rules: RuleSet;
  readonly #commands: string[][] = [];

  private constructor(iptables: Iptables, rules: RuleSet) {
    this.#iptables = iptables;
    this.#rules = rules;
  }

  /** Reads the rules. @returns `undefined` where they cannot be read: then run the commands one by one */
  static async open(iptables: Iptables): Promise<Transaction | undefined> {
    const [saved] = await Promise.all([iptables.save(), iptables.supportsXlock()]);
    return saved === undefined ? undefined : new Transaction(iptables, parseSave(saved));
  }

  /** As they are now, in the transaction. */
  async rules(table: string, chain: string): Promise<readonly (readonly string[])[]> {
    return [...this.#chain(table, chain)];
  }

  async exists(...args: string[]): Promise<boolean> {
    await this.#iptables.prepare(["-C", ...args]);
    const { table, chain, rule } = parseCommand(["-C", ...args]);
    return this.#find(table, chain, rule) >= 0;
  }

  async raw(...args: string[]): Promise<string> {
    const full = await this.#iptables.prepare(args);
    const complaint = this.#change(parseCommand(args));
    if (complaint !== undefined) throw failed(full, complaint, { code: 1, signal: undefined });
    this.#commands.push(args);
    return "";
  }

  /**
   * Makes the changes.
   *
   * @returns `false` when they were refused, or some of them: the caller cannot know which
   */
  commit(): Promise<boolean> {
    return this.#iptables.restore(this.#commands.splice(0));
  }

  #chain(table: string, chain: string): readonly (readonly string[])[] {
    return this.#rules.get(table)?.get(chain) ?? [];
  }

  #find(table: string, chain: string, rule: readonly string[]): number {
    const wanted = canonical(rule);
    return this.#chain(table, chain).findIndex((one) => canonical(one) === wanted);
  }

  /** @returns what `iptables` would say, when it would refuse */
  #change({ table, action, chain, rule }: RuleCommand): string | undefined {
    const chains = this.#rules.get(table) ?? new Map<string, string[][]>();
    this.#rules.set(table, chains);
    const rules = chains.get(chain);
    if (action === "-N") {
      if (rules !== undefined) return CHAIN_EXISTS;
      chains.set(chain, []);
      return undefined;
    }
    // A rule whose target is a chain that is not there cannot be in the list, so for -D it is a bad rule all the same.
    if (rules === undefined) return NO_CHAIN;
    switch (action) {
      case "-A":
        rules.push([...rule]);
        return undefined;
      case "-I":
        rules.unshift([...rule]);
        return undefined;
      case "-F":
        rules.length = 0;
        return undefined;
      case "-X":
        chains.delete(chain);
        return undefined;
      default: {
        const at = this.#find(table, chain, rule);
        if (at < 0) return BAD_RULE;
        rules.splice(at, 1);
        return undefined;
      }
    }
  }
}

/**
 * Does work that asks for rules and changes them, in a transaction if that is possible.
 *
 * @param work - must come to the same when it is done twice: it is done again, command by command, when the
 *   transaction is refused. Then its errors name the rule that is wrong.
 */
export async function transact<T>(iptables: Iptables, work: (run: Runner) => Promise<T>): Promise<T> {
  const transaction = await Transaction.open(iptables);
  if (transaction !== undefined) {
    try {
      const result = await work(transaction);
      if (await transaction.commit()) return result;
    } catch (cause) {
      if (!(cause instanceof SystemError)) throw cause;
    }
  }
  return await work(iptables);
}
