/**
 * What the daemon's command line decides.
 *
 * @origin daemon/config.go
 * @article 001/5.0
 * @module
 */

import type { Host } from "../host/host.ts";
import { ipVar } from "../opts/ip.ts";
import { dnsSearchListVar, ipListVar, type ListOpts, listVar, mirrorListVar } from "../opts/opts.ts";
import type { FlagHandle, FlagSet } from "../pkg/mflag/mflag.ts";

/** @origin daemon/config.go defaultNetworkMtu */
const defaultNetworkMtu = 1500;

/** The `--bridge` that means no network at all. @origin daemon/config.go DisableNetworkBridge */
export const disableNetworkBridge = "none";

/** @origin daemon/config.go Config */
export interface DaemonConfig {
  /** Path of the file that holds the daemon's process id. */
  pidfile: string;
  /** Directory of everything the daemon keeps. */
  root: string;
  /** Starts containers again that ran when the daemon stopped, if they ask for no restart policy. */
  autoRestart: boolean;
  /** Addresses. */
  dns: string[];
  dnsSearch: string[];
  enableIptables: boolean;
  enableIpForward: boolean;
  /** Hides containers behind the host's address; counts only with {@link enableIptables}. @since Docker 1.3 */
  enableIpMasq: boolean;
  /** Where ports are published that name no address. */
  defaultIp: string;
  /** Name of a bridge that exists; empty: docker0 is made. */
  bridgeIface: string;
  /** Address and prefix of the bridge to make, `10.0.0.1/24`. */
  bridgeIP: string;
  /** Subnet containers get their addresses from; empty: the bridge's. @since Docker 1.3 */
  fixedCIDR: string;
  interContainerCommunication: boolean;
  /** Name of the storage driver; empty: the first that works. */
  graphDriver: string;
  graphOptions: string[];
  execDriver: string;
  /** Bytes; 0: that of the default route's link, see {@link getDefaultNetworkMtu}. */
  mtu: number;
  enableSelinuxSupport: boolean;
  /** Base addresses of mirrors, with `/v1/`. @since Docker 1.3 */
  mirrors: string[];
  /** Hosts, `host:port`, or subnets; a registry on this machine needs no mention. @since Docker 1.3.1 */
  insecureRegistries: string[];
  /** Whether {@link bridgeIface} is `none`. */
  readonly disableNetwork: boolean;
}

/**
 * Declares the daemon's flags.
 *
 * @returns the configuration, which has the flags' values as soon as the set was parsed
 * @origin daemon/config.go (*Config).InstallFlags
 */
export function installDaemonFlags(fs: FlagSet): DaemonConfig {
  const lists = declareLists(fs);
  const simple = declareSimple(fs);
  const config = {
    get disableNetwork() {
      return simple.bridgeIface.value === disableNetworkBridge;
    },
  };
  for (const [key, flag] of Object.entries<FlagHandle<unknown>>(simple)) bind(config, key, flag);
  for (const [key, list] of Object.entries(lists))
    Object.defineProperty(config, key, { value: list, enumerable: true });
  return config as DaemonConfig;
}

/** Makes a property that is the flag's value. */
function bind(config: object, key: string, flag: FlagHandle<unknown>): void {
  const get = () => flag.value;
  const set = (value: unknown) => {
    flag.value = value;
  };
  Object.defineProperty(config, key, { get, set, enumerable: true });
}

function declareSimple(fs: FlagSet) {
  const ip = ipVar(fs, ["#ip", "-ip"], "0.0.0.0", "Default IP address to use when binding container ports");
  return {
    pidfile: fs.string(["p", "-pidfile"], "/var/run/docker.pid", "Path to use for daemon PID file"),
    root: fs.string(["g", "-graph"], "/var/lib/docker", "Path to use as the root of the Docker runtime"),
    autoRestart: fs.bool(
      ["#r", "#-restart"],
      true,
      "--restart on the daemon has been deprecated infavor of --restart policies on docker run",
    ),
    enableIptables: fs.bool(["#iptables", "-iptables"], true, "Enable Docker's addition of iptables rules"),
    enableIpForward: fs.bool(["#ip-forward", "-ip-forward"], true, "Enable net.ipv4.ip_forward"),
    enableIpMasq: fs.bool(["-ip-masq"], true, "Enable IP masquerading for bridge's IP range"),
    bridgeIP: fs.string(
      ["#bip", "-bip"],
      "",
      "Use this CIDR notation address for the network bridge's IP, not compatible with -b",
    ),
    bridgeIface: fs.string(
      ["b", "-bridge"],
      "",
      "Attach containers to a pre-existing network bridge\nuse 'none' to disable container networking",
    ),
    fixedCIDR: fs.string(
      ["-fixed-cidr"],
      "",
      "IPv4 subnet for fixed IPs (ex: 10.20.0.0/16)\nthis subnet must be nested in the bridge subnet (which is defined by -b or --bip)",
    ),
    interContainerCommunication: fs.bool(["#icc", "-icc"], true, "Enable inter-container communication"),
    graphDriver: fs.string(["s", "-storage-driver"], "", "Force the Docker runtime to use a specific storage driver"),
    execDriver: fs.string(["e", "-exec-driver"], "native", "Force the Docker runtime to use a specific exec driver"),
    enableSelinuxSupport: fs.bool(
      ["-selinux-enabled"],
      false,
      "Enable selinux support. SELinux does not presently support the BTRFS storage driver",
    ),
    mtu: fs.int(
      ["#mtu", "-mtu"],
      0,
      "Set the containers network MTU\nif no value is provided: default to the default route MTU or 1500 if no default route is available",
    ),
    defaultIp: {
      flag: ip.flag,
      get isSet() {
        return ip.isSet;
      },
      get value() {
        return String(ip.value);
      },
      set value(text: string) {
        ip.value.set(text);
      },
    },
  };
}

function declareLists(fs: FlagSet): Record<string, string[]> {
  const all = (handle: FlagHandle<ListOpts>) => handle.value.getAll();
  return {
    graphOptions: all(listVar(fs, ["-storage-opt"], "Set storage driver options")),
    dns: all(ipListVar(fs, ["#dns", "-dns"], "Force Docker to use specific DNS servers")),
    dnsSearch: all(dnsSearchListVar(fs, ["-dns-search"], "Force Docker to use specific DNS search domains")),
    mirrors: all(mirrorListVar(fs, ["-registry-mirror"], "Specify a preferred Docker registry mirror")),
    insecureRegistries: all(
      listVar(
        fs,
        ["-insecure-registry"],
        "Enable insecure communication with specified registries (no certificate verification for HTTPS and enable HTTP fallback) (e.g., localhost:5000 or 10.20.0.0/16)",
      ),
    ),
  };
}

/**
 * Refuses settings that contradict each other.
 *
 * @throws Error with 1.2.0's text
 * @origin daemon/daemon.go NewDaemonFromDirectory
 */
export function checkDaemonConfig(
  config: Pick<DaemonConfig, "bridgeIface" | "bridgeIP" | "enableIptables" | "interContainerCommunication">,
): void {
  if (config.bridgeIface !== "" && config.bridgeIP !== "") {
    throw new Error("You specified -b & --bip, mutually exclusive options. Please specify only one.");
  }
  if (!config.enableIptables && !config.interContainerCommunication) {
    throw new Error(
      "You specified --iptables=false with --icc=false. ICC uses iptables to function. Please set --icc or --iptables to true.",
    );
  }
}

/**
 * The MTU of the link that the default route uses; 1500 when there is none or the kernel does not say.
 *
 * @origin daemon/config.go GetDefaultNetworkMtu
 */
export function getDefaultNetworkMtu({ net }: Pick<Host, "net">): number {
  try {
    const links = net.links();
    try {
      const route = links.routes().find(({ destination }) => destination === "0.0.0.0/0");
      return links.list().find(({ index }) => index === route?.index)?.mtu ?? defaultNetworkMtu;
    } finally {
      links.close();
    }
  } catch {
    // Whatever failed: a network can be made without knowing this.
    return defaultNetworkMtu;
  }
}

/** What Linux allows for IPv4, and for a link between two namespaces. */
const [smallestMtu, largestMtu] = [68, 65_535];

/**
 * Refuses an MTU that no container could have.
 *
 * @deviation 1.2.0 takes any number, and each container fails to start with `invalid argument`.
 */
export function checkMtu(mtu: number): void {
  if (mtu >= smallestMtu && mtu <= largestMtu) return;
  const cure = `choose ${smallestMtu} to ${largestMtu}, or 0 for that of the default route`;
  throw new Error(`Invalid --mtu: ${mtu}; ${cure}`);
}
