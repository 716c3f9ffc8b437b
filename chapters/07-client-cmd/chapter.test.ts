import { expect, test } from "vitest";
import { anchorOf, claims, goFault, sectionOf } from "../../book/links.ts";
import { declarationOf } from "../../book/symbols.ts";
import { diskTree } from "../../book/tree.ts";
import { DockerCli } from "../../src/api/client/cli.ts";
import { commands } from "../../src/api/client/commands.ts";
import { clientTls } from "../../src/docker/client-tls.ts";
import { main } from "../../src/docker/docker.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { StatusError } from "../../src/utils/status-error.ts";
import { type CliRecord, cliRecords } from "../../test/support/golden-cli.ts";
import { declare } from "../01-config-flags/main.ts";
import { claim } from "../lib/claim.ts";
import { demo, readArgs } from "./demo.ts";
import { live } from "./live.ts";
import { runClient, type Sight } from "./main.ts";
import { headerOf, readMessage } from "./messages.ts";
import { reasonOf, stepNames, stepsOf, wayOf } from "./steps.ts";
import { follow, type Trace } from "./trace.ts";
import { addresses } from "./world.ts";

const records = ["help_screens", "usage_errors", "global_flags", "cli_containers"].flatMap(cliRecords);

/** What the client of 1.2.0 did with a command line. */
function recorded(...words: string[]): CliRecord {
  const found = records.find(({ argv, env }) => argv.slice(1).join(" ") === words.join(" ") && !env["DOCKER_HOST"]);
  if (found === undefined) throw new Error(`Nothing is recorded for docker ${words.join(" ")}`);
  return found;
}

const TIME = "2014/08/20 20:20:14";

/** Exit status and output, as the records have them. */
function outcome({ status, stdout, stderr }: Pick<Trace, "status" | "stdout" | "stderr">) {
  return { exit: status, stdout, stderr: stderr.replaceAll(TIME, "<time>") };
}

/** The same of the original; the screens it prints stand for themselves. */
function outcomeOf({ exit, stdout, stderr }: CliRecord) {
  return { exit, stdout, stderr };
}

/** Everything that was seen of a client. */
async function watch(...words: string[]): Promise<Sight[]> {
  const sights: Sight[] = [];
  await runClient(words, memoryHost({ env: { HOME: "/root" } }), (sight) => sights.push(sight));
  return sights;
}

/** The client that a command line makes. */
async function clientOf(...words: string[]): Promise<DockerCli> {
  const sight = (await watch(...words)).find(({ kind }) => kind === "client");
  if (sight?.kind !== "client") throw new Error(`docker ${words.join(" ")} makes no client`);
  return sight.cli;
}

/** The request lines of a command line, without the protocol. */
const requests = ({ rounds }: Trace) => rounds.map(({ request }) => request?.first.replace(/ HTTP.*/, ""));

/** Files for {@link clientTls}. */
const pems = {
  "/c/ca.pem": "-----BEGIN CERTIFICATE-----\n",
  "/c/cert.pem": "-----BEGIN CERTIFICATE-----\n",
  "/c/key.pem": "-----BEGIN EC PRIVATE KEY-----\n",
  "/c/bad.pem": "not a certificate\n",
};

/** What the flags about TLS lead to. */
function tls(flags: { tls?: boolean; tlsVerify?: boolean; ca?: string; cert?: string; key?: string }) {
  const value = <T>(one: T) => ({ value: one });
  return clientTls(memoryHost({ files: pems }), {
    tls: value(flags.tls ?? false),
    tlsVerify: value(flags.tlsVerify ?? false),
    ca: value(flags.ca ?? "/c/ca.pem"),
    cert: value(flags.cert ?? "/c/cert.pem"),
    key: value(flags.key ?? "/c/key.pem"),
  });
}

claim("003/s1/1", "requests come from the client, and every one of them makes the daemon run a job", async () => {
  const trace = await follow(["images"]);
  expect(requests(trace)).toEqual(["GET /v1.14/images/json"]);
  expect(trace.daemon.map((line) => line.replace(/^\[[0-9a-f]{8}\] /, ""))).toEqual([
    "[info] GET /v1.14/images/json",
    "+job images()",
    "-job images() = OK (0)",
  ]);
});

claim("003/s3/1", "two -H end the client with status 1, whatever the command is", async () => {
  const words = ["-H", "tcp://127.0.0.1:9", "-H", "tcp://127.0.0.1:8"];
  for (const line of [words, [...words, "ps"]]) {
    const trace = await follow(line);
    expect(outcome(trace)).toEqual(outcomeOf(recorded(...line)));
    expect(trace).toMatchObject({ status: 1, host: undefined, rounds: [] });
  }
});

claim("003/s3/2", "the host is split at the first :// into two parts", async () => {
  expect(await clientOf("-H", "tcp://127.0.0.1:2375", "ps")).toMatchObject({ proto: "tcp", addr: "127.0.0.1:2375" });
  expect(await clientOf("-H", "unix:///a://b", "ps")).toMatchObject({ proto: "unix", addr: "/a://b" });
});

claim("003/s4/1", "--tls encrypts and does not look with whom", async () => {
  expect(await tls({ tls: true })).toMatchObject({ verify: false, ca: undefined });
  const deceived = await follow(["--tls", "-H", addresses.middle, "images"]);
  expect(deceived).toMatchObject({ status: 0, tls: { mode: "unchecked" } });
});

claim("003/s4/2", "--tlsverify reads the authority, checks the daemon, and needs no --tls beside it", async () => {
  expect(await tls({ tlsVerify: true })).toMatchObject({ verify: true, ca: pems["/c/ca.pem"] });
  expect(outcome(await follow(["--tlsverify", "ps"]))).toEqual({
    ...outcomeOf(recorded("--tlsverify", "ps")),
    stderr: recorded("--tlsverify", "ps").stderr.replaceAll("<home>", "/root"),
  });
  const refused = await follow(["HOME=/home/me", "--tlsverify", "-H", addresses.middle, "images"]);
  expect(refused.stderr).toBe(
    `${TIME} Get https://127.0.0.1:2377/v1.14/images/json: x509: certificate signed by unknown authority\n`,
  );
});

claim("003/s4/3", "--tlscacert is declared in docker/flags.go; there is no docker/flag.go", () => {
  const { flags, set } = declare(memoryHost({ env: { HOME: "/root" } }));
  expect(flags.ca.value).toBe("/root/.docker/ca.pem");
  expect(set.lookup("-tlscacert")?.usage).toBe(
    "Trust only remotes providing a certificate signed by the CA given here",
  );
  expect([goFault("docker/flags.go:37-42"), goFault("docker/flag.go:1")]).toEqual([
    undefined,
    "v1.2.0 has no Go file docker/flag.go",
  ]);
});

claim("003/s4/4", "the directory is DOCKER_CERT_PATH, and .docker at home when that is empty", () => {
  const ca = (env: Record<string, string>) => declare(memoryHost({ env })).flags.ca.value;
  expect(ca({ DOCKER_CERT_PATH: "/certs", HOME: "/root" })).toBe("/certs/ca.pem");
  expect(ca({ DOCKER_CERT_PATH: "", HOME: "/home/me" })).toBe("/home/me/.docker/ca.pem");
  expect(ca({})).toBe(".docker/ca.pem");
});

claim("003/s4/5", "the files are called ca.pem, cert.pem and key.pem", () => {
  const { ca, cert, key } = declare(memoryHost({ env: { DOCKER_CERT_PATH: "/c" } })).flags;
  expect([ca.value, cert.value, key.value]).toEqual(["/c/ca.pem", "/c/cert.pem", "/c/key.pem"]);
});

claim("003/s4/6", "missing certificate files are passed over, a pair that is none is fatal", async () => {
  expect(await tls({ tls: true })).toMatchObject({ cert: pems["/c/cert.pem"], key: pems["/c/key.pem"] });
  expect(await tls({ tls: true, key: "/c/missing" })).toEqual({ ca: undefined, verify: false });
  await expect(tls({ tls: true, cert: "/c/bad.pem" })).rejects.toThrow(
    /^Couldn't load X509 key pair: .* Key encrypted\?$/,
  );
  // Without TLS nobody looks at them.
  expect(await tls({ cert: "/c/bad.pem" })).toBeUndefined();
  const { exit, stderr } = recorded("--tls", "--tlscert", "bad.pem", "--tlskey", "bad.pem", "ps");
  expect([exit, stderr]).toEqual([1, expect.stringContaining("Couldn't load X509 key pair")]);
});

claim("003/s4/7", "a client is made with certificates or without", async () => {
  expect((await clientOf("ps")).tls).toBeUndefined();
  expect((await clientOf("--tls", "ps")).tls).toMatchObject({ verify: false });
});

claim("003/s5/1", "a client under TLS speaks https, and is on a terminal when its output is", async () => {
  expect([(await clientOf("ps")).scheme, (await clientOf("--tls", "ps")).scheme]).toEqual(["http", "https"]);
  const [none, whole] = [memoryHost(), memoryHost({ terminal: true })];
  const piped = new DockerCli({ ...whole, stdout: none.stdout }, "unix", "/s");
  const fed = new DockerCli({ ...whole, stdin: none.stdin }, "unix", "/s");
  expect([piped.isTerminal, fed.isTerminal]).toEqual([false, true]);
});

claim("003/s5/2", "NewDockerCli is in api/client/cli.go", () => {
  expect([goFault("api/client/cli.go:81-113"), goFault("API/client/CLI.Go:81")]).toEqual([
    undefined,
    "v1.2.0 has no Go file API/client/CLI.Go",
  ]);
});

claim("003/s6/1", "the command runs at the end of main() in docker/docker.go", async () => {
  expect([goFault("docker/docker.go:102-110"), goFault("docker.Go:102")]).toEqual([
    undefined,
    "v1.2.0 has no Go file docker.Go",
  ]);
  const seen = (await watch("-H", "unix:///nope", "ps")).map(({ kind }) => kind);
  expect(seen).toEqual(["client", "method", "flags", "exchange"]);
});

claim(
  "003/s6/2",
  "a StatusError brings its own exit status and, if it has one, its text; other errors make it 1",
  async () => {
    const fails = async (cause: unknown) => {
      const host = memoryHost();
      const newClient = (...parts: ConstructorParameters<typeof DockerCli>) =>
        Object.assign(new DockerCli(...parts), { cmd: () => Promise.reject(cause) });
      const status = await main(["x"], host, { argv0: "docker", mainDaemon: async () => undefined, newClient });
      return [status, host.stderr.text.replace(/^\S+ \S+ /, "")];
    };
    expect(await fails(new StatusError(7))).toEqual([7, ""]);
    expect(await fails(new StatusError(64, "why"))).toEqual([64, "why\n"]);
    expect(await fails(new Error("why"))).toEqual([1, "why\n"]);
    expect(recorded("inspect", "-f", "{{", "x").exit).toBe(64);
  },
);

claim(
  "003/s6/3",
  "an unknown command is named on standard output, help goes to standard error, the status is 0",
  async () => {
    const trace = await follow(["nope"]);
    expect({ ...outcome(trace), stderr: "<help>" }).toEqual(outcomeOf(recorded("nope")));
    expect(trace.stderr).toMatch(/^Usage: docker \[OPTIONS\] COMMAND \[arg\.\.\.\]\n/);
    expect(recorded("nope").help?.stream).toBe("stderr");
  },
);

claim("003/s6/4", "a method gets all words but the first", async () => {
  const read = (await watch("pull", "-t", "14.04", "ubuntu")).find(({ kind }) => kind === "flags");
  expect(read).toMatchObject({ name: "pull", given: ["-t", "14.04", "ubuntu"], left: ["ubuntu"] });
});

claim("003/s7/1", "a command word is found in whatever case it is typed", async () => {
  const cli = new DockerCli(memoryHost(), "unix", "/s");
  for (const word of ["pull", "PULL", "pUlL"]) expect(cli.getMethod(word)).toBeTypeOf("function");
  for (const word of ["", "pul", "cmd", "subcmd", "loadconfigfile"]) expect(cli.getMethod(word)).toBeUndefined();
  expect([recorded("PS", "-q").exit, recorded("cmd").stdout]).toEqual([0, "Error: Command not found: cmd\n"]);
  expect(await follow(["IMAGES", "-q"])).toMatchObject({ status: 0, methods: [{ name: "CmdImages", found: true }] });
});

claim("003/s7/2", "CmdPull is in api/client/commands.go", () => {
  expect([goFault("api/client/commands.go:1183-1244"), goFault("api/client/command.go:1")]).toEqual([
    undefined,
    "v1.2.0 has no Go file api/client/command.go",
  ]);
});

claim("003/s8/1", "every command is a method Cmd…, and the original has a help line for each of ours but help", () => {
  const [known = []] = [recorded("help").help?.commands];
  expect(known).toHaveLength(35);
  for (const [method, { name, description }] of commands) {
    expect(method).toBe(`Cmd${name.slice(0, 1).toUpperCase()}${name.slice(1)}`);
    expect(known.includes(name)).toBe(description !== undefined);
  }
});

claim("003/s8/3", "call() puts the version into the path, stream() sends none and makes it the Host", async () => {
  const [called, streamed] = [await follow(["ps"]), await follow(["pull", "busybox"])];
  expect([requests(called), requests(streamed)]).toEqual([
    ["GET /v1.14/containers/json"],
    ["POST /images/create?fromImage=busybox&tag="],
  ]);
  const host = ({ rounds }: Trace) => rounds[0]?.request && headerOf(rounds[0].request, "Host");
  expect([host(called), host(streamed)]).toEqual(["", "v1.14"]);
  expect([called, streamed].map(({ rounds }) => rounds[0] && wayOf(rounds[0]))).toEqual(["call", "stream"]);
});

claim(
  "003/s8/5",
  "a command is over with its answer: each request has a connection, and the next command starts anew",
  async () => {
    const trace = await follow(["inspect", "busybox", "nope"]);
    expect(trace.rounds.length).toBeGreaterThan(2);
    for (const { request } of trace.rounds) expect(request?.body).toBe("");
    expect(await follow(["inspect", "busybox", "nope"])).toEqual(trace);
  },
);

// The rules that must hold.

const lines: readonly (readonly string[])[] = [
  ...live.presets.map(({ args }) => args).filter((args) => args[0] !== "events"),
  ["ps", "-H", "unix:///s"],
  ["-a", "ps"],
  ["HOME=/home/bad", "--tls", "ps"],
  ["HOME=/home/bad", "pull", "busybox"],
  ["DOCKER_HOST=bogus", "ps"],
  ["help", "pull"],
  ["-v", "ps"],
  ["run", "busybox", "true"],
  ["inspect", "-f", "{{", "x"],
  ["rmi", "nope"],
];
const traces = await Promise.all(lines.map((line) => follow(line)));

test("rule 1: flags of docker stand before the command word, flags of the command behind it", async () => {
  expect(await follow(["ps", "-H", "unix:///s"])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^flag provided but not defined: -H\n\nUsage: docker ps /),
  });
  expect((await follow(["-a", "ps"])).stderr).toMatch(/^flag provided but not defined: -a\nUsage of docker:/);
  for (const { words } of traces) {
    const order = words.map(({ taker }) => taker);
    expect(order).toEqual([...order].sort((a, b) => rank.indexOf(a) - rank.indexOf(b)));
  }
});
const rank = ["main", "command", "flags", "arguments", "help", "nobody"];

test("rule 2: host and TLS are decided before anybody looks at the command word", async () => {
  for (const trace of traces) if (trace.methods.length > 0) expect(trace.host).toBeDefined();
  expect(await follow(["--tlsverify", "nope"])).toMatchObject({ status: 1, stdout: "", methods: [] });
});

test("rule 3: a connection carries one request", () => {
  for (const { rounds, daemon } of traces) {
    const served = rounds.filter(({ answer }) => typeof answer === "object");
    const logged = daemon.filter((line) => line.startsWith("[info] "));
    expect(logged).toEqual(served.map(({ request }) => `[info] ${request?.first.replace(/ HTTP.*/, "")}`));
  }
});

test("rule 4: a client that fails has said why on standard error", () => {
  for (const { status, stderr } of traces) if (status !== 0) expect(stderr).not.toBe("");
});

test("the last step tells a status of log.Fatal from one that a command brought itself", async () => {
  const reason = async (...args: string[]) => reasonOf(await follow(args)).en;
  expect(await reason("rmi", "nope")).toMatch(/^log\.Fatal/);
  expect(await reason("inspect", "nope")).toMatch(/^a StatusError/);
  expect(await reason("inspect", "-f", "{{", "x")).toMatch(/^a StatusError/);
  expect(await reason("images")).toBe("the method returned no error");
});

test("rule 5: only requests for which the daemon may ask a registry carry credentials", () => {
  for (const { rounds } of traces) {
    for (const { request } of rounds) {
      const carries = request !== undefined && headerOf(request, "X-Registry-Auth") !== undefined;
      expect(carries).toBe(/^(POST \/images\/create|GET \S+\/images\/search)\?/.test(request?.first ?? ""));
    }
  }
});

test("the answers to the predictions", async () => {
  const statuses = async (...all: string[]) =>
    Promise.all(all.map(async (line) => (await follow(line.split(" "))).status));
  expect(await statuses("PULL busybox", "nope", "nope pull", "-H :1 -H :2 help")).toEqual([0, 0, 2, 1]);
  expect(requests(await follow(["pull", "-t", "14.04", "ubuntu"]))).toEqual(["POST /images/create?fromImage=ubuntu"]);
  const all = await follow(["pull", "-t", "14.04", "ubuntu"]);
  expect(all.rounds[0]?.answer).toMatchObject({ body: expect.stringContaining("Pulling image (12.04)") });
  expect(await follow(["--tls", "ps"])).toMatchObject({
    status: 1,
    stderr: `${TIME} Get https:///var/run/docker.sock/v1.14/containers/json: server gave HTTP response to HTTPS client\n`,
  });
});

test("credentials go to the daemon in the clear, those of the registry that the name is in", async () => {
  const sent = async (...line: string[]) => {
    const [round] = (await follow(line)).rounds;
    const header = round?.request && headerOf(round.request, "X-Registry-Auth");
    return JSON.parse(Buffer.from(header ?? "", "base64url").toString());
  };
  const me = { username: "me", password: "s3cret", auth: "", email: "me@example.com" };
  expect(await sent("HOME=/home/me", "pull", "busybox")).toEqual(me);
  expect(await sent("HOME=/home/me", "pull", "registry.example.com:5000/a/b")).toMatchObject({ username: "work" });
  expect(await sent("HOME=/home/me", "pull", "other.example.com/a/b")).toEqual({ auth: "", email: "" });
  expect(await sent("HOME=/home/me", "search", "ubuntu")).toEqual(me);
  expect(await sent("HOME=/home/me", "search", "registry.example.com:5000/x")).toMatchObject({ username: "work" });
  const broken = await follow(["HOME=/home/bad", "pull", "busybox"]);
  expect(broken.stderr).toMatch(/^WARNING: illegal base64 data at input byte 2\n/);
});

test("where no daemon answers, the client says three different things", async () => {
  const said = async (...line: string[]) => (await follow(line)).stderr.slice(TIME.length + 1);
  expect(await said("-H", "tcp://127.0.0.1:9", "ps")).toBe(
    "Cannot connect to the Docker daemon. Is 'docker -d' running on this host?\n",
  );
  expect(await said("-H", "unix:///nope.sock", "ps")).toBe(
    "Get http:///nope.sock/v1.14/containers/json: dial unix /nope.sock: no such file or directory\n",
  );
  expect(await said("USER=alice", "ps")).toBe(
    "Get http:///var/run/docker.sock/v1.14/containers/json: dial unix /var/run/docker.sock: permission denied\n",
  );
  expect(await said("-H", addresses.secure, "ps")).toBe(
    'Get http://127.0.0.1:2376/v1.14/containers/json: malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02"\n',
  );
  expect(await said("-H", addresses.secure, "pull", "busybox")).toContain('\\x00\\x02\\x02\\x16"\n');
});

test("events go on until somebody stops them", async () => {
  expect(await follow(["events"])).toMatchObject({ status: undefined, stderr: "" });
});

// The demonstration and its picture.

/** What the demonstration writes. */
async function shown(...args: string[]): Promise<{ status: number; text: string }> {
  const out = new BufferWriter();
  return { status: await demo(args, out), text: out.toString() };
}

test("demo shows every step of a command line", async () => {
  expect(await shown("-H", "tcp://127.0.0.1:2375", "PS", "-q")).toEqual({
    status: 0,
    text: `docker -H tcp://127.0.0.1:2375 PS -q

words    -H tcp://127.0.0.1:2375  · flags of docker itself
         PS                       · the command word
         -q                       · flags of the command
host     tcp://127.0.0.1:2375  · by -H
TLS      off  · everything goes in the clear
method   PS → CmdPs
flags    -q  · flags that ps reads
request  → tcp://127.0.0.1:2375
         GET /v1.14/containers/json HTTP/1.1  · call(): the version is in the path
         Host: 127.0.0.1:2375
         User-Agent: Docker-Client/1.2.0
daemon   [info] GET /v1.14/containers/json
         [00049d12] +job containers()
         [00049d12] -job containers() = OK (0)
answer   HTTP/1.1 200 OK
         Content-Type: application/json
         Content-Length: 2
         Date: Wed, 20 Aug 2014 20:20:14 GMT
         []
exit     0  · the method returned no error
`,
  });
});

test("demo shows one step with its place in both sources", async () => {
  expect((await shown("STEP=tls", "--tls", "images")).text).toBe(`docker --tls images

TLS      unchecked  · encrypted, but with whom is not checked
         docker/docker.go:63-100
         src/docker/client-tls.ts#clientTls
`);
  expect((await shown("STEP=request", "nope")).text).toContain("does not come to this step");
});

test("demo says what can be given, and refuses what means nothing", async () => {
  expect(await shown("--help")).toMatchObject({ status: 0, text: expect.stringContaining("DOCKER_HOST=…") });
  expect(await shown("DOCKER_TLS_VERIFY=1", "ps")).toMatchObject({
    status: 2,
    text: expect.stringContaining("DOCKER_TLS_VERIFY means nothing here"),
  });
  expect(await shown("STEP=x", "ps")).toMatchObject({ status: 2, text: expect.stringContaining("There is no step x") });
  expect(await shown("-d")).toMatchObject({ status: 0, text: expect.stringContaining("no client: a daemon") });
  expect(readArgs([]).line).toEqual(live.example);
});

test("every step names lines of 1.2.0 and a declaration of ours", () => {
  const tree = diskTree(new URL("../..", import.meta.url).pathname);
  const seen = new Set<string>();
  for (const step of traces.flatMap(stepsOf)) {
    seen.add(step.name);
    for (const place of step.go) expect(goFault(place)).toBeUndefined();
    for (const place of step.ts) expect(declarationOf(tree, place), place).toBeDefined();
  }
  expect([...seen].sort()).toEqual([...stepNames].sort());
});

test("live draws the words with their takers, and every step as a button", async () => {
  const drawn = await live.draw(live.example, "en");
  expect(drawn.match(/role="button"/g)).toHaveLength(9);
  for (const words of ["the command word", "flags of the command", "arguments of the command", "Host: v1.14"]) {
    expect(drawn).toContain(`>${words}<`);
  }
  expect(drawn).toContain("Pulling image (12.04)");
  expect(drawn).not.toContain("<a href");
});

test("live opens a step, says where it is, and closes it again", async () => {
  const drawn = await live.draw(["STEP=request", "ps"], "zh");
  expect(drawn).toContain('href="https://github.com/moby/moby/blob/v1.2.0/api/client/utils.go#L61-L93"');
  expect(drawn).toContain("src/api/client/utils.ts#call");
  expect(drawn).toContain("User-Agent: Docker-Client/1.2.0");
  expect(drawn).toMatch(/<button [^>]*data-args="\[&#34;ps&#34;\]"[^>]*>收起</);
});

test("live draws every preset, in one language or the other, and what failed in its own look", async () => {
  for (const [i, { args }] of live.presets.entries()) {
    expect(await live.draw(args, i % 2 === 0 ? "en" : "zh")).toContain("<svg");
  }
  expect(await live.draw(["USER=alice", "ps"], "en")).toContain('class="box k-bad"');
  expect(await live.draw(["images"], "en")).not.toContain('class="box k-bad"');
  // An error is shown whole: in pieces, if it is long.
  const pieces = [...(await live.draw(["USER=alice", "ps"], "en")).matchAll(/>([^<>]*)<\/text>/g)].map(
    ([, text]) => text,
  );
  expect(pieces.join("")).toContain(
    "2&#62; 2014/08/20 20:20:14 Get http:///var/run/docker.sock/v1.14/containers/json: dial unix /var/run/docker.sock: permission denied",
  );
  await expect(live.draw(["NAME=x"], "en")).rejects.toThrow("NAME means nothing here");
});

test("a control of the picture reads what it writes, and leaves the rest alone", () => {
  const args = ["HOME=/home/me", "-H", addresses.secure, "--tlsverify", "pull", "a b"];
  for (const control of live.controls) {
    if (control.kind === "choice") {
      expect(control.write(args, control.read(args))).toEqual(args);
      for (const { value } of control.options) expect(control.read(control.write(args, value))).toBe(value);
    } else if (control.kind === "text") {
      expect(control.write(args, control.read(args))).toEqual(args);
    } else if (control.kind === "switch") {
      for (const on of [true, false]) expect(control.read(control.write(args, on))).toBe(on);
    }
  }
});

test("readMessage() puts chunks together and knows what is no HTTP", () => {
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  expect(readMessage(Buffer.from(chunked))).toMatchObject({ first: "HTTP/1.1 200 OK", body: "abcde" });
  expect(readMessage(Buffer.alloc(0))).toBeUndefined();
  expect(readMessage(Buffer.from([0x15, 3, 1]))).toBe("\x15\x03\x01");
});

test("the chapter treats its claims, and no others", () => {
  const own = claims.filter(({ chapter }) => chapter === "07-client-cmd");
  expect(own).toHaveLength(21);
  expect(new Set(own.map((one) => anchorOf(sectionOf(one)))).size).toBe(7);
});
