import { expect, test } from "vitest";
import {
  checkDaemonConfig,
  checkMtu,
  type DaemonConfig,
  getDefaultNetworkMtu,
  installDaemonFlags,
} from "../../../src/daemon/config.ts";
import type { Link, Net, Route } from "../../../src/host/net.ts";
import { FlagSet } from "../../../src/pkg/mflag/mflag.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

function configOf(...args: string[]): DaemonConfig {
  const fs = new FlagSet("docker", "continue", { stderr: new BufferWriter(), exit: () => expect.unreachable() });
  const config = installDaemonFlags(fs);
  fs.parse(args);
  return config;
}

const defaults = {
  pidfile: "/var/run/docker.pid",
  root: "/var/lib/docker",
  autoRestart: true,
  dns: [],
  dnsSearch: [],
  enableIptables: true,
  enableIpForward: true,
  enableIpMasq: true,
  defaultIp: "0.0.0.0",
  bridgeIface: "",
  bridgeIP: "",
  fixedCIDR: "",
  interContainerCommunication: true,
  graphDriver: "",
  graphOptions: [],
  execDriver: "native",
  mtu: 0,
  enableSelinuxSupport: false,
  mirrors: [],
  insecureRegistries: [],
  disableNetwork: false,
};

test("installDaemonFlags() starts from 1.2.0's defaults", () => {
  expect({ ...configOf() }).toEqual(defaults);
});

test("installDaemonFlags() gives every flag its field", () => {
  const args =
    "-p /p -g /g -r=false --dns 8.8.8.8 --dns 8.8.4.4 --dns-search a.b. --iptables=false --ip-forward=false --ip-masq=false --ip 1.2.3.4 -b none --bip 10.0.0.1/24 --fixed-cidr 10.0.0.0/25 --icc=false -s vfs --storage-opt a=b --storage-opt c -e lxc --mtu 1400 --selinux-enabled --registry-mirror http://m --registry-mirror https://n:5000 --insecure-registry r:5000 --insecure-registry 10.0.0.0/8";
  expect({ ...configOf(...args.split(" ")) }).toEqual({
    pidfile: "/p",
    root: "/g",
    autoRestart: false,
    dns: ["8.8.8.8", "8.8.4.4"],
    dnsSearch: ["a.b"],
    enableIptables: false,
    enableIpForward: false,
    enableIpMasq: false,
    defaultIp: "1.2.3.4",
    bridgeIface: "none",
    bridgeIP: "10.0.0.1/24",
    fixedCIDR: "10.0.0.0/25",
    interContainerCommunication: false,
    graphDriver: "vfs",
    graphOptions: ["a=b", "c"],
    execDriver: "lxc",
    mtu: 1400,
    enableSelinuxSupport: true,
    mirrors: ["http://m/v1/", "https://n:5000/v1/"],
    insecureRegistries: ["r:5000", "10.0.0.0/8"],
    disableNetwork: true,
  });
});

test("a configuration can be changed after parsing", () => {
  const config = configOf();
  config.mtu = 9000;
  config.defaultIp = "::1";
  config.bridgeIface = "none";
  expect([config.mtu, config.defaultIp, config.disableNetwork]).toEqual([9000, "::1", true]);
});

test("checkDaemonConfig() refuses settings that contradict each other", () => {
  expect(() => checkDaemonConfig(configOf("-b", "br9", "--bip", "10.0.0.1/24"))).toThrow(
    "You specified -b & --bip, mutually exclusive options. Please specify only one.",
  );
  expect(() => checkDaemonConfig(configOf("--iptables=false", "--icc=false"))).toThrow(
    "You specified --iptables=false with --icc=false. ICC uses iptables to function. Please set --icc or --iptables to true.",
  );
  for (const args of [[], ["-b", "br9"], ["--bip", "x"], ["--iptables=false"], ["--icc=false"]]) {
    expect(() => checkDaemonConfig(configOf(...args))).not.toThrow();
  }
});

test("checkMtu() takes what a link can have", () => {
  for (const mtu of [68, 1500, 65_535]) expect(() => checkMtu(mtu)).not.toThrow();
  for (const mtu of [-1, 1, 67, 65_536, 70_000]) {
    expect(() => checkMtu(mtu)).toThrow(
      `Invalid --mtu: ${mtu}; choose 68 to 65535, or 0 for that of the default route`,
    );
  }
});

function netOf(routes: Partial<Route>[], list: Partial<Link>[]) {
  let open = 0;
  const links = () => {
    open++;
    return { routes: () => routes, list: () => list, close: () => open-- };
  };
  return { host: { net: { links } as unknown as Net }, open: () => open };
}

test("getDefaultNetworkMtu() asks the link of the default route", () => {
  const { host, open } = netOf(
    [
      { destination: "10.0.0.0/8", index: 1 },
      { destination: "0.0.0.0/0", index: 2 },
    ],
    [
      { index: 1, mtu: 65536 },
      { index: 2, mtu: 1420 },
    ],
  );
  expect([getDefaultNetworkMtu(host), open()]).toEqual([1420, 0]);
});

test("getDefaultNetworkMtu() is 1500 without default route, and where nothing can be asked", () => {
  expect(getDefaultNetworkMtu(netOf([], [{ index: 1, mtu: 65536 }]).host)).toBe(1500);
  const links = () => {
    throw new Error("no netlink here");
  };
  expect(getDefaultNetworkMtu({ net: { links } as unknown as Net })).toBe(1500);
});
