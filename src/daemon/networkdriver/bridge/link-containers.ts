/**
 * Lets two containers talk where containers may not (`--icc=false`).
 *
 * @origin daemon/networkdriver/bridge/driver.go LinkContainers
 * @module
 */

import type { Handler } from "../../../engine/job.ts";
import { SystemError } from "../../../errdefs/errdefs.ts";
import type { Iptables } from "../../../pkg/iptables/iptables.ts";

/** What may be done with a link's rules. */
const ACTIONS = ["-A", "-I", "-D"];

/** The rules of all links of a bridge. */
export class ContainerLinks {
  readonly #iptables: Pick<Iptables, "apply">;
  readonly #bridge: string;
  /** Rules that are there, each as often as it was made: two links may lead to the same ports. */
  readonly #rules: (readonly string[])[] = [];

  /** No container is linked yet. */
  constructor(iptables: Pick<Iptables, "apply">, bridge: string) {
    this.#iptables = iptables;
    this.#bridge = bridge;
  }

  /**
   * Job `link`: `-I` or `-D` for each of `Ports` between `ParentIP` and `ChildIP`, there and back.
   *
   * @origin daemon/networkdriver/bridge/driver.go LinkContainers
   */
  readonly toggle: Handler = async (job) => {
    const [action = ""] = job.args;
    if (!ACTIONS.includes(action)) throw new SystemError(`Cannot link containers: ${action} is no action`);
    const rules = (job.getenvList("Ports") ?? []).flatMap((spec) =>
      this.#rulesFor(spec, job.getenv("ParentIP"), job.getenv("ChildIP")),
    );
    if (action === "-D") this.#forget(rules);
    try {
      await this.#iptables.apply(rules.map((rule) => [action, ...rule]));
      if (action !== "-D") this.#rules.push(...rules);
    } catch (cause) {
      if (!job.getenvBool("IgnoreErrors")) throw cause;
    }
  };

  /**
   * Takes all rules back: the daemon ends, and the engine runs no more jobs.
   *
   * @deviation In 1.2.0 they stay when the daemon ends before its containers do.
   */
  async removeAll(): Promise<void> {
    await this.#iptables.apply(this.#rules.splice(0).map((rule) => ["-D", ...rule]));
  }

  #rulesFor(spec: string, parent: string, child: string): string[][] {
    const [port = "", proto = "tcp"] = spec.split("/");
    const over = ["FORWARD", "-i", this.#bridge, "-o", this.#bridge, "-p", proto];
    return [
      [...over, "-s", parent, "--dport", port, "-d", child, "-j", "ACCEPT"],
      [...over, "-s", child, "--sport", port, "-d", parent, "-j", "ACCEPT"],
    ];
  }

  #forget(rules: readonly (readonly string[])[]): void {
    for (const rule of rules) {
      const at = this.#rules.findIndex((one) => one.join(" ") === rule.join(" "));
      if (at >= 0) this.#rules.splice(at, 1);
    }
  }
}
