/**
 * The rules that let containers out, and others in.
 *
 * @origin daemon/networkdriver/bridge/driver.go setupIPTables
 * @module
 */

import { messageOf, SystemError } from "../../../errdefs/errdefs.ts";
import type { Runner } from "../../../pkg/iptables/iptables.ts";
import { canonical } from "../../../pkg/iptables/rules.ts";
import type { Logger } from "../../../pkg/log/log.ts";

/** What the rules depend on. */
export interface FilterOptions {
  readonly bridge: string;
  /** Address and network of the bridge, `172.17.42.1/16`. */
  readonly network: string;
  /** Whether containers may talk to each other. */
  readonly icc: boolean;
  /** Whether packets of containers leave under the host's address. @since Docker 1.3 */
  readonly ipMasq: boolean;
}

/** Adds what is missing. The order of the commands is 1.2.0's. */
export async function setupIPTables(run: Runner, log: Logger, options: FilterOptions): Promise<void> {
  const { bridge, network, icc, ipMasq } = options;
  const nat = ["POSTROUTING", "-t", "nat", "-s", network, "!", "-o", bridge, "-j", "MASQUERADE"];
  if (ipMasq) {
    await ensure(run, nat, "Unable to enable network bridge NAT", "Error iptables postrouting");
  } else {
    await run.raw("-D", ...nat).catch(() => ""); // an earlier daemon may have wanted it
  }

  const between = ["FORWARD", "-i", bridge, "-o", bridge, "-j"];
  if (icc) {
    await run.raw("-D", ...between, "DROP").catch(() => "");
    await ensure(
      run,
      [...between, "ACCEPT"],
      "Unable to allow intercontainer communication",
      "Error enabling intercontainer communication",
      () => log.debug("driver.go:210", "Enable inter-container communication"),
    );
  } else {
    await run.raw("-D", ...between, "ACCEPT").catch(() => "");
    await ensure(
      run,
      [...between, "DROP"],
      "Unable to prevent intercontainer communication",
      "Error disabling intercontainer communication",
      () => log.debug("driver.go:199", "Disable inter-container communication"),
    );
  }

  const outgoing = ["FORWARD", "-i", bridge, "!", "-o", bridge, "-j", "ACCEPT"];
  await ensure(run, outgoing, "Unable to allow outgoing packets", "Error iptables allow outgoing");
  const existing = ["FORWARD", "-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"];
  await ensure(run, existing, "Unable to allow incoming packets", "Error iptables allow incoming");
}

/** Inserts a rule where it is not there yet. */
async function ensure(
  run: Runner,
  rule: string[],
  failure: string,
  complaint: string,
  missing?: () => void,
): Promise<void> {
  if (await run.exists(...rule)) return;
  missing?.();
  let output: string;
  try {
    output = await run.raw("-I", ...rule);
  } catch (cause) {
    throw new SystemError(`${failure}: ${messageOf(cause)}`, { cause });
  }
  if (output !== "") throw new SystemError(`${complaint}: ${output}`);
}

/**
 * Removes the rules of published ports and links that a killed daemon left in FORWARD: their containers are gone, and
 * their addresses will be given to others, who published nothing.
 *
 * @deviation 1.2.0 leaves them for ever.
 */
export async function removeLeftovers(run: Runner, bridge: string): Promise<void> {
  for (const rule of await run.rules("filter", "FORWARD")) {
    if (isPublished(rule, bridge)) await run.raw("-D", "FORWARD", ...rule).catch(() => "");
  }
}

/** Whether a rule accepts packets over the bridge for one address and one port, and nothing else. */
function isPublished(rule: readonly string[], bridge: string): boolean {
  const options = canonical(rule).split("\n");
  const names = options.map((option) => option.split(" ").slice(0, -1).join(" "));
  const shape = names.join(",");
  return (
    options.includes(`-o ${bridge}`) &&
    options.includes("-j ACCEPT") &&
    options.some((option) => /^-d \S+\/32$/.test(option)) &&
    ((shape === "! -i,--dport,-d,-j,-o,-p" && options.includes(`! -i ${bridge}`)) ||
      (/^--[ds]port,-d,-i,-j,-o,-p,-s$/.test(shape) && options.includes(`-i ${bridge}`)))
  );
}
