/**
 * Today's `docker cp`, both ways: with the unmodified client, and by the API where a client would never go.
 */

import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { okWith, provide } from "../support/commands.ts";
import { hasRoot, type Result, run, startDaemon, type TestDaemon, TODAY } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");

let daemon: TestDaemon;
let registry: TestRegistry;
let image: string;
/** A directory of this machine to copy from and to. */
let here: string;
/** What no container may reach. */
let secret: string;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  image = await provide(daemon, registry, "busybox", [BUSYBOX, { "image-volume/seed": "seed\n", "data/.keep": "" }]);
  here = join(daemon.dir, "here");
  secret = join(daemon.dir, "secret");
  mkdirSync(join(here, "dir/sub"), { recursive: true });
  writeFileSync(join(here, "file"), "from here\n");
  writeFileSync(join(here, "dir/a"), "a\n");
  chmodSync(join(here, "dir/a"), 0o4750);
  writeFileSync(join(here, "dir/sub/large"), Buffer.alloc(2_500_000, "0123456789"));
  symlinkSync("a", join(here, "dir/link"));
  linkSync(join(here, "dir/a"), join(here, "dir/second"));
  chownSync(join(here, "file"), 1234, 55);
  utimesSync(join(here, "file"), 1_400_000_000, 1_400_000_000);
  writeFileSync(secret, "secret\n");
});
afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

const vm = test.runIf(isRoot);
let serial = 0;

/** What a client prints on its way is about progress. */
const ok = (...args: string[]) => okWith(daemon.today, ...args);

/** The error of a copy, without what the client's own tar has to say. */
async function fails(...args: string[]): Promise<string> {
  const { code, stderr } = await daemon.today("cp", ...args);
  expect(`${args.join(" ")}: ${code}`).toMatch(/: 1$/);
  return stderr.replace(/^time=.*\n/gm, "").trim();
}

/** Makes a container that does not run, with `sleep` to be started. */
async function create(...options: string[]): Promise<string> {
  const name = `c${serial++}`;
  await ok("create", "--name", name, ...options, image, "sleep", "300");
  return name;
}

/** A shell line of this machine, with the daemon's address in `DOCKER_HOST`. */
const shell = (line: string): Promise<Result> =>
  run([...daemon.netns.prefix, "bash", "-c", `set -o pipefail; docker() { ${TODAY} "$@"; }; ${line}`], {
    env: { DOCKER_HOST: `unix://${daemon.socket}`, HOME: daemon.dir },
  });

/** The names in the archive that `docker cp - ` gives. */
async function listed(source: string): Promise<string[]> {
  const { stdout, stderr } = await shell(`docker cp ${source} - | tar -Ptf -`);
  expect(stderr).toBe("");
  return stdout.trim().split("\n");
}

/** Runs a line in a container with the same root file system and volumes: 1.2.0 has no exec. */
const inside = async (name: string, line: string): Promise<string> => {
  const tar = await shell(`docker cp ${name}:${line} - | tar -xOf -`);
  return tar.stdout;
};

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** One request of the API. */
function ask(method: string, path: string, body?: Buffer | string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: daemon.socket, method, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const archive = (name: string, path: string, more = "") =>
  `/v1.30/containers/${name}/archive?path=${encodeURIComponent(path)}${more}`;

/** What the header says. */
async function stat(name: string, path: string, method = "HEAD"): Promise<Record<string, unknown>> {
  const { status, headers } = await ask(method, archive(name, path));
  expect(status).toBe(200);
  const header = String(headers["x-docker-container-path-stat"]);
  return JSON.parse(Buffer.from(header, "base64").toString()) as Record<string, unknown>;
}

const message = ({ status, body }: Answer) => [status, (JSON.parse(body.toString()) as { message: string }).message];

vm("files and directories go in and come out as they were", async () => {
  const name = await create();
  for (const running of [false, true]) {
    if (running) await ok("start", name);
    const [to, back] = [`/data/r${running}`, join(here, `back-${running}`)];
    await ok("cp", join(here, "dir"), `${name}:${to}`);
    await ok("cp", `${name}:${to}`, back);
    expect((await shell(`diff -r ${join(here, "dir")} ${back}`)).stdout).toBe("");
    expect(statSync(join(back, "a")).mode & 0o7777).toBe(0o4750);
    expect(statSync(join(back, "a")).ino).toBe(statSync(join(back, "second")).ino);
    expect(readlinkSync(join(back, "link"))).toBe("a");
    await ok("cp", join(here, "file"), `${name}:${to}/`);
    expect(await listed(`${name}:${to}`)).toEqual([
      `r${running}/`,
      `r${running}/a`,
      `r${running}/file`,
      `r${running}/link`,
      `r${running}/second`,
      `r${running}/sub/`,
      `r${running}/sub/large`,
    ]);
  }
  expect((await daemon.docker("diff", name)).stdout).toContain("A /data/rtrue/sub/large\n");
  await ok("rm", "-f", name);
});

vm("names, slashes and dots mean what they mean for cp", async () => {
  const name = await create();
  const file = join(here, "file");
  // A new name; into a directory; and over what is there.
  await ok("cp", file, `${name}:/data/renamed`);
  await ok("cp", file, `${name}:/data`);
  await ok("cp", join(here, "dir/a"), `${name}:/data/file`);
  expect(await inside(name, "/data/file")).toBe("a\n");
  // A directory: as a new one; into one; what is in it.
  await ok("cp", join(here, "dir"), `${name}:/data/new`);
  await ok("cp", join(here, "dir"), `${name}:/data/new`);
  await ok("cp", `${join(here, "dir")}/.`, `${name}:/data`);
  const names = await listed(`${name}:/data`);
  expect(names).toEqual(
    expect.arrayContaining(["data/renamed", "data/new/a", "data/new/dir/a", "data/a", "data/sub/large"]),
  );
  // Out: a new name, into a directory, what is in it.
  const out = join(here, "out");
  mkdirSync(out);
  await ok("cp", `${name}:/data/renamed`, join(out, "x"));
  await ok("cp", `${name}:/data/renamed`, `${out}/`);
  await ok("cp", `${name}:/data/new/dir/.`, out);
  expect(readdirSync(out).sort()).toEqual(["a", "link", "renamed", "second", "sub", "x"]);
  expect(await listed(`${name}:/data/new/dir/.`)).toEqual(["./", "./a", "./link", "./second", "./sub/", "./sub/large"]);
  expect((await listed(`${name}:/`)).slice(0, 3)).toEqual(["/", "/.dockerenv", "/.dockerinit"]);
  // Links: the link itself, or with -L what it leads to.
  await shell(`ln -s /data/file ${join(here, "abs")}; docker cp ${join(here, "abs")} ${name}:/data/abs`);
  expect((await shell(`docker cp ${name}:/data/abs - | tar -tvf -`)).stdout).toMatch(/ abs -> \/data\/file\n$/);
  await ok("cp", "-L", `${name}:/data/abs`, join(out, "followed"));
  expect(readFileSync(join(out, "followed"), "utf8")).toBe("a\n");
  await ok("rm", name);
});

vm("tar streams go through - both ways, compressed ones too", async () => {
  const name = await create();
  for (const flag of ["", "z", "j", "J"]) {
    const done = await shell(`tar -C ${here} -c${flag}f - dir | docker cp - ${name}:/data`);
    expect([flag, done.code, done.stderr]).toEqual([flag, 0, ""]);
    expect(await listed(`${name}:/data/dir/sub`)).toEqual(["sub/", "sub/large"]);
    // Over what is there, again.
  }
  const same = await shell(
    `docker cp ${name}:/data/dir/sub/large - | tar -xOf - | cmp - ${join(here, "dir/sub/large")}`,
  );
  expect([same.code, same.stdout]).toEqual([0, ""]);
  await ok("rm", name);
});

vm("owners come along; with -a everything belongs to the container's user", async () => {
  const name = await create("-u", "operator");
  const file = join(here, "file");
  await ok("cp", file, `${name}:/data/plain`);
  await ok("cp", "-a", file, `${name}:/data/own`);
  const { stdout } = await shell(`docker cp ${name}:/data - | tar --numeric-owner -tvf -`);
  expect(stdout).toMatch(/ 1234\/55 .* data\/plain\n/);
  expect(stdout).toMatch(/ 37\/37 .* data\/own\n/);
  expect(stdout).toMatch(/2014-05-13 16:53 data\/plain/);
  const other = await create("-u", "nobody-knows");
  expect(await fails("-a", file, `${other}:/data`)).toContain("Unable to find user nobody-knows");
  await ok("rm", name, other);
});

vm("volumes are seen, before the first start and while the container runs; read-only ones are refused", async () => {
  const bind = join(here, "bind");
  mkdirSync(bind, { recursive: true });
  writeFileSync(join(bind, "mine"), "bound\n");
  const name = await create("-v", "/image-volume", "-v", `${bind}:/data`, "-v", `${bind}:/ro:ro`);
  const file = join(here, "file");
  await ok("cp", file, `${name}:/image-volume/before`);
  await ok("cp", file, `${name}:/data`);
  expect(readFileSync(join(bind, "file"), "utf8")).toBe("from here\n");
  expect(await fails(file, `${name}:/ro`)).toBe("Error response from daemon: mounted volume is marked read-only");
  expect(message(await ask("PUT", archive(name, "/ro"), "x"))).toEqual([400, "mounted volume is marked read-only"]);
  expect(await listed(`${name}:/ro`)).toEqual(["ro/", "ro/file", "ro/mine"]);
  await ok("start", name);
  await ok("cp", file, `${name}:/image-volume/after`);
  expect(await listed(`${name}:/image-volume`)).toEqual([
    "image-volume/",
    "image-volume/after",
    "image-volume/before",
    "image-volume/seed",
  ]);
  const from = await create("--volumes-from", name);
  expect(await inside(from, "/image-volume/before")).toBe("from here\n");
  expect(await fails(file, `${from}:/ro`)).toBe("Error response from daemon: mounted volume is marked read-only");
  // A link into a read-only volume is no way around it.
  expect((await shell(`ln -s /ro ${join(here, "to-ro")}; docker cp ${join(here, "to-ro")} ${name}:/tmp`)).code).toBe(0);
  expect(await fails(file, `${name}:/tmp/to-ro/`)).toBe(
    "Error response from daemon: mounted volume is marked read-only",
  );
  expect(existsSync(join(bind, "to-ro"))).toBe(false);
  await ok("rm", "-f", "-v", name, from);
  expect(readFileSync(join(bind, "mine"), "utf8")).toBe("bound\n");
});

vm("the files that the daemon gives a container are seen as the container sees them", async () => {
  const name = await create("-h", "given");
  await ok("start", name);
  expect(await inside(name, "/etc/hostname")).toBe("given\n");
  expect(await inside(name, "/etc/hosts")).toMatch(/\tgiven\n/);
  expect(await fails(join(here, "file"), `${name}:/etc/hosts`)).toBe(
    "Error response from daemon: unlinkat /etc/hosts: device or resource busy",
  );
  await ok("rm", "-f", name);
});

vm("a copy that cannot be made says why", async () => {
  const name = await create();
  const [file, dir] = [join(here, "file"), join(here, "dir")];
  expect(await fails(`${name}:/nope`, here)).toBe(
    `Error response from daemon: Could not find the file /nope in container ${name}`,
  );
  expect(await fails("nobody:/x", here)).toBe("Error response from daemon: No such container: nobody");
  expect(await fails(file, `${name}:/nope/`)).toBe("no such directory");
  expect(await fails(file, `${name}:/nope/deeper`)).toBe(
    `Error response from daemon: Could not find the file /nope in container ${name}`,
  );
  expect(await fails(dir, `${name}:/bin/busybox`)).toBe("cannot copy directory");
  expect(await fails(file, `${name}:/bin/busybox/x`)).toBe(
    "Error response from daemon: extraction point is not a directory",
  );
  await ok("cp", `${dir}/.`, `${name}:/data`);
  expect(await fails(`${here}/dir/a`, `${name}:/data/sub/large/`)).not.toBe("");
  const over = await shell(`tar -C ${here}/dir --transform s/a/sub/ -cf - a | docker cp - ${name}:/data`);
  expect(over.stderr).toBe(
    'Error response from daemon: cannot overwrite directory "/data/sub" with non-directory "/data"\n',
  );
  const under = await shell(
    `tar -C ${here} --transform 's/^dir$/a/' -cf - --no-recursion dir | docker cp - ${name}:/data`,
  );
  expect(under.stderr).toBe(
    'Error response from daemon: cannot overwrite non-directory "/data/a" with directory "/data"\n',
  );
  await ok("rm", name);
});

vm("the API answers as moby's does", async () => {
  const name = await create();
  expect(await stat(name, "/bin/sh")).toMatchObject({ name: "sh", linkTarget: "/bin/busybox", mode: 0o1000000777 });
  expect(await stat(name, "/bin/busybox", "GET")).toMatchObject({
    name: "busybox",
    linkTarget: "",
    size: statSync("/usr/bin/busybox").size,
    mode: 0o755,
    mtime: "2014-05-13T16:53:20Z",
  });
  expect(await stat(name, "/")).toMatchObject({ name: "/", mode: 2 ** 31 + 0o755 });
  expect((await ask("GET", archive(name, "/bin/sh"))).headers["content-type"]).toBe("application/x-tar");
  expect((await ask("HEAD", archive(name, "/nope"))).status).toBe(404);
  expect(message(await ask("GET", archive(name, "/nope")))).toEqual([
    404,
    `Could not find the file /nope in container ${name}`,
  ]);
  expect(message(await ask("GET", archive(name, "")))).toEqual([400, "bad parameter: pathcannot be empty"]);
  expect(message(await ask("GET", archive(name, "/bin/busybox/")))).toEqual([
    500,
    "lstat /bin/busybox/: not a directory",
  ]);
  expect(message(await ask("GET", archive("nobody", "/")))).toEqual([404, "No such container: nobody"]);
  expect(message(await ask("PUT", archive(name, "/nope"), "x"))).toEqual([
    404,
    `Could not find the file /nope in container ${name}`,
  ]);
  expect(message(await ask("PUT", archive(name, "/bin/busybox"), "x"))).toEqual([
    400,
    "extraction point is not a directory",
  ]);
  // Nothing at all is an empty archive; less than that is none.
  expect(await ask("PUT", archive(name, "/data"))).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  expect((await ask("PUT", archive(name, "/data"), Buffer.alloc(2000, "x"))).status).toBe(500);
  // Versions before 1.20 do not have it, and 1.2.0's own route goes on.
  for (const version of ["", "/v1.14", "/v1.19"]) {
    expect((await ask("GET", `${version}/containers/${name}/archive?path=/`)).status).toBe(404);
  }
  await ok("rm", name);
});

vm("without noOverwriteDirNonDir one kind takes the place of the other", async () => {
  const name = await create();
  await ok("cp", join(here, "dir"), `${name}:/data/x`);
  const file = await shell(`tar -C ${here} --transform s/file/x/ -cf ${daemon.dir}/x.tar file`);
  expect(file.code).toBe(0);
  const tar = readFileSync(join(daemon.dir, "x.tar"));
  expect(message(await ask("PUT", archive(name, "/data", "&noOverwriteDirNonDir=true"), tar))).toEqual([
    500,
    'cannot overwrite directory "/data/x" with non-directory "/data"',
  ]);
  expect((await ask("PUT", archive(name, "/data"), tar)).status).toBe(200);
  expect(await inside(name, "/data/x")).toBe("from here\n");
  await ok("rm", name);
});

vm("copies are events", async () => {
  const name = await create();
  await ok("cp", join(here, "file"), `${name}:/data`);
  await ok("cp", `${name}:/data/file`, join(here, "copied"));
  const now = String(Math.floor(Date.now() / 1000) + 1);
  const events = await ok(
    "events",
    "--since",
    "1",
    "--until",
    now,
    "-f",
    `container=${name}`,
    "--format",
    "{{.Action}}",
  );
  expect(events.trim().split("\n")).toEqual(["create", "extract-to-dir", "archive-path"]);
  await ok("rm", name);
});

vm("no link leads out of the container: in its files, in archives, in its volumes", async () => {
  const volume = join(here, "shared");
  mkdirSync(volume);
  const name = await create("-v", `${volume}:/data`);
  const outside = daemon.dir;
  const plant = `ln -s ${secret} abs; ln -s ../../../../../..${secret} up; ln -s / root; ln -s ${outside} dir`;
  expect((await shell(`cd ${volume}; ${plant}`)).code).toBe(0);
  for (const path of ["abs", "up", "root", "dir"].map((at) => `/data/${at}`)) {
    for (const tail of ["/", "/.", `/${daemon.dir.slice(1)}/secret`, "/secret"]) {
      const got = await ask("GET", archive(name, path + tail));
      expect(`${path}${tail} ${got.body.includes("secret\n")}`).toBe(`${path}${tail} false`);
    }
  }
  const before = readdirSync(outside).sort();
  // Into what a link leads to: the container's own directory of that name, if it has one.
  const { stdout } = await run(["tar", "-C", here, "-cf", "-", "file"]);
  expect((await ask("PUT", archive(name, "/data/dir"), stdout)).status).toBe(404);
  expect((await ask("PUT", archive(name, "/data/root"), stdout)).status).toBe(200);
  expect(await inside(name, "/file")).toBe("from here\n");
  // Through a link that the archive itself brings.
  const evil = join(daemon.dir, "evil");
  mkdirSync(join(evil, "way"), { recursive: true });
  writeFileSync(join(evil, "way/planted"), "planted\n");
  const line = `tar -C ${evil} -cf ${evil}.tar --transform 's/^dir$/way/' --no-recursion -C ${volume} dir -C ${evil} way/planted`;
  expect((await shell(line)).stderr).toBe("");
  await ask("PUT", archive(name, "/tmp"), readFileSync(`${evil}.tar`));
  expect(readdirSync(outside).sort()).toEqual([...before, "evil", "evil.tar"].sort());
  // Names that climb, and a hard link to what lies outside.
  const climb = await run(["bash", "-c", `cd ${volume}; tar -P -cf ${evil}2.tar ../file`]);
  expect(climb.code).toBe(0);
  expect((await ask("PUT", archive(name, "/data"), readFileSync(`${evil}2.tar`))).status).toBe(500);
  await ok("rm", name);
});

vm("a container that swaps directories and links all the time leads no copy out", async () => {
  const dir = join(daemon.dir, "victim");
  mkdirSync(dir);
  writeFileSync(join(dir, "file"), "machine's own\n");
  const volume = join(here, "racing");
  mkdirSync(volume);
  const name = `c${serial++}`;
  // The volume is on this machine: a link to the directory beside it means something else inside and outside.
  const swap = `while true; do
    mkdir -p $d/real; echo container > $d/real/file; busybox mv $d/real $d/x
    busybox mv $d/x $d/old; busybox ln -s ${dir} $d/x; busybox rm -rf $d/old $d/x
  done`;
  const both = `(d=/data; ${swap}) & d=/tmp; ${swap}`;
  await ok("run", "-d", "--privileged", "--name", name, "-v", `${volume}:/data`, image, "busybox", "sh", "-c", both);
  const { stdout: tar } = await run(["tar", "-C", here, "-cf", "-", "file"]);
  const seen = new Set<number>();
  const end = Date.now() + 4000;
  while (Date.now() < end) {
    const answers = await Promise.all([
      ask("GET", `/containers/${name}/export`),
      ...["/data", "/tmp"].flatMap((at) => [
        ask("GET", archive(name, at)),
        ask("GET", archive(name, `${at}/x/file`)),
        ask("GET", archive(name, `${at}/x/.`)),
        ask("PUT", archive(name, `${at}/x`), tar),
      ]),
    ]);
    for (const { status, body } of answers) {
      seen.add(status);
      expect(body.includes("machine's own")).toBe(false);
    }
  }
  expect(readdirSync(dir)).toEqual(["file"]);
  expect(readFileSync(join(dir, "file"), "utf8")).toBe("machine's own\n");
  // The race was one: both outcomes have been there.
  expect([...seen].sort()).toEqual(expect.arrayContaining([200, 404]));
  await ok("rm", "-f", name);
});

vm("a device in the place of a file is not opened", async () => {
  const name = await create("--privileged");
  const node = join(here, "node");
  expect((await run(["mknod", node, "c", "1", "5"])).code).toBe(0);
  await ok("cp", node, `${name}:/data/zero`);
  // As an archive it is a device.
  expect((await shell(`docker cp ${name}:/data/zero - | tar -tvf -`)).stdout).toMatch(/^crw.* 1,5 .* zero\n$/);
  // As the file that the daemon itself reads it is nothing.
  const user = await create("-u", "operator");
  await shell(`tar -C ${here} --transform s,node,passwd, -cf - node | docker cp - ${user}:/etc`);
  expect(await fails("-a", join(here, "file"), `${user}:/data`)).toContain("Unable to find user operator");
  await ok("rm", name, user);
});

vm("a client that goes away in the middle leaves nothing behind, and disturbs nobody", async () => {
  const name = await create();
  await ok("cp", join(here, "dir"), `${name}:/data`);
  const path = archive(name, "/data/dir");
  const gone = Array.from({ length: 12 }, (_, i) => {
    const args = i % 2 === 0 ? ["-X", "PUT", "-T", "-"] : ["--limit-rate", "1k"];
    return spawn("curl", ["-sg", "--unix-socket", daemon.socket, ...args, `http://d${path}`], {
      stdio: ["pipe", "ignore", "ignore"],
    });
  });
  for (const [i, { stdin }] of gone.entries()) if (i % 2 === 0) stdin?.write(Buffer.alloc(1000));
  // Others are served meanwhile.
  expect(await inside(name, "/data/dir/a")).toBe("a\n");
  for (const child of gone) child.kill("SIGKILL");
  const mounts = () => readFileSync(`/proc/${daemon.process.pid}/mountinfo`, "utf8").split(daemon.root).length - 1;
  await expect.poll(mounts, { timeout: 15_000 }).toBe(0);
  await ok("rm", name);
});
