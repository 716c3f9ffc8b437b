import { expect, test } from "vitest";
import { installDockerFlags } from "../../../src/docker/flags.ts";
import { FlagError, FlagSet } from "../../../src/pkg/mflag/mflag.ts";
import { BufferWriter } from "../../../src/sync/io.ts";

function install(args: string[] = [], env: Record<string, string> = { HOME: "/root" }) {
  const stderr = new BufferWriter();
  const fs = new FlagSet("docker", "continue", { stderr, exit: () => expect.unreachable() });
  const flags = installDockerFlags(fs, env);
  fs.parse(args);
  return { fs, flags, stderr };
}

/** Names as declared, default, help. */
type Row = [names: string, defValue: string, help: string];

const release: Row[] = [
  ["v -version", "false", "Print version information and quit"],
  ["d -daemon", "false", "Enable daemon mode"],
  ["D -debug", "false", "Enable debug mode"],
  [
    "G -group",
    "docker",
    "Group to assign the unix socket specified by -H when running in daemon mode\nuse '' (the empty string) to disable setting of a group",
  ],
  ["#api-enable-cors -api-enable-cors", "false", "Enable CORS headers in the remote API"],
  ["-tls", "false", "Use TLS; implied by tls-verify flags"],
  ["-tlsverify", "false", "Use TLS and verify the remote (daemon: verify client, client: verify daemon)"],
  ["-tlscacert", "/root/.docker/ca.pem", "Trust only remotes providing a certificate signed by the CA given here"],
  ["-tlscert", "/root/.docker/cert.pem", "Path to TLS certificate file"],
  ["-tlskey", "/root/.docker/key.pem", "Path to TLS key file"],
  [
    "H -host",
    "[]",
    "The socket(s) to bind to in daemon mode\nspecified using one or more tcp://host:port, unix:///path/to/socket, fd://* or fd://socketfd.",
  ],
  ["p -pidfile", "/var/run/docker.pid", "Path to use for daemon PID file"],
  ["g -graph", "/var/lib/docker", "Path to use as the root of the Docker runtime"],
  ["#r #-restart", "true", "--restart on the daemon has been deprecated infavor of --restart policies on docker run"],
  ["#iptables -iptables", "true", "Enable Docker's addition of iptables rules"],
  ["#ip-forward -ip-forward", "true", "Enable net.ipv4.ip_forward"],
  ["#bip -bip", "", "Use this CIDR notation address for the network bridge's IP, not compatible with -b"],
  ["b -bridge", "", "Attach containers to a pre-existing network bridge\nuse 'none' to disable container networking"],
  ["#icc -icc", "true", "Enable inter-container communication"],
  ["s -storage-driver", "", "Force the Docker runtime to use a specific storage driver"],
  ["e -exec-driver", "native", "Force the Docker runtime to use a specific exec driver"],
  ["-selinux-enabled", "false", "Enable selinux support. SELinux does not presently support the BTRFS storage driver"],
  [
    "#mtu -mtu",
    "0",
    "Set the containers network MTU\nif no value is provided: default to the default route MTU or 1500 if no default route is available",
  ],
  ["#ip -ip", "0.0.0.0", "Default IP address to use when binding container ports"],
  ["-storage-opt", "[]", "Set storage driver options"],
  ["#dns -dns", "[]", "Force Docker to use specific DNS servers"],
  ["-dns-search", "[]", "Force Docker to use specific DNS search domains"],
];

/** Flags of later versions. */
const later: Row[] = [
  ["-ip-masq", "true", "Enable IP masquerading for bridge's IP range"],
  [
    "-fixed-cidr",
    "",
    "IPv4 subnet for fixed IPs (ex: 10.20.0.0/16)\nthis subnet must be nested in the bridge subnet (which is defined by -b or --bip)",
  ],
  ["-registry-mirror", "[]", "Specify a preferred Docker registry mirror"],
  [
    "-insecure-registry",
    "[]",
    "Enable insecure communication with specified registries (no certificate verification for HTTPS and enable HTTP fallback) (e.g., localhost:5000 or 10.20.0.0/16)",
  ],
];

test("installDockerFlags() declares the 27 flags of 1.2.0, four later ones and no other", () => {
  const { fs } = install();
  const seen: Row[] = [];
  fs.visitAll(({ names, defValue, usage }) => seen.push([names.join(" "), defValue, usage]));
  const byNames = (a: Row, b: Row) => (a[0] < b[0] ? -1 : 1);
  expect(release).toHaveLength(27);
  expect(seen.sort(byNames)).toEqual([...release, ...later].sort(byNames));
});

/** What to type after a name so that the flag takes it. */
const good: Record<string, string> = {
  H: "tcp://1.2.3.4:5",
  ip: "1.2.3.4",
  dns: "1.2.3.4",
  "-dns-search": "a.b",
  mtu: "7",
  "-registry-mirror": "http://m",
};

test.each([...release, ...later])("each name in %j works, and the deprecated ones warn", (names, defValue) => {
  for (const name of names.split(" ")) {
    const bare = name.replace(/^#/, "");
    const text = good[names.split(" ")[0]?.replace(/^#/, "") ?? ""] ?? (/^(true|false)$/.test(defValue) ? "true" : "x");
    const { fs, stderr } = install([`-${bare}=${text}`]);
    expect(fs.isSet(bare)).toBe(true);
    const replacement = names.split(" ").find((other) => !other.startsWith("#"));
    const fate = replacement === undefined ? "removed" : `replaced by '-${replacement}'`;
    const warning = `Warning: '-${bare}' is deprecated, it will be ${fate} soon. See usage.\n`;
    expect(stderr.toString()).toBe(name.startsWith("#") ? warning : "");
  }
});

test.each([
  ["-D=x", 'invalid boolean value "x" for  -D: strconv.ParseBool: parsing "x": invalid syntax'],
  ["-r=maybe", 'invalid boolean value "maybe" for  -r: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ["--mtu=x", 'invalid value "x" for flag --mtu: strconv.ParseInt: parsing "x": invalid syntax'],
  ["--ip=x", 'invalid value "x" for flag --ip: x is not an ip address'],
  ["--dns=x", 'invalid value "x" for flag --dns: x is not an ip address'],
  ["--dns-search=1", 'invalid value "1" for flag --dns-search: 1 is not a valid domain'],
  ["-H=bogus", 'invalid value "bogus" for flag -H: Invalid bind address format: bogus'],
  ["--host=udp://x", 'invalid value "udp://x" for flag --host: Invalid bind address protocol: udp://x'],
  ["--registry-mirror=x", 'invalid value "x" for flag --registry-mirror: Unsupported scheme '],
  ["--ip-masq=x", 'invalid boolean value "x" for  --ip-masq: strconv.ParseBool: parsing "x": invalid syntax'],
  ["--nope", "flag provided but not defined: --nope"],
])("parse() refuses %s", (arg, message) => {
  expect(() => install([arg])).toThrow(new FlagError(message));
});

test("the certificates are where DOCKER_CERT_PATH says, else below HOME", () => {
  const paths = (env: Record<string, string>) => install([], env).flags.ca.value;
  expect([paths({ HOME: "/h", DOCKER_CERT_PATH: "/certs" }), paths({ HOME: "/h", DOCKER_CERT_PATH: "" })]).toEqual([
    "/certs/ca.pem",
    "/h/.docker/ca.pem",
  ]);
  expect(paths({})).toBe(".docker/ca.pem");
});

test("hosts collects complete addresses, and the command is left over", () => {
  const { flags, fs } = install(["-H", ":2375", "-H=", "-D", "ps", "-a"]);
  expect(flags.hosts.value.getAll()).toEqual(["tcp://127.0.0.1:2375", "unix:///var/run/docker.sock"]);
  expect([flags.debug.value, flags.daemon.value, fs.args()]).toEqual([true, false, ["ps", "-a"]]);
});

test("the client's flags and the daemon's live in one set", () => {
  const { flags } = install(["-d", "-s", "vfs", "--tlsverify", "-G", ""]);
  expect([flags.daemon.value, flags.config.graphDriver, flags.tlsVerify.value, flags.socketGroup.value]).toEqual([
    true,
    "vfs",
    true,
    "",
  ]);
});
