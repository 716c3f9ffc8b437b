import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { runDocker } from "../../book/transcripts.ts";
import {
  checkDaemonConfig,
  type DaemonConfig,
  disableNetworkBridge,
  getDefaultNetworkMtu,
  installDaemonFlags,
} from "../../src/daemon/config.ts";
import { isLocalDns } from "../../src/daemon/local-dns.ts";
import { newDaemon } from "../../src/daemon/new-daemon.ts";
import { mainDaemon } from "../../src/docker/daemon.ts";
import { main } from "../../src/docker/docker.ts";
import { installDockerFlags } from "../../src/docker/flags.ts";
import { Engine } from "../../src/engine/engine.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { ipVar } from "../../src/opts/ip.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { FlagSet } from "../../src/pkg/mflag/mflag.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { claim } from "../lib/claim.ts";
import { demo, demoHost, example, follow, sinceThen } from "./demo.ts";
import { configure, declare, settle } from "./main.ts";

/** The fields of `Config` at v1.2.0, in their order. */
const fields120 =
  "pidfile root autoRestart dns dnsSearch enableIptables enableIpForward defaultIp bridgeIface bridgeIP " +
  "interContainerCommunication graphDriver graphOptions execDriver mtu disableNetwork enableSelinuxSupport context";

/** What the client of 1.2.0 did with a command line. */
interface Recorded {
  readonly id: string;
  readonly argv: string[];
  readonly exit: number;
  readonly stderr: string;
  readonly help?: { usage: string; flags: { names: string[]; default: string }[] };
}

const records: Recorded[] = readFileSync(new URL("../../test/golden/records/cli-1.2.0.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

/** What the original did with a command line. */
function recorded(...args: string[]): Recorded {
  const found = records.find(({ argv }) => argv.slice(1).join(" ") === args.join(" "));
  if (found === undefined) throw new Error(`Nothing is recorded for docker ${args.join(" ")}`);
  return found;
}

/** A parsed command line, with what the flags wrote. */
function parsed(...args: string[]) {
  const host = memoryHost({ env: { HOME: "/root" } });
  const command = declare(host);
  command.set.parse(args);
  return { ...command, config: command.flags.config, stderr: () => host.stderr.text, host };
}

/** Default of a flag in the usage screen that the original printed. */
function shownDefault(name: string): string | undefined {
  const { help } = recorded("-d", "extra");
  return help?.flags.find(({ names }) => names.includes(name))?.default;
}

/** That a flag has this default, here and on the recorded screen, and lands in this field. */
function expectFlag<K extends keyof DaemonConfig>(field: K, name: string, byDefault: DaemonConfig[K], args: string[]) {
  expect(parsed().config[field]).toEqual(byDefault);
  const text = typeof byDefault === "string" && field !== "defaultIp" ? `"${byDefault}"` : String(byDefault);
  expect(shownDefault(name)).toBe(Array.isArray(byDefault) ? "[]" : text);
  return expect(parsed(...args).config[field]);
}

claim("001/5.0/1", "the flags of the daemon are declared before main() looks at the command line", () => {
  const { config, set } = parsed();
  expect(set.lookup("-pidfile")?.defValue).toBe("/var/run/docker.pid");
  expect(config.pidfile).toBe("/var/run/docker.pid");
});

claim("001/5.0/2", "one Config is shared: who changes it changes what the daemon and the flags hold", () => {
  const { config, flags, set } = parsed();
  flags.config.mtu = 1450;
  expect(config).toBe(flags.config);
  expect([config.mtu, set.lookup("-mtu")?.value.toString()]).toEqual([1450, "1450"]);
});

claim("001/5.0/3", "every field of 1.2.0 that anybody reads is here, under its own name", () => {
  const known = Object.keys(parsed().config);
  expect(fields120.split(" ").filter((field) => !known.includes(field))).toEqual(["context"]);
});

claim("001/5.0/4", "Config has 18 fields at v1.2.0: Mirrors, EnableIpMasq and FixedCIDR came with 1.3.0", () => {
  const old = fields120.split(" ");
  expect(old).toHaveLength(18);
  expect(Object.keys(parsed().config).filter((field) => !old.includes(field))).toEqual(
    expect.arrayContaining(["mirrors", "enableIpMasq", "fixedCIDR"]),
  );
  for (const name of ["--registry-mirror", "--ip-masq", "--fixed-cidr"]) expect(shownDefault(name)).toBeUndefined();
  expect(recorded("-d", "--registry-mirror", "x").stderr).toContain("flag provided but not defined: --registry-mirror");
});

claim("001/5.0/5", "--restart is deprecated, not enabled: hidden, with a warning, and it still works", () => {
  const { config, stderr } = parsed("-r=false");
  expect(parsed().config.autoRestart).toBe(true);
  expect(config.autoRestart).toBe(false);
  expect(stderr()).toBe("Warning: '-r' is deprecated, it will be removed soon. See usage.\n");
  expect(shownDefault("--restart")).toBeUndefined();
});

claim("001/5.0/6", "-p and --pidfile name the file of the process id", () => {
  expectFlag("pidfile", "--pidfile", "/var/run/docker.pid", ["-p", "/run/d.pid"]).toBe("/run/d.pid");
});

claim("001/5.0/7", "-g and --graph name the root directory", () => {
  expectFlag("root", "--graph", "/var/lib/docker", ["--graph=/data"]).toBe("/data");
});

claim("001/5.0/8", "--dns may be given many times, and takes addresses only", () => {
  expectFlag("dns", "--dns", [], ["--dns", "8.8.8.8", "-dns", "8.8.4.4"]).toEqual(["8.8.8.8", "8.8.4.4"]);
  expect(recorded("-d", "--dns", "x").stderr).toContain("x is not an ip address");
  expect(() => parsed("--dns", "x")).toThrow("exit status 2");
});

claim("001/5.0/9", "--dns-search may be given many times, and takes domains only", () => {
  expectFlag("dnsSearch", "--dns-search", [], ["--dns-search", "a.b", "--dns-search=c."]).toEqual(["a.b", "c"]);
  expect(() => parsed("--dns-search", "1")).toThrow("exit status 2");
});

claim("001/5.0/10", "--iptables is on unless switched off", () => {
  expectFlag("enableIptables", "--iptables", true, ["--iptables=false"]).toBe(false);
});

claim("001/5.0/11", "--ip-forward is on unless switched off", () => {
  expectFlag("enableIpForward", "--ip-forward", true, ["-ip-forward=0"]).toBe(false);
});

claim("001/5.0/12", "-b and --bridge name a bridge that exists; none switches the network off", () => {
  expectFlag("bridgeIface", "--bridge", "", ["-b", "br0"]).toBe("br0");
  expect([parsed("-b", "br0").config.disableNetwork, parsed("-b", "none").config.disableNetwork]).toEqual([
    false,
    true,
  ]);
});

claim("001/5.0/13", "--bip is the address of the bridge to make, and excludes -b", () => {
  expectFlag("bridgeIP", "--bip", "", ["--bip", "10.0.0.1/24"]).toBe("10.0.0.1/24");
  const text = "You specified -b & --bip, mutually exclusive options. Please specify only one.";
  expect(() => checkDaemonConfig(parsed("-b", "br0", "--bip", "10.0.0.1/24").config)).toThrow(text);
});

claim("001/5.0/14", "--icc is on; switched off it needs iptables", () => {
  expectFlag("interContainerCommunication", "--icc", true, ["--icc=false"]).toBe(false);
  const text = "You specified --iptables=false with --icc=false. ICC uses iptables to function.";
  expect(() => checkDaemonConfig(parsed("--icc=false", "--iptables=false").config)).toThrow(text);
});

claim("001/5.0/15", "-s and --storage-driver are empty by default: the first driver that works", () => {
  expectFlag("graphDriver", "--storage-driver", "", ["-s", "aufs"]).toBe("aufs");
});

claim("001/5.0/16", "-e and --exec-driver are native by default", () => {
  expectFlag("execDriver", "--exec-driver", "native", ["-e", "lxc"]).toBe("lxc");
});

claim("001/5.0/17", "--selinux-enabled is off by default", () => {
  expectFlag("enableSelinuxSupport", "--selinux-enabled", false, ["--selinux-enabled"]).toBe(true);
});

claim("001/5.0/18", "--storage-opt may be given many times and takes anything", () => {
  const args = ["--storage-opt", "dm.fs=xfs", "--storage-opt", "?"];
  expectFlag("graphOptions", "--storage-opt", [], args).toEqual(["dm.fs=xfs", "?"]);
});

claim("001/5.0/19", "an MTU of 0 becomes that of the default route's link, or 1500", async () => {
  expectFlag("mtu", "--mtu", 0, ["--mtu", "9000"]).toBe(9000);
  expect(getDefaultNetworkMtu(await demoHost())).toBe(1450);
  expect(getDefaultNetworkMtu(memoryHost())).toBe(1500);
});

claim("001/5.0/20", "DisableNetwork is set: it is whether the bridge is called none", () => {
  const { config } = parsed();
  expect(config.disableNetwork).toBe(false);
  config.bridgeIface = disableNetworkBridge;
  expect(config.disableNetwork).toBe(true);
});

claim("001/5.0/21", "Context, which nobody reads or writes, is left out", () => {
  expect(Object.keys(parsed().config)).not.toContain("context");
});

claim(
  "001/5.0/22",
  "InstallFlags binds 16 flags to fields; the values come with parse(), and four change later",
  async () => {
    const set = new FlagSet("docker", "continue", { stderr: new BufferWriter(), exit: () => expect.unreachable() });
    const config = installDaemonFlags(set);
    let count = 0;
    set.visitAll(() => count++);
    expect(count - sinceThen.length).toBe(16);
    const bound = config.root;
    set.parse(["-g", "/data"]);
    expect([bound, config.root]).toEqual(["/var/lib/docker", "/data"]);
    const { rows } = await follow(["-d", "-b", "none"], await demoHost());
    const changed = rows.filter((row) => row.effective !== (row.given || row.byDefault)).map(({ names }) => names);
    // -H is no field of Config; DisableNetwork is no flag.
    expect(changed).toEqual(["--dns", "-g, --graph", "-H, --host", "--mtu"]);
  },
);

claim("001/5.0/23", "--ip is 0.0.0.0 unless another address is given, and takes addresses only", () => {
  expectFlag("defaultIp", "--ip", "0.0.0.0", ["--ip", "127.0.0.1"]).toBe("127.0.0.1");
  const set = new FlagSet("t", "continue", { stderr: new BufferWriter(), exit: () => expect.unreachable() });
  const ip = ipVar(set, ["#ip", "-ip"], "0.0.0.0", "");
  set.parse(["-ip", "::1"]);
  expect(String(ip.value)).toBe("::1");
});

claim("001/5.0/24", "the default of --pidfile has no space in front, and is a default, not the value", () => {
  const { set, config } = parsed("-p", "/run/d.pid");
  expect([set.lookup("p")?.defValue, config.pidfile]).toEqual(["/var/run/docker.pid", "/run/d.pid"]);
});

claim("001/5.0/25", "a name is typed with one dash more than it is declared with; # makes it deprecated", () => {
  expect([parsed("-p", "/a").config.pidfile, parsed("--pidfile", "/b").config.pidfile]).toEqual(["/a", "/b"]);
  expect(() => parsed("-pidfile", "/c")).toThrow("exit status 2");
  const old = parsed("-bip", "10.0.0.1/24");
  expect(old.config.bridgeIP).toBe("10.0.0.1/24");
  expect(old.stderr()).toBe("Warning: '-bip' is deprecated, it will be replaced by '--bip' soon. See usage.\n");
});

claim("001/5.0/26", "there are 27 flags: 16 of Config, 11 of docker/flags.go; one of them is never shown", () => {
  const names: string[] = [];
  parsed().set.visitAll((flag) => names.push(`-${(flag.names.at(-1) ?? "").replace(/^#/, "")}`));
  const then = names.filter((name) => !sinceThen.includes(name));
  expect(then).toHaveLength(27);
  const shown = recorded("-d", "extra").help?.flags.map((flag) => flag.names.at(-1)) ?? [];
  expect(then.filter((name) => !shown.includes(name))).toEqual(["--restart"]);
});

claim(
  "001/5.1/1",
  "left-over arguments show the usage screen on stderr, start nothing, and the exit status is 0",
  async () => {
    const original = recorded("-d", "extra");
    const out = new BufferWriter();
    expect([original.exit, await runDocker(["-d", "extra"], out)]).toEqual([0, 0]);
    expect(original.help?.usage).toBe("Usage of docker:");
    expect(out.toString()).toMatch(/^Usage of docker:\n/);
    const { flags, set, host } = parsed("-d", "extra");
    const parts = { register: () => expect.unreachable(), newDaemon: () => expect.unreachable() };
    await mainDaemon(flags, host, new Logger(host), set, parts);
    expect(host.stdout.text).toBe("");
  },
);

claim("002/1-8/3", "daemonCfg is filled by init(): each call of installDaemonFlags() makes a Config of its own", () => {
  const one = parsed("-g", "/one").config;
  expect([one.root, parsed().config.root]).toEqual(["/one", "/var/lib/docker"]);
});

claim(
  "002/1-8/4",
  "the three fields read as image, camouflage and fixed are mirrors, masquerading and a subnet",
  () => {
    const { config } = parsed("--registry-mirror", "https://m", "--ip-masq=false", "--fixed-cidr", "10.0.0.0/25");
    expect([config.mirrors, config.enableIpMasq, config.fixedCIDR]).toEqual([["https://m/v1/"], false, "10.0.0.0/25"]);
  },
);

claim("002/1-8/5", "AutoRestart is deprecated: both names of its flag are", () => {
  expect(parsed().set.lookup("-restart")?.names).toEqual(["#r", "#-restart"]);
  expect(parsed("--restart=false").stderr()).toContain("'--restart' is deprecated");
});

claim("002/1-8/6", "the pid file is /var/run/docker.pid, and names of flags tell upper from lower case", () => {
  expect(parsed().config.pidfile).toBe("/var/run/docker.pid");
  expect(() => parsed("-P", "/x")).toThrow("exit status 2");
});

claim("002/1-8/7", "--ip is 0.0.0.0 by default, not empty", () => {
  expect([parsed().config.defaultIp, shownDefault("--ip")]).toEqual(["0.0.0.0", "0.0.0.0"]);
});

claim("002/1-8/8", "the check is that the number of left-over arguments is not 0", async () => {
  expect([parsed("-d").set.nArg(), parsed("-d", "extra").set.nArg()]).toEqual([0, 1]);
  const started = async (...args: string[]) => {
    const { flags, set, host } = parsed(...args);
    const seen: string[] = [];
    const register = (eng: Engine) => eng.register("serveapi", () => void seen.push("serveapi"));
    const newDaemon = () => new Promise<never>(() => undefined);
    await mainDaemon(flags, host, new Logger(host), set, { register, newDaemon });
    return seen;
  };
  expect([await started("-d"), await started("-d", "extra")]).toEqual([["serveapi"], []]);
});

claim("003/s2/2", "version is -v and debug is -D; both are off", () => {
  const { flags } = parsed();
  expect([flags.version.value, flags.debug.value]).toEqual([false, false]);
  expect([parsed("-v").flags.version.value, parsed("-D").flags.debug.value]).toEqual([true, true]);
  expect(() => parsed("-V")).toThrow("exit status 2");
});

claim("003/s2/3", "the daemon is -d; -D is debug and starts none", async () => {
  const runs = async (...args: string[]) => {
    let daemons = 0;
    const host = memoryHost({ env: { HOME: "/root" } });
    await main(args, host, { argv0: "docker", mainDaemon: async () => void daemons++ });
    return [daemons, host.env["DEBUG"]];
  };
  expect(await runs("-d")).toEqual([1, undefined]);
  expect(await runs("-D", "help")).toEqual([0, "1"]);
});

claim("003/s2/4", "without -H a client takes DOCKER_HOST, a daemon never; else it is the usual socket", () => {
  const hosts = (env: Record<string, string>, ...args: string[]) => {
    const { flags } = configure(args, memoryHost({ env: { HOME: "/root", ...env } }));
    return flags.hosts.value.getAll();
  };
  const env = { DOCKER_HOST: "tcp://1.2.3.4:2375" };
  expect(hosts({})).toEqual(["unix:///var/run/docker.sock"]);
  expect(hosts(env)).toEqual(["tcp://1.2.3.4:2375"]);
  expect(hosts(env, "-d")).toEqual(["unix:///var/run/docker.sock"]);
  expect(hosts(env, "-H", ":1")).toEqual(["tcp://127.0.0.1:1"]);
  expect(() => hosts({ DOCKER_HOST: "bogus" })).toThrow("Invalid bind address format: bogus");
});

test("settle() arrives at the values that the daemon itself arrives at", async () => {
  const mine = await demoHost();
  const { flags } = configure(["-d", "-b", "none", "-p="], mine);
  await settle(flags.config, mine);
  const host = await demoHost();
  const theirs = configure(["-d", "-b", "none", "-p="], host).flags.config;
  const stop = new Error("far enough");
  const booted = newDaemon(theirs, new Engine(host), host, new Logger(host), {
    // Asked for when the configuration is settled, the name servers left aside.
    graphDriver: () => Promise.reject(stop),
    execDriver: () => Promise.reject(stop),
  });
  await expect(booted).rejects.toBe(stop);
  expect([theirs.mtu, theirs.root]).toEqual([flags.config.mtu, flags.config.root]);
  expect([flags.config.mtu, flags.config.root, flags.config.dns]).toEqual([
    1450,
    "/srv/docker",
    ["8.8.8.8", "8.8.4.4"],
  ]);
});

test("isLocalDns() looks at the first name server only, and takes none for a local one", () => {
  const answers = ["nameserver 127.0.1.1\n", "nameserver 8.8.8.8\nnameserver 127.0.0.1\n", "# none\n"].map(isLocalDns);
  expect(answers).toEqual([true, false, true]);
});

test("installDockerFlags() puts the certificates below DOCKER_CERT_PATH, else below HOME", () => {
  const set = () => new FlagSet("docker", "continue", { stderr: new BufferWriter(), exit: () => expect.unreachable() });
  const paths = [{ HOME: "/h" }, { HOME: "/h", DOCKER_CERT_PATH: "/c" }].map(
    (env) => installDockerFlags(set(), env).ca.value,
  );
  expect(paths).toEqual(["/h/.docker/ca.pem", "/c/ca.pem"]);
});

/** What the demonstration prints for a command line. */
async function printed(...args: string[]): Promise<{ text: string; status: number }> {
  const out = new BufferWriter();
  const status = await demo(args, out);
  return { text: out.toString(), status };
}

test("the demonstration prints what becomes of each flag", async () => {
  expect(await printed()).toEqual(await printed(...example));
  expect((await printed()).text).toBe(`docker -d -b br0 -icc=false --dns-search example.com -r=false

Warning: '-icc' is deprecated, it will be replaced by '--icc' soon. See usage.
Warning: '-r' is deprecated, it will be removed soon. See usage.

  flag                  default                 given          effective
  --api-enable-cors     false                                  false
  -b, --bridge          ""                      br0            br0
  --bip                 ""                                     ""
  -D, --debug           false                                  false
  -d, --daemon          false                   true           true
* --dns                 []                                     [8.8.8.8 8.8.4.4]
  --dns-search          []                      [example.com]  [example.com]
  -e, --exec-driver     native                                 native
+ --fixed-cidr          ""                                     ""
  -G, --group           docker                                 docker
* -g, --graph           /var/lib/docker                        /srv/docker
* -H, --host            []                                     [unix:///var/run/docker.sock]
  --icc                 true                    false          false
+ --insecure-registry   []                                     []
  --ip                  0.0.0.0                                0.0.0.0
  --ip-forward          true                                   true
+ --ip-masq             true                                   true
  --iptables            true                                   true
* --mtu                 0                                      1450
  -p, --pidfile         /var/run/docker.pid                    /var/run/docker.pid
  (-r, --restart)       true                    false          false
+ --registry-mirror     []                                     []
  -s, --storage-driver  ""                                     ""
  --selinux-enabled     false                                  false
  --storage-opt         []                                     []
  --tls                 false                                  false
  --tlscacert           /root/.docker/ca.pem                   /root/.docker/ca.pem
  --tlscert             /root/.docker/cert.pem                 /root/.docker/cert.pem
  --tlskey              /root/.docker/key.pem                  /root/.docker/key.pem
  --tlsverify           false                                  false
  -v, --version         false                                  false

  DisableNetwork: false

* changed after the command line was read
+ came after 1.2.0

[info] Local (127.0.0.1) DNS resolver found in resolv.conf and containers can't use it. Using default external servers : [8.8.8.8 8.8.4.4]
exit status 0
`);
});

test("the demonstration says where a command line ends", async () => {
  const ends = await Promise.all(
    [["-d", "extra"], ["ps"], ["-v"], ["-d", "-b", "br0", "--bip", "10.0.0.1/24"], ["--nope"]].map((args) =>
      printed(...args),
    ),
  );
  expect(ends.map(({ status }) => status)).toEqual([0, 0, 0, 1, 2]);
  expect(ends.map(({ text }) => text.trimEnd().split("\n").at(-2))).toEqual([
    "Left over: extra. mainDaemon() prints the usage screen and ends.",
    "No -d: a client. It takes the daemon's flags, too, and does nothing with them.",
    "main() prints the version and ends.",
    "You specified -b & --bip, mutually exclusive options. Please specify only one.",
    "The command line cannot be read.",
  ]);
});
