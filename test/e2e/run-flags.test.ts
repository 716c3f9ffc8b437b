/**
 * The flags of `docker run`, one by one: what each does inside the container or on the machine, and what is said of bad
 * values. With our client, and with the unmodified one of today where it still has the flag.
 */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Docker, okWith, provide } from "../support/commands.ts";
import {
  clientWords,
  DRYDOCK,
  hasRoot,
  leftovers,
  run,
  startDaemon,
  type TestDaemon,
  TODAY,
} from "../support/daemon.ts";
import { BUSYBOX, type LayerSpec, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");

const MORE: LayerSpec = {
  ...Object.fromEntries(["chown", "mknod"].map((name) => [`bin/${name}`, { link: "busybox" }])),
  "etc/group": "root:x:0:\noperator:x:37:\nextra:x:99:operator\n",
};

let daemon: TestDaemon;
let registry: TestRegistry;
/** An image with a program and nothing else, and one with an entry point, ports and a volume. */
let image: string;
let rich: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [BUSYBOX, MORE]);
  rich = await provide(daemon, registry, "rich", [BUSYBOX, MORE], {
    config: {
      Entrypoint: ["echo", "entry"],
      Cmd: ["words"],
      Env: ["PATH=/bin", "KEPT=image", "CHANGED=image"],
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      User: "operator",
      WorkingDir: "/tmp",
    },
  });
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const ours = (...args: string[]) => okWith(daemon.docker, ...args);
const inspect = async (name: string, path: string) =>
  JSON.parse(await ours("inspect", "-f", `{{json .${path}}}`, name)) as unknown;
/** Ends a container that may still run. */
const remove = (...names: string[]) => ours("rm", "-f", "-v", ...names);
const removeAll = async () => remove(...(await ours("ps", "-q", "-a")).split("\n").filter(Boolean));
/** Where the kernel keeps a limit of a container. */
const limit = (id: string, hierarchy: string, name: string) =>
  readFileSync(`/sys/fs/cgroup/${hierarchy}/docker/${id}/${hierarchy}.${name}`, "utf8").trim();
describe.runIf(isRoot).each([
  ["our client", DRYDOCK],
  ["today's client", TODAY],
])("%s", (_who, binary) => {
  const mine = binary === DRYDOCK;
  const words = (...args: string[]) => [...clientWords(daemon, binary), ...args];
  const docker: Docker = (...args) => run(words(...args), { env: { HOME: daemon.dir, INHERITED: "from outside" } });
  const ok = (...args: string[]) => okWith(docker, ...args);
  /** Runs a script in a container that is gone afterwards. */
  const sh = (flags: string[], script: string) => ok("run", "--rm", ...flags, image, "sh", "-c", script);
  /** A name of this client's own. */
  const named = (name: string) => `${name}-${mine ? "ours" : "theirs"}`;
  const background = async (...args: string[]) => (await ok("run", "-d", ...args)).trim();

  test("-a chooses the streams that come back; with stdin only, the id does", async () => {
    const both = "echo out; echo err >&2";
    expect(await docker("run", "--rm", "-a", "stdout", image, "sh", "-c", both)).toEqual({
      code: 0,
      stdout: "out\n",
      stderr: "",
    });
    expect(await docker("run", "--rm", "-a", "STDERR", image, "sh", "-c", both)).toEqual({
      code: 0,
      stdout: "",
      stderr: "err\n",
    });
    const name = named("in");
    const input = words("run", "--name", name, "-i", "-a", "stdin", image, "sh", "-c", "cat > /got");
    const fed = await run(input, { input: "fed\n", env: { HOME: daemon.dir } });
    // Today's client keeps the id to itself.
    expect([fed.code, fed.stdout]).toEqual([0, mine ? expect.stringMatching(/^[0-9a-f]{64}\n$/) : ""]);
    await ours("wait", name);
    await ours("cp", `${name}:/got`, daemon.dir);
    expect(readFileSync(join(daemon.dir, "got"), "utf8")).toBe("fed\n");
    await remove(name);
  });

  test("-d prints the id and leaves; -i keeps the input open, without it a reader ends at once", async () => {
    const [open, closed] = await Promise.all([background("-i", image, "cat"), background(image, "cat")]);
    expect(await ours("wait", closed)).toBe("0\n");
    expect(await inspect(open, "State.Running")).toBe(true);
    expect(await inspect(open, "Config.OpenStdin")).toBe(true);
    await remove(open, closed);
  });

  test("-t gives a terminal: one stream, lines that end as a terminal's do, TERM", async () => {
    const script = "tty; echo $TERM; test -t 0 && test -t 2 && echo all >&2";
    expect(await docker("run", "--rm", "-t", image, "sh", "-c", script)).toEqual({
      code: 0,
      stdout: "/dev/pts/0\r\nxterm\r\nall\r\n",
      stderr: "",
    });
    expect(await sh([], "tty; test -t 1 || echo none; echo $TERM; true")).toBe("not a tty\nnone\n\n");
  });

  test("--rm takes the container and its volumes away and passes its exit code on", async () => {
    const volumes = () => run(["find", `${daemon.root}/vfs/dir`, "-mindepth", "1"]);
    const name = named("gone");
    const done = await docker(
      "run",
      "--rm",
      "--name",
      name,
      "-v",
      "/data",
      image,
      "sh",
      "-c",
      "echo x > /data/x; exit 5",
    );
    expect(done.code).toBe(5);
    await expect.poll(async () => (await docker("inspect", name)).code).toBe(1);
    await expect.poll(async () => (await volumes()).stdout).toBe("");
  });

  test("--name names it, once, with letters that a name may have", async () => {
    const name = named("a.name_1");
    const id = await background("--name", name, image, "true");
    expect(await inspect(name, "Id")).toBe(id);
    expect((await docker("run", "--name", name, image, "true")).stderr).toContain(
      `Conflict, The name ${name} is already assigned to ${id.slice(0, 12)}. ` +
        `You have to delete (or rename) that container to be able to assign ${name} to a container again.`,
    );
    expect((await docker("run", "--name", "not/one", image, "true")).stderr).toContain(
      "Invalid container name (not/one), only [a-zA-Z0-9_.-] are allowed",
    );
    await remove(name);
  });

  test("-h is the host's and the domain's name, in the kernel, the environment and /etc", async () => {
    const script = "hostname; echo $HOSTNAME; cat /etc/hostname; grep name /etc/hosts | head -n 1";
    const out = await sh(mine ? ["-h", "name.example.com"] : ["-h", "name", "--domainname", "example.com"], script);
    expect(out).toMatch(/^name\nname\nname\.example\.com\n172\.17\.\d+\.\d+\tname\.example\.com name\n$/);
    const [kernel, variable] = (await sh([], "hostname; echo $HOSTNAME")).split("\n");
    expect(kernel).toMatch(/^[0-9a-f]{12}$/);
    expect(variable).toBe(kernel);
    // The kernel's name is what the environment says, last.
    expect(await sh(["-h", "flag", "-e", "HOSTNAME=variable"], "hostname; cat /etc/hostname")).toBe("variable\nflag\n");
  });

  test("-u is looked up in the image's own files, and names what it does not find", async () => {
    const who = "id -u; id -g; grep Groups: /proc/self/status; echo $HOME";
    const cases = [
      ["operator", "37\n37\nGroups:\t99 \n/var\n"],
      ["37", "37\n37\nGroups:\t99 \n/var\n"],
      ["operator:extra", "37\n99\nGroups:\t \n/var\n"],
      ["1000:1001", "1000\n1001\nGroups:\t \n/\n"],
      ["4242", "4242\n0\nGroups:\t \n/\n"],
    ] as const;
    const outs = await Promise.all(cases.map(([user]) => sh(["-u", user], who)));
    expect(outs).toEqual(cases.map(([, out]) => out));
    for (const [user, text] of [
      ["nobodyhere", "finalize namespace setup user get supplementary groups Unable to find user nobodyhere"],
      ["root:nogroup", "finalize namespace setup user get supplementary groups Unable to find group nogroup"],
    ] as const) {
      const name = named(user.replace(":", "."));
      const failed = await docker("run", "--name", name, "-u", user, image, "true");
      expect(failed.code).not.toBe(0);
      expect(failed.stderr).toContain(text);
      await remove(name);
    }
  });

  test("-w is made when it is missing; a file cannot be one", async () => {
    expect(await sh(["-w", "/new/deep/../place"], "pwd; stat -c %a:%u .")).toBe("/new/place\n755:0\n");
    const failed = await docker("run", "--name", named("w"), "-w", "/etc/passwd", image, "pwd");
    expect(failed.stderr).toContain("Cannot mkdir: /etc/passwd is not a directory");
    await remove(named("w"));
  });

  test("-e and --env-file: the image's, the file's, the flag's, each over the one before; a bare name is inherited", async () => {
    const file = join(daemon.dir, named("env"));
    writeFileSync(file, "# a comment\nCHANGED=file\nSPACES=two words\nBOTH=file\nINHERITED\nNODE_OPTIONS=--no-such\n");
    const flags = ["--env-file", file, "-e", "BOTH=flag", "-e", "EMPTY=", "-e", "SIGNS=a=b"];
    const out = await ok("run", "--rm", "--entrypoint", "env", ...flags, rich);
    const expected = [
      "KEPT=image",
      "CHANGED=file",
      "SPACES=two words",
      "INHERITED=from outside",
      "BOTH=flag",
      "EMPTY=",
      "SIGNS=a=b",
    ];
    expect(out.split("\n")).toEqual(expect.arrayContaining(expected));
    expect(out.split("\n").filter((line) => line.startsWith("BOTH="))).toEqual(["BOTH=flag"]);
    expect(out.split("\n")[0]).toBe("PATH=/bin");
    expect(out).toContain("HOME=/var\n");
  });

  test("--entrypoint replaces the image's, whose words do not follow it", async () => {
    expect(await ok("run", "--rm", rich)).toBe("entry words\n");
    expect(await ok("run", "--rm", rich, "mine")).toBe("entry mine\n");
    expect(await ok("run", "--rm", "--entrypoint", "/bin/echo", rich)).toBe("\n");
    expect(await ok("run", "--rm", "--entrypoint", "/bin/pwd", rich)).toBe("/tmp\n");
    expect((await docker("run", "--rm", "--entrypoint", "no such", rich, "x")).stderr).toContain(
      'exec: "no such": executable file not found in $PATH',
    );
    // Our client removes after the end: what never began stays, as in 1.2.0.
    expect((await ours("ps", "-a", "-q")).split("\n")).toHaveLength(mine ? 2 : 1);
    if (mine) await removeAll();
  });

  test("-v makes a volume, makes the host's directory, and takes a file, a link and a read-only one", async () => {
    const dir = join(daemon.dir, named("v"));
    mkdirSync(dir);
    writeFileSync(join(dir, "file"), "content\n");
    const name = named("volumes");
    const flags = ["-v", "/made", "-v", `${dir}/deep/er:/dir`, "-v", `${dir}/file:/new/file:ro`];
    const script = "echo a > /made/a; echo b > /dir/b; cat /new/file; echo c > /new/file";
    const failed = await docker("run", "--name", name, ...flags, image, "sh", "-c", script);
    expect(failed).toEqual({
      code: 1,
      stdout: "content\n",
      stderr: "sh: can't create /new/file: Read-only file system\n",
    });
    expect(readFileSync(join(dir, "deep/er/b"), "utf8")).toBe("b\n");
    expect(statSync(join(dir, "deep")).mode & 0o777).toBe(0o755);
    const volumes = (await inspect(name, "Volumes")) as Record<string, string>;
    expect(Object.keys(volumes).sort()).toEqual(["/dir", "/made", "/new/file"]);
    const made = volumes["/made"] ?? "";
    expect(made.startsWith(join(realpathSync(daemon.root), "vfs/dir"))).toBe(true);
    expect(readFileSync(join(made, "a"), "utf8")).toBe("a\n");
    expect(await inspect(name, "VolumesRW")).toEqual({ "/dir": true, "/made": true, "/new/file": false });
    // Another one's volumes, as they are, or read-only altogether.
    expect(await sh(["--volumes-from", name], "cat /made/a /dir/b /new/file; echo d > /dir/d")).toBe("a\nb\ncontent\n");
    const refused = await docker("run", "--rm", "--volumes-from", `${name}:ro`, image, "touch", "/dir/e");
    expect(refused.stderr).toContain("/dir/e: Read-only file system");
    await remove(name);
    expect([existsSync(made), existsSync(join(dir, "deep/er/d"))]).toEqual([false, true]);
  });

  test("--link tells the name, the address and the ports, and only of what runs", async () => {
    const [db, off] = [named("db"), named("off")];
    await background("--name", db, "--expose", "6379", "-e", "PW=x", "-e", "HOME=/h", image, "sleep", "100");
    await ok("run", "--name", off, image, "true");
    const ip = (await inspect(db, "NetworkSettings.IPAddress")) as string;
    const name = named("web");
    const script = "env | grep ^DB_1; grep db-1 /etc/hosts; ping -c 1 -W 5 db-1 > /dev/null && echo reached";
    expect(
      (await ok("run", "--name", name, "--link", `${db}:db-1`, image, "sh", "-c", script)).split("\n").sort(),
    ).toEqual(
      [
        "",
        `DB_1_PORT=tcp://${ip}:6379`,
        `DB_1_PORT_6379_TCP=tcp://${ip}:6379`,
        `DB_1_PORT_6379_TCP_ADDR=${ip}`,
        "DB_1_PORT_6379_TCP_PORT=6379",
        "DB_1_PORT_6379_TCP_PROTO=tcp",
        `DB_1_NAME=/${name}/db-1`,
        "DB_1_ENV_PW=x",
        `${ip}\tdb-1`,
        "reached",
      ].sort(),
    );
    const failed = await docker("run", "--name", named("web2"), "--link", `${off}:x`, image, "true");
    expect(failed.stderr).toContain(`Cannot link to a non running container: /${off} AS /${named("web2")}/x`);
    expect((await docker("run", "--link", "nope:x", image, "true")).stderr).toContain("Could not find entity for nope");
    await removeAll();
  });

  test("-p in all its forms, --expose and -P: which ports there are, and who answers", async () => {
    const flags = [
      "-p",
      "7001:80",
      "-p",
      "172.17.42.1:7002:81",
      "-p",
      "172.17.42.1::82",
      "-p",
      "83",
      "-p",
      "7053:53/udp",
    ];
    const id = await background(...flags, "--expose", "90", image, "httpd", "-f", "-h", "/www");
    const automatic = expect.stringMatching(/^(49|5\d|6\d)\d{3}$/);
    expect(await inspect(id, "NetworkSettings.Ports")).toEqual({
      "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "7001" }],
      "81/tcp": [{ HostIp: "172.17.42.1", HostPort: "7002" }],
      "82/tcp": [{ HostIp: "172.17.42.1", HostPort: automatic }],
      "83/tcp": [{ HostIp: "0.0.0.0", HostPort: automatic }],
      "53/udp": [{ HostIp: "0.0.0.0", HostPort: "7053" }],
      "90/tcp": null,
    });
    const get = (url: string) => daemon.inside("curl", "-s", "--max-time", "2", url);
    await expect.poll(async () => (await get("http://172.17.42.1:7001/")).stdout).toBe("hello from inside\n");
    expect((await get("http://172.17.42.1:90/")).code).not.toBe(0);
    await remove(id);
    expect((await get("http://172.17.42.1:7001/")).code).not.toBe(0);
    const all = await background("-P", "--expose", "90", "--entrypoint", "sleep", rich, "100");
    expect(await inspect(all, "NetworkSettings.Ports")).toEqual({
      "53/udp": [{ HostIp: "0.0.0.0", HostPort: automatic }],
      "80/tcp": [{ HostIp: "0.0.0.0", HostPort: automatic }],
      "90/tcp": [{ HostIp: "0.0.0.0", HostPort: automatic }],
    });
    await remove(all);
  });

  test("-p …/udp carries datagrams into the container", async () => {
    const id = await background("-p", "7054:54/udp", image, "sleep", "100");
    const pid = String(await inspect(id, "State.Pid"));
    const listener =
      "const s = require('dgram').createSocket('udp4').on('message', (m) => { console.log(String(m)); s.close(); });" +
      "s.bind(54);";
    const heard = run(["nsenter", "-t", pid, "-n", process.execPath, "-e", listener]);
    let over = false;
    void heard.finally(() => {
      over = true;
    });
    // The listener may need a moment, and nobody repeats a datagram.
    await expect
      .poll(async () => {
        await daemon.inside("bash", "-c", "echo hi > /dev/udp/172.17.42.1/7054");
        return over;
      })
      .toBe(true);
    expect((await heard).stdout.trim()).toBe("hi");
    await remove(id);
  });

  test("--dns and --dns-search write resolv.conf; a dot means no search", async () => {
    const dns = [
      "--dns",
      "8.8.8.8",
      "--dns",
      "8.8.4.4",
      "--dns-search",
      "a.example.com",
      "--dns-search",
      "b.example.com",
    ];
    const servers = "nameserver 8.8.8.8\nnameserver 8.8.4.4\n";
    expect(await sh(dns, "cat /etc/resolv.conf")).toBe(`${servers}search a.example.com b.example.com\n`);
    expect(await sh([...dns.slice(0, 4), "--dns-search", "."], "cat /etc/resolv.conf")).toBe(servers);
    expect(await sh([], "cat /etc/resolv.conf")).toBe(readFileSync("/etc/resolv.conf", "utf8"));
  });

  test("--net: a network of its own, none, the host's, another container's with its names", async () => {
    const first = named("first");
    await background("--name", first, "-h", "joined", image, "sleep", "100");
    const ip = (await inspect(first, "NetworkSettings.IPAddress")) as string;
    const where = "hostname; grep joined /etc/hosts; ip -4 -o addr show eth0 | grep -o 'inet [0-9.]*'";
    expect(await sh(["--net", `container:${first}`], where)).toBe(`joined\n${ip}\tjoined\ninet ${ip}\n`);
    expect(await sh(["--net", "bridge"], "ip -4 -o addr show eth0 | grep -c 172.17")).toBe("1\n");
    expect(await sh(["--net", "none"], "ls /sys/class/net; ip route | wc -l")).toBe("lo\n0\n");
    const host = (await run(["hostname", "-s"])).stdout;
    expect(await sh(["--net", "host"], "hostname; ls -d /sys/class/net/docker0")).toBe(
      `${host}/sys/class/net/docker0\n`,
    );
    await remove(first);
    const names = [named("join"), named("join2")];
    const failed = await docker("run", "--name", names[0] ?? "", "--net", "container:nope", image, "true");
    expect(failed.stderr).toContain("no such container to join network: nope");
    await ok("run", "--name", names[1] ?? "", image, "true");
    const again = await docker("run", "--name", named("join3"), "--net", `container:${names[1]}`, image, "true");
    expect(again.stderr).toContain(`cannot join network of a non running container: ${names[1]}`);
    await removeAll();
  });

  test("-m, -c and --cpuset are limits of the kernel", async () => {
    const id = await background(
      "-m",
      "64m",
      "-c",
      "512",
      mine ? "--cpuset" : "--cpuset-cpus",
      "0",
      image,
      "sleep",
      "100",
    );
    expect(limit(id, "memory", "limit_in_bytes")).toBe(String(64 << 20));
    expect(limit(id, "memory", "soft_limit_in_bytes")).toBe(String(64 << 20));
    expect(limit(id, "memory", "memsw.limit_in_bytes")).toBe(String(128 << 20));
    expect(limit(id, "cpu", "shares")).toBe("512");
    expect(limit(id, "cpuset", "cpus")).toBe("0");
    // The kernel makes its least of less.
    const light = await background("-c", "1", image, "sleep", "100");
    expect(limit(light, "cpu", "shares")).toBe("2");
    await remove(id, light);
    if (mine) {
      const small = await docker("run", "-m", "1k", image, "true");
      expect([small.code, small.stderr]).toEqual([
        1,
        expect.stringContaining("Error response from daemon: Minimum memory limit allowed is 512k"),
      ]);
    }
  });

  test("--privileged: every capability, the host's devices, a /sys to write to", async () => {
    const script =
      "grep CapBnd /proc/self/status; ls /dev/loop0 /dev/kmsg; mount | grep -o 'sysfs (r[ow]'; touch /proc/sys/x";
    const own = /CapBnd:\t(\w+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    const [caps = "", ...rest] = (await docker("run", "--rm", "--privileged", image, "sh", "-c", script)).stdout.split(
      "\n",
    );
    // Of those that 1.2.0 knew, what this machine itself has.
    expect(caps).toBe(`CapBnd:\t${(BigInt(`0x${own}`) & 0x1fffffffffn).toString(16).padStart(16, "0")}`);
    expect(rest).toEqual(["/dev/kmsg", "/dev/loop0", "sysfs (rw", ""]);
    const [plain = "", ...none] = (await docker("run", "--rm", image, "sh", "-c", script)).stdout.split("\n");
    expect(plain).toBe("CapBnd:\t00000000a80425fb");
    expect(none).toEqual(["sysfs (ro", ""]);
  });

  test("--cap-add and --cap-drop change what the kernel lets it do", async () => {
    const bound = async (...flags: string[]) => (await sh(flags, "grep CapBnd /proc/self/status")).trim().slice(-16);
    const has = (caps: string, bit: number) => ((BigInt(`0x${caps}`) >> BigInt(bit)) & 1n) === 1n;
    const [added, none, one] = await Promise.all([
      bound("--cap-add", "NET_ADMIN", "--cap-drop", "mknod"),
      bound("--cap-drop", "ALL"),
      bound("--cap-drop", "all", "--cap-add", "chown"),
    ]);
    expect([has(added, 12), has(added, 27), has(added, 0)]).toEqual([true, false, true]);
    expect([none, one]).toEqual(["0000000000000000", "0000000000000001"]);
    expect(await sh(["--cap-add", "NET_ADMIN"], "ip link set lo down && echo down")).toBe("down\n");
    expect((await docker("run", "--rm", image, "ip", "link", "set", "lo", "down")).code).not.toBe(0);
    expect((await docker("run", "--rm", "--cap-drop", "CHOWN", image, "chown", "1", "/tmp")).stderr).toContain(
      "Operation not permitted",
    );
  });

  test("--device makes the node where it is wanted and opens it as far as it is allowed", async () => {
    // A device that no container has by itself.
    const device = (...more: string[]) => ["--device", ["/dev/kmsg", ...more].join(":")];
    expect(await sh(device("/dev/log0"), "stat -c '%F %t:%T' /dev/log0")).toBe("character special file 1:b\n");
    const opens = "(: < /dev/k) && echo read; (: >> /dev/k) && echo write; true";
    const tries = ["r", "w", "rwm"].map(async (mode) => {
      return (await docker("run", "--rm", "--cap-add", "SYSLOG", ...device("/dev/k", mode), image, "sh", "-c", opens))
        .stdout;
    });
    expect(await Promise.all(tries)).toEqual(["read\n", "write\n", "read\nwrite\n"]);
  });

  test("--cidfile holds the id, and is not written over", async () => {
    const path = join(daemon.dir, named("cid"));
    const id = await background("--cidfile", path, image, "true");
    expect(readFileSync(path, "utf8")).toBe(id);
    const again = await docker("run", "--cidfile", path, image, "true");
    expect(again.code).not.toBe(0);
    expect(again.stderr).toMatch(
      mine
        ? /Container ID file found, make sure the other container isn't running or delete /
        : /container ID file found, make sure the other container isn't running or delete /i,
    );
    const failed = await docker("run", "--cidfile", `${path}2`, "--name", "not/one", image, "true");
    expect([failed.code === 0, existsSync(`${path}2`)]).toEqual([false, false]);
    await remove(id);
  });

  test("--sig-proxy passes signals on, --sig-proxy=false keeps them from the container", async () => {
    const others = ["HUP", "INT", "QUIT", "USR1", "USR2", "WINCH"];
    const traps = others.map((signal) => `trap 'echo ${signal}' ${signal}`).join("; ");
    const script = `${traps}; trap 'echo got; exit 6' TERM; echo ready; while :; do sleep 0.05; done`;
    const start = (...flags: string[]) => {
      const [command = "", ...args] = words("run", ...flags, image, "sh", "-c", script);
      const child = spawn(command, args, {
        env: { ...process.env, HOME: daemon.dir },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let out = "";
      const ready = new Promise<void>((resolve) =>
        child.stdout.on("data", (data) => {
          out += data;
          resolve();
        }),
      );
      const end = new Promise<unknown>((resolve) => child.once("close", (code, signal) => resolve(signal ?? code)));
      return { child, ready, end, out: () => out };
    };
    const passed = start("--rm");
    await passed.ready;
    for (const [i, signal] of others.entries()) {
      passed.child.kill(`SIG${signal}` as NodeJS.Signals);
      await expect.poll(passed.out, { interval: 10 }).toBe(`${["ready", ...others.slice(0, i + 1)].join("\n")}\n`);
    }
    passed.child.kill("SIGTERM");
    expect(await passed.end).toBe(6);
    expect(passed.out()).toMatch(/WINCH\ngot\n$/);
    if (!mine) return; // nothing tells when today's client has done nothing with a signal
    const kept = start("--sig-proxy=false", "--name", "deaf");
    await kept.ready;
    kept.child.kill("SIGTERM");
    expect(await kept.end).toBe("SIGTERM");
    expect(await inspect("deaf", "State.Running")).toBe(true);
    expect(await ours("logs", "deaf")).toBe("ready\n");
    await remove("deaf");
  });

  test("--restart on-failure:n tries so often, and not at all after a success", async () => {
    const [fails, works, never] = [named("fails"), named("works"), named("never")];
    await Promise.all([
      background("--name", fails, "--restart", "on-failure:2", image, "sh", "-c", "echo try; exit 4"),
      background("--name", works, "--restart", "on-failure", image, "sh", "-c", "echo try"),
      background("--name", never, "--restart", "no", image, "sh", "-c", "echo try; exit 4"),
    ]);
    const state = async (name: string) => (await inspect(name, "State")) as Record<string, unknown>;
    await expect.poll(async () => (await state(fails))["Running"], { timeout: 10_000 }).toBe(false);
    expect(await ours("logs", fails)).toBe("try\ntry\n");
    expect((await state(fails))["ExitCode"]).toBe(4);
    for (const name of [works, never]) {
      await expect.poll(async () => (await state(name))["Running"]).toBe(false);
      expect(await ours("logs", name)).toBe("try\n");
    }
    expect(await inspect(fails, "HostConfig.RestartPolicy")).toEqual({ MaximumRetryCount: 2, Name: "on-failure" });
    await remove(fails, works, never);
  });
});

/** Bad values that are found out before anything is sent: exit code, and what is said. */
const REFUSED: readonly (readonly [flags: readonly string[], code: number, text: string])[] = [
  [["-a", "bogus"], 2, "valid streams are STDIN, STDOUT and STDERR."],
  [["-d", "-a", "stdout"], 1, "Conflicting options: -a and -d"],
  [["-d", "--rm"], 1, "Conflicting options: --rm and -d"],
  [["--rm", "--restart", "always"], 1, "Conflicting options: --restart and --rm"],
  [["-w", "rel"], 1, "The working directory is invalid. It needs to be an absolute path."],
  [["--env-file", "/nope"], 1, "open /nope: no such file or directory"],
  [["-v", "/a:/."], 1, "Invalid bind mount: destination can't be '/'"],
  [["-v", "rel"], 2, "rel is not an absolute path"],
  [["--link", "x"], 2, "Invalid format to parse.  x should match template name:alias"],
  [["--expose", "1:2"], 1, "Invalid port format for --expose: 1:2"],
  [["-p", "80-90"], 1, "Invalid containerPort: 80-90"],
  [["-p", "80/foo"], 1, "Invalid proto: foo"],
  [["-p", "80:"], 1, "No port specified: :80:<empty>"],
  [["-p", "999.1.1.1:1:2"], 1, "Invalid ip address: 999.1.1.1"],
  [["--dns", "x"], 2, "x is not an ip address"],
  [["--dns-search", "a b"], 2, "a b is not a valid domain"],
  [["--net", "bogus"], 1, "--net: invalid net mode: invalid --net: bogus"],
  [["--net", "host", "-h", "x"], 1, "Conflicting options: -h and the network mode (--net)"],
  [["-m", "1z"], 1, "Invalid size: '1z'"],
  [["-c", "x"], 2, 'invalid value "x" for flag -c'],
  [["--device", "rel"], 2, "rel is not an absolute path"],
  [["--lxc-conf", "x"], 1, "Unable to parse key/value option: x"],
  [["--restart", "on-failure:x"], 1, 'strconv.ParseInt: parsing "x": invalid syntax'],
  [["--sig-proxy=x"], 2, 'invalid boolean value "x" for  --sig-proxy'],
];

/** Bad values that the daemon finds out when it starts the container. */
const FAILING: readonly (readonly [flags: readonly string[], text: string])[] = [
  [["-v", "rel/x:/dir"], "cannot bind mount volume: rel/x volume paths must be absolute."],
  [["--volumes-from", "nope"], "Container nope not found. Impossible to mount its volumes"],
  [["--volumes-from", "nope:wrong"], "Malformed volumes-from specification: nope:wrong"],
  [["--cap-add", "NOPE"], 'Unknown capability to add: "NOPE"'],
  [["--cap-drop", "CAP_NOPE"], 'Unknown capability drop: "CAP_NOPE"'],
  [
    ["--device", "/dev/nope"],
    "error gathering device information while adding custom device stat /dev/nope: no such file or directory",
  ],
  [["--device", "/etc/passwd"], "error gathering device information while adding custom device not a device node"],
  [["--net", "container:nope"], "no such container to join network: nope"],
  [["-c", "-5"], "write /sys/fs/cgroup/cpu/docker/"],
  [["-h", "x".repeat(65)], "sethostname invalid argument"],
  [["-u", "4294967296"], "Uids and gids must be in range 0-2147483647"],
  [
    ["-p", "172.17.42.1:7060:80", "-p", "172.17.42.1:7060:81"],
    "Bind for 172.17.42.1:7060 failed: port is already allocated",
  ],
];

const vm = test.runIf(isRoot);

vm("what our client refuses never reaches the daemon", async () => {
  const done = await Promise.all(
    REFUSED.map(async ([flags]) => {
      const { code, stdout, stderr } = await daemon.docker("run", ...flags, image, "true");
      return [flags.join(" "), code, stdout, stderr];
    }),
  );
  expect(done).toEqual(
    REFUSED.map(([flags, code, text]) => [flags.join(" "), code, "", expect.stringContaining(text)]),
  );
  expect(await ours("ps", "-a", "-q")).toBe("");
});

vm("what the daemon refuses leaves a container that never ran, and nothing in the kernel", async () => {
  for (const [flags, text] of FAILING) {
    const { code, stdout, stderr } = await daemon.docker("run", ...flags, image, "true");
    expect([flags.join(" "), code, stdout]).toEqual([flags.join(" "), 1, ""]);
    expect(stderr).toMatch(/Error response from daemon: Cannot start container [0-9a-f]{64}: /);
    expect(stderr).toContain(`: ${text}${text.endsWith("/") ? "" : "\n"}`);
  }
  await expect.poll(() => leftovers(daemon.dir, daemon.netns), { timeout: 10_000 }).toEqual([]);
  const ids = (await ours("ps", "-a", "-q")).trim().split("\n");
  expect(ids).toHaveLength(FAILING.length);
  for (const id of ids) expect(await inspect(id, "State.StartedAt")).toBe("0001-01-01T00:00:00Z");
  await removeAll();
});

vm("a kernel that cannot keep a limit says so, and the container is not started", async () => {
  const failed = await daemon.docker("run", "--cpuset", "99", image, "true");
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/Cannot start container [0-9a-f]{64}: .*cpuset/);
  await expect.poll(() => leftovers(daemon.dir, daemon.netns), { timeout: 10_000 }).toEqual([]);
  await removeAll();
});

vm("--lxc-conf is kept and means nothing to this driver", async () => {
  const id = (await ours("run", "-d", "--lxc-conf", "lxc.a=b = c", image, "true")).trim();
  expect(await inspect(id, "HostConfig.LxcConf")).toEqual([{ Key: "lxc.a", Value: "b = c" }]);
  await removeAll();
});

vm("what the client leaves out stays 1.2.0's: no container has more than the flags say", async () => {
  const id = (await ours("run", "-d", image, "true")).trim();
  expect(await inspect(id, "Config")).toEqual({
    AttachStderr: false,
    AttachStdin: false,
    AttachStdout: false,
    Cmd: ["true"],
    CpuShares: 0,
    Cpuset: "",
    Domainname: "",
    Entrypoint: null,
    Env: ["PATH=/bin"],
    ExposedPorts: null,
    Hostname: id.slice(0, 12),
    Image: image,
    Memory: 0,
    MemorySwap: 0,
    NetworkDisabled: false,
    OnBuild: null,
    OpenStdin: false,
    PortSpecs: null,
    StdinOnce: false,
    Tty: false,
    User: "",
    Volumes: null,
    WorkingDir: "",
  });
  expect(await inspect(id, "HostConfig")).toEqual({
    Binds: null,
    CapAdd: null,
    CapDrop: null,
    ContainerIDFile: "",
    Devices: [],
    Dns: null,
    DnsSearch: null,
    Links: null,
    LxcConf: [],
    NetworkMode: "bridge",
    PortBindings: {},
    Privileged: false,
    PublishAllPorts: false,
    RestartPolicy: { MaximumRetryCount: 0, Name: "" },
    VolumesFrom: null,
  });
  await removeAll();
});
