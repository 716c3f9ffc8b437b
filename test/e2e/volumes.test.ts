/**
 * Directories that outlive the layer they are mounted over: volumes of images and users, binds, other containers'
 * volumes, and when they go.
 */

import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Docker, okWith, provide } from "../support/commands.ts";
import { clientWords, DRYDOCK, hasRoot, listDir, run, startDaemon, type TestDaemon, TODAY } from "../support/daemon.ts";
import { BUSYBOX, type LayerSpec, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");
const vm = test.runIf(isRoot);

const TOOLS: LayerSpec = Object.fromEntries(
  ["chown", "chmod", "mknod", "mkfifo", "ln", "find", "sort"].map((name) => [`bin/${name}`, { link: "busybox" }]),
);

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;

/** Images that say VOLUME, by their names. */
const DECLARED = {
  data: { layers: [{ "data/sub/file": "content\n" }], volumes: ["/data", "/fresh/place"] },
  // Links of the image on the way to the volume, out of the root and in circles.
  links: {
    layers: [
      {
        "real/file": "real\n",
        "etc/hostile": { link: "../../../../../../../../../../tmp" },
        "var/abs": { link: "/real" },
        loop: { link: "/loop" },
      },
    ],
    volumes: ["/var/abs", "/etc/hostile/deep", "/../../../../up"],
  },
  loop: { layers: [{ loop: { link: "/loop" } }], volumes: ["/loop/x"] },
  proc: { layers: [{ here: { link: "/proc" } }], volumes: ["/here"] },
  slash: { layers: [], volumes: ["/data/.."] },
  file: { layers: [{ place: "a file\n" }], volumes: ["/place"] },
} as const;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [BUSYBOX, TOOLS]);
  for (const [name, { layers, volumes }] of Object.entries(DECLARED)) {
    const config = { Volumes: Object.fromEntries(volumes.map((path) => [path, {}])) };
    await provide(daemon, registry, name, [BUSYBOX, TOOLS, ...layers], { config });
  }
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const ours = (...args: string[]) => okWith(daemon.docker, ...args);
const inspect = async <T>(name: string, path: string) =>
  JSON.parse(await ours("inspect", "-f", `{{json .${path}}}`, name)) as T;
/** Volumes of the daemon's own. */
const volumes = () => listDir(join(daemon.root, "vfs/dir"));
/** What a container that gets out of its root would make. */
const outside = () => ["/tmp/deep", "/tmp/bound", "/up", "/real", "/here"].filter((path) => existsSync(path));

describe.runIf(isRoot).each([
  ["our client", DRYDOCK],
  ["today's client", TODAY],
])("%s", (_who, binary) => {
  const mine = binary === DRYDOCK;
  const docker: Docker = (...args) => run([...clientWords(daemon, binary), ...args], { env: { HOME: daemon.dir } });
  const ok = (...args: string[]) => okWith(docker, ...args);
  const named = (name: string) => `${name}-${mine ? "ours" : "theirs"}`;

  test("an image's volume begins as the image's directory, once, and is the container's own", async () => {
    const from = `${registry.address}/data`;
    const name = named("data");
    const script = "cat /data/sub/file; echo more >> /data/sub/file; ls -A /fresh/place; echo x > /fresh/place/x";
    expect(await ok("run", "--name", name, from, "sh", "-c", script)).toBe("content\n");
    const made = await inspect<Record<string, string>>(name, "Volumes");
    expect(Object.keys(made).sort()).toEqual(["/data", "/fresh/place"]);
    expect(await inspect(name, "VolumesRW")).toEqual({ "/data": true, "/fresh/place": true });
    // The next run finds what the last one left; another container begins anew.
    await ok("start", name);
    await ours("wait", name);
    expect(await ours("logs", name)).toBe("content\ncontent\nmore\nx\n");
    expect(await ok("run", "--rm", from, "cat", "/data/sub/file")).toBe("content\n");
    // Not in the container's layer, so not in what it changed, and not in an image of it.
    expect(await ok("diff", name)).not.toContain("/data/sub");
    expect(readFileSync(join(made["/data"] ?? "", "sub/file"), "utf8")).toBe("content\nmore\nmore\n");
    await ok("commit", name, named("committed"));
    expect(await ok("run", "--rm", named("committed"), "cat", "/data/sub/file")).toBe("content\n");
    await ok("rm", "-v", name);
    expect(volumes()).toEqual([]);
  });

  test("content, owners, modes, links and times are copied into a new volume", async () => {
    const name = named("owned");
    const make = [
      "mkdir -p /v/dir/deep /v/locked; echo f > /v/dir/f; ln -s f /v/dir/l; ln -s /etc/passwd /v/abs",
      "chown 37:99 /v /v/dir/f; chown -h 5:6 /v/dir/l; chmod 1750 /v; chmod 4711 /v/dir/f; chmod 500 /v/locked",
      "touch -d '2014-08-20 20:20:14' /v/dir/f; mkfifo /v/fifo; mknod /v/null c 1 3",
    ].join("; ");
    await ok("run", "--name", name, image, "sh", "-c", make);
    await ok("commit", name, named("made"));
    const look =
      "cd /v; stat -c '%n %a %u:%g %F' . dir dir/deep dir/f dir/l locked; readlink abs; stat -c %Y dir/f; ls -A";
    expect(await ok("run", "--rm", "-v", "/v", named("made"), "sh", "-c", look)).toBe(
      [
        ". 1750 37:99 directory",
        "dir 755 0:0 directory",
        "dir/deep 755 0:0 directory",
        "dir/f 4711 37:99 regular file",
        "dir/l 777 5:6 symbolic link",
        "locked 500 0:0 directory",
        "/etc/passwd",
        "1408566014",
        "abs\ndir\nlocked\n",
      ].join("\n"),
    );
    await ours("rm", name);
  });

  test("a bind is the host's: nothing is copied, its source is made, a file stays a file, ro is ro", async () => {
    const dir = join(daemon.dir, named("bind"));
    mkdirSync(join(dir, "there"), { recursive: true, mode: 0o711 });
    writeFileSync(join(dir, "file"), "host\n");
    symlinkSync("there", join(dir, "link"));
    const flags = [
      `${dir}/there:/www`,
      `${dir}/missing/deep:/m`,
      `${dir}/file:/etc/motd`,
      `${dir}/link:/l:ro`,
      `${dir}/file:/f:ro`,
    ];
    const script =
      "ls -A /www; echo in > /www/in; cat /etc/motd; echo changed > /etc/motd; cat /l/in; touch /l/x /f; stat -c %a /www /m; echo m > /m/m";
    const done = await docker("run", "--rm", ...flags.flatMap((flag) => ["-v", flag]), image, "sh", "-c", script);
    expect(done).toEqual({
      code: 0,
      stdout: "host\nin\n711\n755\n",
      stderr: "touch: /l/x: Read-only file system\ntouch: /f: Read-only file system\n",
    });
    expect(readdirSync(join(dir, "there"))).toEqual(["in"]);
    expect([readFileSync(join(dir, "file"), "utf8"), readFileSync(join(dir, "missing/deep/m"), "utf8")]).toEqual([
      "changed\n",
      "m\n",
    ]);
    // What the host mounts below it while the container runs is there, too; a way out there is none.
    expect(statSync(join(dir, "there")).mode & 0o777).toBe(0o711);
  });

  test("a volume inside another one is not hidden by it, however the flags are ordered", async () => {
    const dir = join(daemon.dir, named("nested"));
    for (const name of ["a", "b", "c"]) {
      mkdirSync(join(dir, name), { recursive: true });
      writeFileSync(join(dir, name, name), "");
    }
    const flags = [`${dir}/c:/v/x/y`, `${dir}/a:/v`, `${dir}/b:/v/x`];
    const out = await ok("run", "--rm", ...flags.flatMap((f) => ["-v", f]), image, "sh", "-c", "ls /v /v/x /v/x/y");
    expect(out).toBe("/v:\na\nx\n\n/v/x:\nb\ny\n\n/v/x/y:\nc\n");
  });

  test("--volumes-from: modes, chains, several donors, and a donor that no longer runs", async () => {
    const [a, b, c, d] = ["a", "b", "c", "d"].map((letter) => named(`from-${letter}`)) as [
      string,
      string,
      string,
      string,
    ];
    const dir = join(daemon.dir, a);
    mkdirSync(dir);
    await ok("run", "--name", a, "-v", "/one", "-v", `${dir}:/ro:ro`, image, "sh", "-c", "echo 1 > /one/f");
    await ok(
      "run",
      "--name",
      b,
      "--volumes-from",
      a,
      "-v",
      "/two",
      image,
      "sh",
      "-c",
      "echo 2 > /two/f; echo b >> /one/f",
    );
    await ok("run", "--name", c, "--volumes-from", `${b}:ro`, image, "cat", "/one/f", "/two/f");
    expect(await ours("logs", c)).toBe("1\nb\n2\n");
    expect(await inspect(c, "Volumes")).toEqual({
      ...(await inspect<object>(a, "Volumes")),
      ...(await inspect<object>(b, "Volumes")),
    });
    expect(await inspect(c, "VolumesRW")).toEqual({ "/one": false, "/two": false, "/ro": false });
    // What was read-only on the way stays so; and the first donor of a path counts.
    const tries = "touch /one/x /two/x /ro/x 2>&1; true";
    const refused = ["/one/x", "/two/x", "/ro/x"].map((path) => `touch: ${path}: Read-only file system\n`);
    expect(await ok("run", "--rm", "--volumes-from", `${c}:rw`, image, "sh", "-c", tries)).toBe(refused.join(""));
    const first = await ok(
      "run",
      "--rm",
      "--volumes-from",
      `${a}:rw`,
      "--volumes-from",
      `${c}:ro`,
      image,
      "sh",
      "-c",
      tries,
    );
    expect(first).toBe(refused.slice(1).join(""));
    // A volume that is there already is not the image's any more.
    await ok("run", "--name", d, "--volumes-from", a, "-v", "/one", image, "cat", "/one/f");
    expect(await ours("logs", d)).toBe("1\nb\n");
    // It goes with the last one who has it, and with him only when asked to.
    const all = volumes();
    expect(all).toHaveLength(2);
    for (const name of [a, b, c]) await ok("rm", "-v", name);
    expect(volumes()).toEqual([
      all.find((id) => existsSync(join(daemon.root, "vfs/dir", id, "f")) && volumes().includes(id)),
    ]);
    await ok("rm", d);
    expect(volumes()).toHaveLength(1);
    expect(existsSync(dir)).toBe(true);
    execFileSync("rm", ["-rf", join(daemon.root, "vfs/dir", volumes()[0] ?? "none")]);
  });

  test("rm without -v keeps volumes, rm -v and --rm take them, binds stay whatever happens", async () => {
    const before = volumes();
    const dir = join(daemon.dir, named("kept"));
    mkdirSync(dir);
    writeFileSync(join(dir, "f"), "");
    const name = named("gone");
    const flags = ["-v", "/data", "-v", `${dir}:/bound`, "-v", `${daemon.root}/vfs:/inside`];
    await ok("run", "--name", name, ...flags, image, "touch", "/data/x");
    expect(volumes()).toHaveLength(before.length + 1);
    await ok("rm", "-v", name);
    expect([volumes(), readdirSync(dir)]).toEqual([before, ["f"]]);
    await ok("run", "--rm", ...flags, image, "true");
    await expect.poll(volumes).toEqual(before);
    await ok("run", "--name", name, "-v", "/data", image, "true");
    const { "/data": kept = "" } = await inspect<Record<string, string>>(name, "Volumes");
    await ok("rm", name);
    expect(lstatSync(kept).isDirectory()).toBe(true);
    execFileSync("rm", ["-rf", kept]);
  });

  test("links of the image never lead a volume out of the container", async () => {
    const from = `${registry.address}/links`;
    const script =
      "cat /real/file /var/abs/file; echo a > /var/abs/a; ls /real; echo t > /etc/hostile/deep/t; ls /tmp/deep; echo u > /up/u; ls /up";
    const bound = join(daemon.dir, named("escape"));
    mkdirSync(bound);
    const out = await ok(
      "run",
      "--rm",
      "-v",
      `${bound}:/etc/hostile/bound`,
      from,
      "sh",
      "-c",
      `${script}; echo b > /tmp/bound/b`,
    );
    expect(out).toBe("real\nreal\na\nfile\nt\nu\n");
    expect(readdirSync(bound)).toEqual(["b"]);
    expect(outside()).toEqual([]);
    for (const [name, text] of [
      ["loop", /loopCounter reached MAX: 100/],
      ["slash", /Illegal bind destination: \/data\/\.\./],
      ["proc", /cannot be mounted because it is not of type proc/],
      ["file", /not a directory/],
    ] as const) {
      const failed = await docker("run", "--name", named(name), `${registry.address}/${name}`, "true");
      expect([name, failed.code === 0]).toEqual([name, false]);
      expect(failed.stderr).toMatch(text);
      await ours("rm", "-v", named(name));
    }
    expect([outside(), volumes()]).toEqual([[], []]);
  });
});

vm("a volume that a user names beside the image's: bind over volume, volume over nothing, one path twice", async () => {
  const dir = join(daemon.dir, "over");
  mkdirSync(dir);
  writeFileSync(join(dir, "mine"), "");
  const from = `${registry.address}/data`;
  expect(await ours("run", "--rm", "-v", `${dir}:/data/`, from, "ls", "/data")).toBe("mine\n");
  expect(await ours("run", "--rm", "-v", "/data/", from, "cat", "/data/sub/file")).toBe("content\n");
  await expect.poll(volumes).toEqual([]);
});

vm("cp takes what is in a layer; a volume's place is empty there, as in 1.2.0", async () => {
  await ours(
    "run",
    "--name",
    "cp",
    "-v",
    "/data",
    image,
    "sh",
    "-c",
    "echo in > /data/in; mkdir /plain; echo p > /plain/p",
  );
  const to = join(daemon.dir, "cp");
  await ours("cp", "cp:/data", to);
  await ours("cp", "cp:/plain", to);
  expect([listDir(join(to, "data")), listDir(join(to, "plain"))]).toEqual([[], ["p"]]);
  await ours("rm", "-v", "cp");
});

vm("a restart of the daemon keeps volumes, and who has them", async () => {
  await ours("run", "--name", "before", "-v", "/data", image, "sh", "-c", "echo kept > /data/f");
  const ids = volumes();
  await daemon.end("SIGKILL");
  const next = await startDaemon({ root: daemon.root, netns: daemon.netns });
  expect(volumes()).toEqual(ids);
  expect(await okWith(next.docker, "run", "--rm", "--volumes-from", "before", image, "cat", "/data/f")).toBe("kept\n");
  await okWith(next.docker, "rm", "-v", "before");
  expect(volumes()).toEqual([]);
  expect(await next.remove()).toEqual([]);
});
