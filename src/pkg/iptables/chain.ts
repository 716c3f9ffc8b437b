/**
 * A chain of the table `nat` with a bridge: where published ports are entered.
 *
 * @origin pkg/iptables/iptables.go Chain
 * @module
 */

import { messageOf, SystemError } from "../../errdefs/errdefs.ts";
import type { Iptables, Runner } from "./iptables.ts";

/** @origin pkg/iptables/iptables.go Action */
export type Action = "-A" | "-D";

/** Packets to an address of this machine. */
const LOCAL = ["-m", "addrtype", "--dst-type", "LOCAL"];

/** The same, but for 127.0.0.0/8: what a program here sends there never leaves loopback. */
const LOCAL_NOT_LOOPBACK = [...LOCAL, "!", "--dst", "127.0.0.0/8"];

/** A chain that exists. */
export class Chain {
  readonly name: string;
  readonly bridge: string;

  private constructor(name: string, bridge: string) {
    this.name = name;
    this.bridge = bridge;
  }

  /** Makes the chain and sends packets for this machine through it. @origin pkg/iptables/iptables.go NewChain */
  static async create(run: Runner, name: string, bridge: string): Promise<Chain> {
    const output = await run.raw("-t", "nat", "-N", name);
    if (output !== "") throw new SystemError(`Error creating new iptables chain: ${output}`);
    await wrap("Failed to inject docker in PREROUTING chain", () => jump(run, "-A", "PREROUTING", name, LOCAL));
    await wrap("Failed to inject docker in OUTPUT chain", () => jump(run, "-A", "OUTPUT", name, LOCAL_NOT_LOOPBACK));
    return new Chain(name, bridge);
  }

  /**
   * Removes whatever of the chain an earlier daemon left, also one of long ago.
   *
   * @origin pkg/iptables/iptables.go RemoveExistingChain
   */
  static async removeExisting(run: Runner, name: string): Promise<void> {
    const attempts: (() => Promise<unknown>)[] = [
      () => jump(run, "-D", "PREROUTING", name, LOCAL),
      () => jump(run, "-D", "OUTPUT", name, LOCAL_NOT_LOOPBACK),
      () => jump(run, "-D", "OUTPUT", name, LOCAL), // as of 0.1.6 and before
      () => jump(run, "-D", "PREROUTING", name, []),
      () => jump(run, "-D", "OUTPUT", name, []),
      () => run.raw("-t", "nat", "-F", name),
      () => run.raw("-t", "nat", "-X", name),
    ];
    // Each may fail: most of them never were there.
    for (const attempt of attempts) await attempt().catch(() => undefined);
  }

  /**
   * Publishes a port of a container, or takes it back.
   *
   * @param ip - address of this machine; `0.0.0.0` is any
   * @origin pkg/iptables/iptables.go (*Chain).Forward
   */
  async forward(
    iptables: Iptables,
    action: Action,
    { proto, ip, port, toIp, toPort }: { proto: string; ip: string; port: number; toIp: string; toPort: number },
  ): Promise<void> {
    const { bridge } = this;
    await iptables.apply([
      [
        ...["-t", "nat", action, this.name, "-p", proto, "-d", ip === "0.0.0.0" ? "0/0" : ip, "--dport", `${port}`],
        ...["!", "-i", bridge, "-j", "DNAT", "--to-destination", `${toIp}:${toPort}`],
      ],
      [
        ...[action === "-A" ? "-I" : action, "FORWARD", "!", "-i", bridge, "-o", bridge, "-p", proto],
        ...["-d", toIp, "--dport", `${toPort}`, "-j", "ACCEPT"],
      ],
    ]);
  }
}

/** Adds or removes the rule of a built-in chain that leads to ours. @origin pkg/iptables/iptables.go (*Chain).Prerouting, (*Chain).Output */
async function jump(run: Runner, action: Action, from: string, to: string, match: readonly string[]): Promise<void> {
  const output = await run.raw("-t", "nat", action, from, ...match, "-j", to);
  if (output !== "") throw new SystemError(`Error iptables ${from.toLowerCase()}: ${output}`);
}

/** Says what a failure was about. */
async function wrap(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new SystemError(`${what}: ${messageOf(cause)}`, { cause });
  }
}
