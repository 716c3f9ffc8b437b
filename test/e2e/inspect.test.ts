/**
 * What is told about containers and images: inspect and its templates, ps, info; and the two commands that tie them to
 * each other: commit and links.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Docker, okWith, provide } from "../support/commands.ts";
import {
  clientWords,
  DRYDOCK,
  hasRoot,
  type Result,
  run,
  startDaemon,
  type TestDaemon,
  TODAY,
} from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon({ args: ["-D"] });
  registry = await startRegistry(daemon.netns.prefix);
  image = "box:latest";
  const config = { ExposedPorts: { "80/tcp": {} }, Volumes: { "/vol": {} } };
  const pulled = await provide(daemon, registry, "busybox", [BUSYBOX], { config });
  await ours("tag", pulled, image);
  await ours("rmi", pulled);
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const ours = (...args: string[]) => okWith(daemon.docker, ...args);
const removeAll = async () => {
  const ids = (await ours("ps", "-a", "-q")).split("\n").filter(Boolean);
  if (ids.length > 0) await ours("rm", "-f", "-v", ...ids);
};
const json = async <T>(name: string, path: string) =>
  JSON.parse(await ours("inspect", "-f", `{{json .${path}}}`, name)) as T;

/** Templates that mean the same to both clients, and what they show of a running container. */
const TEMPLATES: readonly (readonly [template: string, shown: string | RegExp])[] = [
  ["{{.Name}} {{.State.Running}} {{.Config.Image}}", "/shown true box:latest"],
  ["{{.NetworkSettings.IPAddress}}", /^172\.17\.\d+\.\d+$/],
  ['{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "7100"],
  ["{{range $p, $conf := .NetworkSettings.Ports}} {{$p}} -> {{(index $conf 0).HostPort}} {{end}}", " 80/tcp -> 7100 "],
  ["{{json .Config.Cmd}}", '["sh","-c","sleep 100"]'],
  ["{{range .Config.Env}}{{.}};{{end}}", "WITH=a=b;PATH=/bin;"],
  ["{{with .Config}}{{.Hostname}}{{with .Entrypoint}}x{{else}} none{{end}}{{end}}", "inside none"],
  ["{{if .State.Running}}up{{else}}down{{end}}{{if not .State.Paused}} unpaused{{end}}", "up unpaused"],
  ['{{printf "%s|%q|%v" .Name .Config.Hostname .State.Paused}}', '/shown|"inside"|false'],
  ["{{len .Config.Cmd}} {{index .Config.Cmd 0}}", "3 sh"],
  ['{{join .Config.Cmd ","}}', "sh,-c,sleep 100"],
  ["{{$name := .Name}}{{range $i, $w := .Config.Cmd}}{{$i}}{{$name}}{{end}}", "0/shown1/shown2/shown"],
  ['{{eq .Name "/shown"}} {{ne .Name "x"}} {{and true .State.Running}} {{or false .Name}}', "true true true /shown"],
  ["a {{- .Name -}} b {{/* nothing */}}c", "a/shownb c"],
  ['{{html "<a>"}} {{urlquery "a b&c"}} {{print 1 2 "x"}}', "&lt;a&gt; a+b%26c 1 2x"],
  [
    '{{define "x"}}[{{.}}]{{end}}{{template "x" .Name}}{{range .Config.Cmd}}{{template "x" .}}{{end}}',
    "[/shown][sh][-c][sleep 100]",
  ],
  ["{{range .HostConfig.Binds}}{{.}}{{end}}", /^\/\S+:\/bound:ro$/],
];

describe.runIf(isRoot).each([
  ["our client", DRYDOCK],
  ["today's client", TODAY],
])("%s", (_who, binary) => {
  const mine = binary === DRYDOCK;
  const docker: Docker = (...args) => run([...clientWords(daemon, binary), ...args], { env: { HOME: daemon.dir } });
  const ok = (...args: string[]) => okWith(docker, ...args);

  test("inspect: templates, several names, containers and images, and what is not there", async () => {
    await removeAll();
    const flags = ["--name", "shown", "-h", "inside", "-p", "7100:80", "-e", "WITH=a=b"];
    await ok("run", "-d", ...flags, "-v", `${daemon.dir}:/bound:ro`, image, "sh", "-c", "sleep 100");
    const shown = await Promise.all(TEMPLATES.map(([template]) => docker("inspect", "-f", template, "shown")));
    for (const [i, [template, text]] of TEMPLATES.entries()) {
      const { code, stdout, stderr } = shown[i] as Result;
      expect([template, code, stderr]).toEqual([template, 0, ""]);
      if (typeof text === "string") expect(stdout).toBe(`${text}\n`);
      else expect(stdout.trim()).toMatch(text);
    }
    // By name, by prefix of the id, and an image, in the order they were asked for.
    const id = (await ours("inspect", "-f", "{{.Id}}", "shown")).trim();
    const both = await docker("inspect", "shown", id.slice(0, 6), image, "nope");
    const list = JSON.parse(both.stdout) as { Id: string; Config: { Hostname: string } }[];
    expect(list.map((item) => item.Id.replace("sha256:", "")).slice(0, 2)).toEqual([id, id]);
    expect(list).toHaveLength(3);
    expect([both.code, both.stderr]).toEqual([
      1,
      expect.stringMatching(mine ? /^Error: No such image or container: nope\n$/ : /[Nn]o such object: nope/),
    ]);
    if (mine) expect(both.stdout).toMatch(/^\[\{\n {4}"[\s\S]*\n\}\n?,\{\n[\s\S]*\n\}\n?\]$/);
    const one = await docker("inspect", "-f", "{{.Id}}", "nope", "shown");
    expect([one.code, one.stdout]).toEqual([1, mine ? `${id}\n` : expect.stringContaining(id)]);
    await removeAll();
  });

  test("ps: which containers, in which order, in which columns", async () => {
    await removeAll();
    const named = ["one", "two", "three", "four"];
    for (const [i, name] of named.entries())
      expect((await docker("run", "--name", name, image, "sh", "-c", `exit ${[0, 3, 0, 0][i]}`)).code).toBe(
        i === 1 ? 3 : 0,
      );
    await ok("run", "-d", "-p", "127.0.0.1:7101:80", "--expose", "90", "--name", "up", image, "sleep", "100");
    const names = async (...flags: string[]) => {
      const [, ...rows] = (await ok("ps", ...flags)).trimEnd().split("\n");
      return rows.map((row) => row.trim().split(/\s+/).at(-1));
    };
    expect(await names()).toEqual(["up"]);
    expect(await names("-a")).toEqual(["up", "four", "three", "two", "one"]);
    expect(await names("-l")).toEqual(["up"]);
    expect(await names("-n", "2")).toEqual(["up", "four"]);
    expect(await names("-a", "-f", "exited=3")).toEqual(mine ? ["up", "two"] : ["two"]);
    expect(await names("-a", "--filter", "exited=3", "--filter", "exited=0")).toEqual(
      mine ? ["up", "four", "three", "two", "one"] : ["four", "three", "two", "one"],
    );
    if (mine) {
      // Today's client has filters for these, and none of the flags.
      expect(await names("--since", "two")).toEqual(["up", "four", "three"]);
      expect(await names("--before", "three")).toEqual(["two", "one"]);
      expect(await names("--since", "one", "--before", "four")).toEqual(["three", "two"]);
      expect(await names("--since", "one", "-n", "1")).toEqual(["up"]);
      expect(await names("--before", "up", "-f", "exited=3")).toEqual(["two"]);
      expect(await names("-n", "-1")).toEqual(["up"]);
      expect(await names("-l", "-n", "3")).toEqual(["up", "four", "three"]);
      for (const [flags, text] of [
        [["--since", "nope"], "Could not find container with name or id nope"],
        [["--before", "nope"], "Could not find container with name or id nope"],
        [["-f", "exited=x"], 'strconv.ParseInt: parsing "x": invalid syntax'],
        [["-f", "x"], "bad format of filter (expected name=value)"],
      ] as const) {
        const failed = await docker("ps", ...flags);
        expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(text)]);
      }
    } else {
      expect(await names("-a", "-f", "since=two")).toEqual(["up", "four", "three"]);
      expect(await names("-a", "-f", "before=three")).toEqual(["two", "one"]);
      expect(await names("-a", "-f", "status=exited", "-f", "name=t")).toEqual(["three", "two"]);
    }
    const quiet = (await ok("ps", "-a", "-q")).trim().split("\n");
    expect(quiet).toHaveLength(5);
    for (const id of quiet) expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect((await ok("ps", "-q", "--no-trunc")).trim()).toBe((await ours("inspect", "-f", "{{.Id}}", "up")).trim());
    if (mine) {
      const ago = "(?:Less than a second|\\d+ seconds) ago";
      const [header, up, , , two] = (await ok("ps", "-a", "-s")).split("\n");
      expect(header).toMatch(/^CONTAINER ID {8}IMAGE {15}COMMAND +CREATED {4,}STATUS +PORTS +NAMES {15}SIZE *$/);
      expect(up).toMatch(
        new RegExp(
          `^[0-9a-f]{12} +box:latest +"sleep 100" +${ago} +Up (?:Less than a second|\\d+ seconds) +90/tcp, 127\\.0\\.0\\.1:7101->80/tcp +up +0 B *$`,
        ),
      );
      expect(two).toMatch(
        new RegExp(`^[0-9a-f]{12} +box:latest +"sh -c 'exit 3'" +${ago} +Exited \\(3\\) ${ago} +two +0 B *$`),
      );
      const whole = await ok("ps", "-a", "--no-trunc");
      expect(whole).toMatch(/^[0-9a-f]{64} +box:latest +"sleep 100" /m);
      expect(whole.split("\n")[0]).toMatch(/^CONTAINER ID {55}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES *$/);
    }
    await removeAll();
    expect((await ok("ps", "-a")).trim().split("\n")).toHaveLength(1);
  });

  test("info tells of the daemon, the machine and the driver; more in debug", async () => {
    await removeAll();
    await ok("run", "--name", "counted", image, "true");
    const { code, stdout, stderr } = await docker("info");
    expect(code).toBe(0);
    const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
    if (mine) {
      const lines = [
        "Containers: 1",
        "Images: 1",
        "Storage Driver: overlay",
        " Backing Filesystem: \\w+",
        "Execution Driver: native-0\\.2",
        `Kernel Version: ${kernel.replace(/\./g, "\\.")}`,
        "Operating System: .+",
        "Debug mode \\(server\\): true",
        "Debug mode \\(client\\): false",
        "Fds: \\d+",
        "Goroutines: \\d+",
        "EventsListeners: 0",
        "(?:Init SHA1: \\w+\n)?Init Path: /\\S+",
      ];
      expect(stdout).toMatch(new RegExp(`^${lines.join("\n")}\n$`));
      expect(stderr).toBe("");
    } else {
      expect(stdout).toMatch(/^ ?Containers: 1$/m);
      expect(stdout).toMatch(/^ ?Images: 1$/m);
      expect(stdout).toMatch(/^ ?Storage Driver: overlay/m);
      expect(stdout).toContain(`Kernel Version: ${kernel}`);
    }
    await removeAll();
  });

  test("commit: message, author, pause, name and tag, and the container's own configuration", async () => {
    await removeAll();
    const flags = ["-e", "ADDED=1", "-w", "/tmp", "-u", "operator", "--expose", "90", "-v", "/more"];
    await ok("run", "--name", "source", ...flags, image, "sh", "-c", "exit 0");
    const id = (await ok("commit", "-m", "why", "-a", "Me <me@x>", "source", "made:one")).trim().replace("sha256:", "");
    expect(await json("made:one", "Config")).toMatchObject({
      Cmd: ["sh", "-c", "exit 0"],
      Env: ["ADDED=1", "PATH=/bin"],
      ExposedPorts: { "80/tcp": {}, "90/tcp": {} },
      User: "operator",
      Volumes: { "/more": {}, "/vol": {} },
      WorkingDir: "/tmp",
    });
    const parent = (await ours("inspect", "-f", "{{.Id}}", image)).trim();
    const container = (await ours("inspect", "-f", "{{.Id}}", "source")).trim();
    const template = "{{.Id}} {{.Parent}} {{.Container}} {{.Author}} {{.Comment}} {{.ContainerConfig.User}}";
    expect(await ours("inspect", "-f", template, "made:one")).toBe(
      `${id} ${parent} ${container} Me <me@x> why operator\n`,
    );
    expect((await ok("history", "-q", "made:one")).trim().split("\n")).toHaveLength(2);
    await ok("commit", "source", "made");
    expect(await ours("images", "--no-trunc")).toMatch(/^made +latest +[0-9a-f]{64} /m);
    const unnamed = (await ok("commit", "-p=false", "source")).trim();
    expect(await ours("images", "-q", "--no-trunc")).toContain(unnamed.replace("sha256:", ""));
    expect((await docker("commit", "nope", "x")).stderr).toContain("No such container: nope");
    const refused = await docker("commit", "source", "BAD");
    expect([refused.code === 0, refused.stderr]).toEqual([
      false,
      expect.stringMatching(
        mine ? /Invalid repository name \(BAD\), only \[a-z0-9-_\.\] are allowed/ : /must be lowercase/,
      ),
    ]);
    if (mine) {
      const config = '{"Cmd":["echo","new"],"Env":["ADDED=2"],"WorkingDir":"/","ExposedPorts":{"70/udp":{}}}';
      await ok("commit", `--run=${config}`, "source", "made:run");
      expect(await json("made:run", "Config")).toMatchObject({
        Cmd: ["echo", "new"],
        Env: ["ADDED=2", "PATH=/bin"],
        ExposedPorts: { "70/udp": {}, "80/tcp": {}, "90/tcp": {} },
        User: "operator",
        WorkingDir: "/",
      });
      expect(await ok("run", "--rm", "made:run")).toBe("new\n");
    }
    // What runs is frozen while its files are read, unless it is not to be.
    await ok("run", "-d", "--name", "busy", image, "sh", "-c", "while :; do echo x >> /grows; done");
    const since = daemon.log().length;
    await ok("commit", "busy", "from-busy");
    await ok("commit", "--pause=false", "busy", "from-busy2");
    expect(await ours("inspect", "-f", "{{.State.Running}} {{.State.Paused}}", "busy")).toBe("true false\n");
    expect(daemon.log().slice(since)).toContain("+job commit(");
    await removeAll();
    await ours("rmi", "made:one", "made", "from-busy", "from-busy2", unnamed, ...(mine ? ["made:run"] : []));
  });

  test("links: variables, names, aliases, and rm --link takes one away for the next start", async () => {
    await removeAll();
    await ok(
      "run",
      "-d",
      "--name",
      "db",
      "-e",
      "PW=secret",
      "-e",
      "EQ=a=b",
      "--expose",
      "53/udp",
      image,
      "sleep",
      "100",
    );
    const script = "env | sort; grep -v 'localhost\\|ip6' /etc/hosts; sleep 100";
    await ok(
      "run",
      "-d",
      "--name",
      "web",
      "--link",
      "db:db",
      "--link",
      "db:other-1",
      image,
      "sh",
      "-c",
      script.replace(" | sort", ""),
    );
    const ip = (await ours("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "db")).trim();
    const own = (await ours("inspect", "-f", "{{.NetworkSettings.IPAddress}} {{.Config.Hostname}}", "web"))
      .trim()
      .split(" ");
    await expect.poll(() => ours("logs", "web")).toContain("other-1\n");
    const port = (alias: string, number: string, proto: string) => [
      `${alias}_PORT_${number}_${proto.toUpperCase()}=${proto}://${ip}:${number}`,
      `${alias}_PORT_${number}_${proto.toUpperCase()}_ADDR=${ip}`,
      `${alias}_PORT_${number}_${proto.toUpperCase()}_PORT=${number}`,
      `${alias}_PORT_${number}_${proto.toUpperCase()}_PROTO=${proto}`,
    ];
    const variables = (alias: string, path: string) => [
      `${alias}_PORT=udp://${ip}:53`,
      ...port(alias, "53", "udp"),
      ...port(alias, "80", "tcp"),
      `${alias}_NAME=${path}`,
      `${alias}_ENV_PW=secret`,
    ];
    const lines = (await ours("logs", "web")).trim().split("\n");
    expect(lines.filter((line) => /^(?:DB|OTHER)_/.test(line)).sort()).toEqual(
      [...variables("DB", "/web/db"), ...variables("OTHER_1", "/web/other-1")].sort(),
    );
    expect(lines.filter((line) => line.includes("\t"))).toEqual([
      `${own[0]}\t${own[1]}`,
      `${ip}\tdb`,
      `${ip}\tother-1`,
    ]);
    expect((await json<string[]>("web", "HostConfig.Links")).sort()).toEqual(["/db:/web/db", "/db:/web/other-1"]);
    // The child has its other names, too, and can be asked for by them.
    if (mine) expect(await ok("ps")).toMatch(/ db,web\/db,web\/other-1 /);
    expect(await ours("inspect", "-f", "{{.Name}}", "web/db")).toBe("/db\n");
    for (const [name, text] of [
      ["db", "Conflict, cannot remove the default name of the container"],
      ["web/nope", "No such link: web/nope"],
      ["nope/db", "No such link: nope/db"],
    ] as const) {
      const failed = await docker("rm", "--link", name);
      expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(text)]);
    }
    expect(await ok("rm", "--link", "web/db")).toBe("web/db\n");
    expect(await json("web", "HostConfig.Links")).toEqual(["/db:/web/other-1"]);
    const before = (await ours("logs", "web")).length;
    await ok("restart", "-t", "0", "web");
    await expect.poll(async () => (await ours("logs", "web")).slice(before)).toContain("other-1\n");
    const after = (await ours("logs", "web")).slice(before);
    expect([after.includes("DB_"), after.includes("OTHER_1_NAME=/web/other-1"), after.includes("\tdb\n")]).toEqual([
      false,
      true,
      false,
    ]);
    // The same from the other side: no start without the one who is linked.
    await ok("stop", "-t", "0", "web");
    await ok("stop", "-t", "0", "db");
    const failed = await docker("start", "web");
    expect(failed.stderr).toContain("Cannot link to a non running container: /db AS /web/other-1");
    await removeAll();
  });
});

vm("what a template cannot be read for, or applied to, is said in Go's words", async () => {
  await ours("run", "--name", "c", image, "true");
  for (const [template, text] of [
    ["{{.X", "unclosed action"],
    ["{{nofn .X}}", 'function "nofn" not defined'],
    ["{{if .X}}", "unexpected EOF"],
    ["{{end}}", "unexpected {{end}}"],
    ['{{"x}}', "unterminated quoted string"],
    ["{{$x}}", 'undefined variable "$x"'],
    ["{{range .X}}{{else}}{{else}}{{end}}", "expected end; found {{else}}"],
  ] as const) {
    const failed = await daemon.docker("inspect", "-f", template, "c");
    const today = await daemon.today("inspect", "-f", template, "c");
    expect(today.stderr).toContain(text);
    expect([template, failed.code, failed.stdout]).toEqual([template, 64, ""]);
    // Said once by the command, and once more as its end.
    const said = `Template parsing error: template: :1: ${text}`;
    expect(failed.stderr).toMatch(/^Template parsing error: /);
    expect(failed.stderr.split(said)).toHaveLength(3);
  }
  const failed = await daemon.docker("inspect", "-f", "{{.Name}} {{.Name.X}}", "c");
  expect([failed.code, failed.stdout]).toEqual([1, "/c "]);
  expect(failed.stderr).toContain(
    'template: :1:17: executing "" at <.Name.X>: can\'t evaluate field X in type interface {}',
  );
  await removeAll();
});

vm("info shows who is logged in, and warns of what the kernel does not have", async () => {
  const info = JSON.parse(
    (await daemon.inside("curl", "-s", "--unix-socket", daemon.socket, "http://x/v1.14/info")).stdout,
  ) as Record<string, unknown>;
  expect(Object.keys(info).sort()).toEqual([
    "Containers",
    "Debug",
    "Driver",
    "DriverStatus",
    "ExecutionDriver",
    "IPv4Forwarding",
    "Images",
    "IndexServerAddress",
    "InitPath",
    "InitSha1",
    "KernelVersion",
    "MemoryLimit",
    "NEventsListener",
    "NFd",
    "NGoroutines",
    "OperatingSystem",
    "SwapLimit",
  ]);
  const auth = Buffer.from("me:secret").toString("base64");
  writeFileSync(
    join(daemon.dir, ".dockercfg"),
    JSON.stringify({ "https://index.docker.io/v1/": { auth, email: "e@x" } }),
  );
  expect(await ours("info")).toMatch(/Username: me\nRegistry: \[https:\/\/index\.docker\.io\/v1\/\]\n$/);
});
