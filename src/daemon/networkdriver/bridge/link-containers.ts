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

/**
 * Handler of job `link`: `-I` or `-D` for each of `Ports` between `ParentIP` and `ChildIP`, there and back.
 *
 * @origin daemon/networkdriver/bridge/driver.go LinkContainers
 */
export function linkContainers(iptables: Pick<Iptables, "apply">, bridge: string): Handler {
  return async (job) => {
    const [action = ""] = job.args;
    if (!ACTIONS.includes(action)) throw new SystemError(`Cannot link containers: ${action} is no action`);
    const [child, parent] = [job.getenv("ChildIP"), job.getenv("ParentIP")];
    const commands = (job.getenvList("Ports") ?? []).flatMap((spec) => {
      const [port = "", proto = "tcp"] = spec.split("/");
      const over = [action, "FORWARD", "-i", bridge, "-o", bridge, "-p", proto];
      return [
        [...over, "-s", parent, "--dport", port, "-d", child, "-j", "ACCEPT"],
        [...over, "-s", child, "--sport", port, "-d", parent, "-j", "ACCEPT"],
      ];
    });
    try {
      await iptables.apply(commands);
    } catch (cause) {
      if (!job.getenvBool("IgnoreErrors")) throw cause;
    }
  };
}
