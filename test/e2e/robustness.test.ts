/**
 * Attempts to break the engine: killed at bad moments, flooded, lied to, ignored, and out of space.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DRYDOCK, hasRoot, makeNetns, startDaemon, type TestDaemon, type TestNetns } from "../support/daemon.ts";
import { startFaultyRegistry } from "../support/faulty-registry.ts";
import { BUSYBOX, type LayerSpec, startRegistry, type TestRegistry } from "../support/images.ts";
import { ask, idsOnDisk, traces, usage } from "../support/traces.ts";

const isRoot = hasRoot("containers need root");
const describeRoot = describe.runIf(isRoot);

let netns: TestNetns;
let registry: TestRegistry;
let base: string;
let six: string;

beforeAll(async () => {
  if (!isRoot) return;
  netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  base = `${registry.address}/base`;
  six = `${registry.address}/six`;
  await registry.push("base", [BUSYBOX]);
  const more = ["a", "b", "c", "d", "e"].map((name): LayerSpec => ({ [name]: name.repeat(200_000) }));
  await registry.push("six", [BUSYBOX, ...more]);
});
afterAll(async () => {
  await registry?.stop();
  netns?.remove();
});

const pull = (daemon: TestDaemon, image: string) =>
  ask(daemon, "POST", `/images/create?fromImage=${encodeURIComponent(image)}`);
const create = (daemon: TestDaemon, name: string, more: object = {}) =>
  ask(daemon, "POST", `/containers/create?name=${name}`, { Image: base, Cmd: ["sleep", "1000"], ...more });
const start = (daemon: TestDaemon, name: string, body: object = {}) =>
  ask(daemon, "POST", `/containers/${name}/start`, body);
const remove = (daemon: TestDaemon, name: string) => ask(daemon, "DELETE", `/containers/${name}?force=1&v=1`);
const list = async (daemon: TestDaemon, what: "containers" | "images") =>
  JSON.parse((await ask(daemon, "GET", `/${what}/json?all=1`)).body) as { Id: string; RepoTags?: string[] }[];
const removeAll = async (daemon: TestDaemon) => {
  for (const { Id } of await list(daemon, "containers")) expect((await remove(daemon, Id)).status).toBe(204);
};
/** `n` requests at once. */
const all = <T>(n: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)));
/** Whether the daemon's log has this so many times. */
const logged = (daemon: TestDaemon, text: string, times = 1) =>
  expect
    .poll(() => daemon.log().split(text).length - 1, { interval: 1, timeout: 20_000 })
    .toBeGreaterThanOrEqual(times);

describeRoot("after kill -9 during", () => {
  let dir: string;
  let daemon: TestDaemon;
  const ids = new Set<string>();
  const others: TestDaemon[] = [];
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "dd-kill-"));
    daemon = await startDaemon({ netns, root: join(dir, "root") });
    expect((await pull(daemon, base)).status).toBe(200);
  });
  afterAll(async () => {
    expect(await daemon.remove()).toEqual([]);
    for (const other of others) await other.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const volumes = { Volumes: { "/data": {}, "/etc": {} }, ExposedPorts: { "80/tcp": {} } };
  // What is done, and what has to be seen before the kill.
  const moments: [string, (d: TestDaemon) => Promise<unknown>, (d: TestDaemon) => Promise<unknown>, string][] = [
    ["a pull of six layers", () => Promise.resolve(), (d) => pull(d, six), "+job pull"],
    ["create", () => Promise.resolve(), (d) => all(8, (i) => create(d, `k${i}`)), "-job create(k2) = OK"],
    [
      "run with ports and volumes",
      (d) => all(6, (i) => create(d, `k${i}`, volumes)),
      (d) => all(6, (i) => start(d, `k${i}`, { PortBindings: { "80/tcp": [{ HostPort: String(9000 + i) }] } })),
      "+job allocate_port",
    ],
    [
      "stop",
      (d) => all(4, async (i) => [await create(d, `k${i}`), await start(d, `k${i}`)]),
      (d) => all(4, (i) => ask(d, "POST", `/containers/k${i}/stop?t=0`)),
      "+job log(die",
    ],
    ["rm", (d) => all(8, (i) => create(d, `k${i}`)), (d) => all(8, (i) => remove(d, `k${i}`)), "-job delete("],
    ["rmi", (d) => pull(d, six), (d) => ask(d, "DELETE", `/images/${six}`), "+job image_delete"],
    [
      "tag",
      () => Promise.resolve(),
      (d) => all(8, (i) => ask(d, "POST", `/images/${base}/tag?repo=t&tag=${i}`)),
      "-job tag(",
    ],
  ];
  test.each(moments)(
    "%s, the next daemon serves what was whole and nothing else is left",
    async (_, prepare, act, seen) => {
      const { root } = daemon;
      await prepare(daemon);
      const before = daemon.log().split(seen).length - 1;
      const done = act(daemon);
      await logged(daemon, seen, before + 1);
      for (const id of idsOnDisk(root)) ids.add(id);
      await daemon.end("SIGKILL");
      await done;
      for (const id of idsOnDisk(root)) ids.add(id);

      others.push(daemon);
      const began = performance.now();
      daemon = await startDaemon({ netns, root });
      expect(performance.now() - began).toBeLessThan(5000);
      for (const { Id, RepoTags } of await list(daemon, "images")) {
        expect((await ask(daemon, "GET", `/images/${Id}/json`)).status).toBe(200);
        for (const tag of RepoTags ?? []) {
          if (tag === "<none>:<none>") continue;
          expect((await daemon.docker("run", "--rm", tag, "echo", "whole")).stdout).toBe("whole\n");
        }
      }
      expect(await traces(daemon, root, ids)).toEqual([]);
      for (const { Id } of await list(daemon, "containers")) {
        expect(JSON.parse((await ask(daemon, "GET", `/containers/${Id}/json`)).body).State.Running).toBe(false);
      }
      await removeAll(daemon);
      for (let i = 0; i < 8; i++) expect((await create(daemon, `k${i}`)).status).toBe(201);
      await removeAll(daemon);
      expect((await pull(daemon, six)).body).not.toContain('"error"');
      expect((await daemon.docker("run", "--rm", six, "cat", "/e")).stdout).toHaveLength(200_000);
      for (const { RepoTags } of await list(daemon, "images")) {
        for (const tag of RepoTags ?? []) if (/^t:|six/.test(tag)) await ask(daemon, "DELETE", `/images/${tag}`);
      }
      expect(await traces(daemon, root, ids)).toEqual([]);
    },
  );
});

describeRoot("one daemon", () => {
  let daemon: TestDaemon;
  const ids = new Set<string>();
  const nothingLeft = async () => expect(await traces(daemon, daemon.root, ids)).toEqual([]);
  beforeAll(async () => {
    daemon = await startDaemon({ netns });
    expect((await pull(daemon, base)).status).toBe(200);
    await daemon.docker("run", "--rm", base, "true");
  });
  afterAll(async () => {
    expect(await daemon.remove()).toEqual([]);
  });

  test("a hundred runs, broken requests and idle readers leave nothing in it", async () => {
    const before = usage(daemon);
    for (let i = 0; i < 5; i++) {
      const outs = await all(20, (j) => daemon.docker("run", "--rm", base, "echo", `${i}-${j}`));
      expect(outs.map(({ stdout }) => stdout)).toEqual(outs.map((_, j) => `${i}-${j}\n`));
    }
    await create(daemon, "live", { Cmd: ["sh", "-c", "while true; do echo tick; sleep 0.05; done"] });
    await start(daemon, "live");
    for (const id of idsOnDisk(daemon.root)) ids.add(id);
    const paths = ["json", "top", "changes", "export", "logs?stdout=1"].map((path) => `/containers/live/${path}`);
    const gets = ["/info", "/events?since=1&until=2", "/images/json", "/containers/json?all=1", "/nothing", ...paths];
    for (const path of gets) for (let i = 0; i < 2; i++) await all(20, () => ask(daemon, "GET", path));

    /** A client that sends this, and goes: at once, or with the first byte of the answer. */
    const broken = async (text: string, waits: boolean) => {
      const socket = connect(daemon.socket).on("error", () => undefined);
      await once(socket, "connect");
      await new Promise((resolve) => socket.write(text, resolve));
      if (waits) await once(socket, "data");
      socket.destroy();
    };
    const http = (line: string) => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const live = ["export", "logs?stdout=1&follow=1"].map((path) => http(`GET /containers/live/${path}`));
    const attach = http("POST /containers/live/attach?stdin=1&stdout=1&stream=1");
    for (const text of gets.map((path) => http(`GET ${path}`))) await all(20, () => broken(text, false));
    for (const text of [...live, attach, http("GET /events")])
      await all(20, () => broken(text, text !== http("GET /events")));
    await all(20, () => broken("POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{", false));
    await all(20, () => broken("GET /info HTTP/1.1\r\nHos", false));

    // Readers that never read, and half-open ones: they hold up nobody, and go when they go.
    const idle = [...Array<string>(20).fill(http("GET /events")), ...Array<string>(20).fill(attach)].map((text, i) => {
      const socket: Socket = connect({ path: daemon.socket, allowHalfOpen: true }).on("error", () => undefined);
      socket.write(text);
      if (i >= 20) socket.end();
      return socket.pause();
    });
    await logged(daemon, "+job attach", 40);
    const began = performance.now();
    for (let i = 0; i < 3; i++) expect((await daemon.docker("run", "--rm", base, "echo", "ok")).stdout).toBe("ok\n");
    expect(performance.now() - began).toBeLessThan(5000);
    for (const socket of idle) socket.destroy();
    await remove(daemon, "live");
    await nothingLeft();

    const after = () => usage(daemon);
    await expect.poll(() => after().fds, { timeout: 10_000 }).toBeLessThanOrEqual(before.fds + 5);
    expect(after().threads).toBeLessThanOrEqual(before.threads + 4);
    expect(after().children).toBe(before.children);
    // What was garbage when it was counted comes to a hundred megabytes on a busy machine; what stays, to far more.
    expect(after().rss).toBeLessThan(before.rss + 200);
  });

  test("pulls that are given up leave nothing, and the same pull then completes", async () => {
    // On our side of the network: the daemon is reached by its socket only.
    const own = await startDaemon({ netns: "none" });
    const local = await startRegistry();
    const faulty = await startFaultyRegistry(local.address);
    try {
      await local.push("six", [BUSYBOX, ...["a", "b", "c", "d", "e"].map((name) => ({ [name]: name.repeat(50_000) }))]);
      const before = usage(own).fds;
      for (let i = 0; i < 10; i++) {
        faulty.requests.length = 0;
        faulty.fault = (request) =>
          request.includes("/blobs/") ? { holdAfter: 10 * i, release: new Promise(() => undefined) } : undefined;
        const client = spawn(DRYDOCK, ["-H", `unix://${own.socket}`, "pull", `${faulty.address}/six`], {
          stdio: "ignore",
        });
        await faulty.seen(/\/blobs\//);
        client.kill("SIGKILL");
        await logged(own, "-job pull", i + 1);
      }
      await expect.poll(() => traces(own, own.root, []), { timeout: 10_000 }).toEqual([]);
      await expect.poll(() => usage(own).fds, { timeout: 15_000 }).toBeLessThanOrEqual(before + 6);
      faulty.fault = () => undefined;
      expect((await own.docker("pull", `${faulty.address}/six`)).code).toBe(0);
    } finally {
      await faulty.stop();
      await local.stop();
      expect(await own.remove()).toEqual([]);
    }
  });

  test("no request makes it stumble: a clear answer, never an error of the program's own", async () => {
    const ours =
      /TypeError|RangeError|SyntaxError|undefined|is not a function|Cannot read prop|JSON at position|\[object/;
    const odd: unknown[] = [
      ...[null, true, -1, 1.5, 1e300, 2 ** 63, "", "\0", "../../etc", "x".repeat(70_000), [], [null], [1], [["x"]], {}],
      ...[{ "": {} }, { "../x": {} }, { "80/tcp": [null] }, { "80/tcp": [{ HostPort: 80 }] }, { "99999/tcp": [{}] }],
      JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":{"b":1}}}'),
    ];
    const config = "Memory ExposedPorts Env Cmd Image Volumes Entrypoint HostConfig";
    const host = "Binds PortBindings Links VolumesFrom Devices NetworkMode CapAdd RestartPolicy";
    const asked: [string, string, unknown?][] = [];
    for (const value of odd) {
      for (const key of config.split(" "))
        asked.push(["POST", "/containers/create", { Image: base, Cmd: ["true"], [key]: value }]);
      for (const key of host.split(" ")) {
        const body = { Image: base, Cmd: ["true"], HostConfig: { [key]: value } };
        asked.push(["POST", "/v1.30/containers/create", body], ["POST", "/containers/idle/start", { [key]: value }]);
      }
    }
    const bodies = ["{", "[]", "null", "{}{}", "[".repeat(100_000), '{"a":'.repeat(200_000), "\0", '{"Memory":1e999}'];
    const posts = ["containers/create", "containers/idle/start", "containers/idle/copy", "auth", "commit", "build"];
    for (const body of [...bodies, `{"Image":"${"x".repeat(5 << 20)}"}`])
      for (const path of posts) asked.push(["POST", `/${path}`, body]);
    const names = [
      "..",
      "%2e%2e%2f%2e%2e%2fetc",
      "%00",
      "%zz",
      "%ff",
      "__proto__",
      "x".repeat(20_000),
      "a%0ab",
      "a/../b",
    ];
    for (const name of names) {
      for (const path of [`/containers/${name}/json`, `/images/${name}/json`, `/images/${name}/history`])
        asked.push(["GET", path]);
      for (const verb of ["start", "kill", "wait", "attach", "copy"])
        asked.push(["POST", `/containers/${name}/${verb}`]);
      asked.push(["DELETE", `/containers/${name}`], ["DELETE", `/images/${name}`]);
      asked.push(["POST", `/images/${base}/tag?repo=${name}&tag=${name}`]);
      asked.push(["POST", `/containers/create?name=${name}`, { Image: base, Cmd: ["true"] }]);
      for (const key of ["since", "limit", "filters"]) asked.push(["GET", `/containers/json?${key}=${name}`]);
      asked.push(["GET", `/containers/idle/logs?stdout=1&tail=${name}`], ["GET", `/v${name}/version`]);
    }
    for (const version of ["v1.99", "v99999", "v1.", "v0", `v${"9".repeat(400)}`])
      asked.push(["GET", `/${version}/info`]);
    await create(daemon, "idle", { Cmd: ["true"] });
    const bad: string[] = [];
    for (const [method, path, body] of asked) {
      const answer = await ask(daemon, method, path, body);
      if (answer.status >= 200 && !ours.test(answer.body)) continue;
      bad.push(`${method} ${path.slice(0, 80)} ${JSON.stringify(body)?.slice(0, 80)}: ${answer.status} ${answer.body}`);
    }
    expect(bad).toEqual([]);
    expect(daemon.log()).not.toMatch(/TypeError|RangeError|Cannot answer/);
    await removeAll(daemon);
    await nothingLeft();
  });

  test("no HTTP, slow HTTP and half HTTP: the others are served", async () => {
    const open = [
      "GET /_ping HTTP/1.1\r\nX: ",
      "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
    ].map((text) => {
      const socket = connect(daemon.socket).on("error", () => undefined);
      socket.write(text);
      return socket;
    });
    const answerTo = async (text: string) => {
      let got = "";
      const socket = connect(daemon.socket).on("error", () => undefined);
      socket.on("data", (data) => {
        got += data;
      });
      socket.write(text);
      await once(socket, "close");
      return got.split("\r\n")[0];
    };
    for (const text of ["garbage\r\n\r\n", "\0\0\0\0", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/9.9\r\n\r\n"])
      expect(await answerTo(text)).toBe("HTTP/1.1 400 Bad Request");
    expect(await answerTo(`GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
    expect((await ask(daemon, "GET", "/_ping")).body).toBe("OK");
    for (const socket of open) socket.destroy();
  });

  test.each([false, true])("a client that stops reading holds up no other, and no end (terminal: %s)", async (Tty) => {
    await create(daemon, "flood", { Cmd: ["yes", "0123456789"], Tty });
    const attached = connect(daemon.socket).on("error", () => undefined);
    attached.write("POST /containers/flood/attach?stdout=1&stream=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    attached.pause();
    await logged(daemon, "+job attach(");
    await start(daemon, "flood");
    const readers = ["/containers/flood/logs?stdout=1&follow=1", "/events"].map((path) => {
      const socket = connect(daemon.socket).on("error", () => undefined);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return socket.pause();
    });
    const before = usage(daemon).rss;
    // Full up to here: the buffers of the client's connection and its megabyte in the daemon.
    const id = JSON.parse((await ask(daemon, "GET", "/containers/flood/json")).body).Id;
    const size = () => lstatSync(join(daemon.root, "containers", id, `${id}-json.log`)).size;
    await expect.poll(size, { timeout: 10_000 }).toBeGreaterThan(1 << 20);
    const began = performance.now();
    expect((await daemon.docker("run", "--rm", base, "echo", "others")).stdout).toBe("others\n");
    expect(performance.now() - began).toBeLessThan(5000);
    expect((await ask(daemon, "POST", "/containers/flood/stop?t=1")).status).toBe(204);
    expect((await ask(daemon, "DELETE", "/containers/flood")).status).toBe(204);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(usage(daemon).rss).toBeLessThan(before + 120);
    for (const socket of [attached, ...readers]) socket.destroy();
    await nothingLeft();
  });

  test("links of an image lead nowhere outside of its root", async () => {
    const outside = mkdtempSync(join(tmpdir(), "dd-outside-"));
    mkdirSync(join(outside, "etc"));
    writeFileSync(join(outside, "etc/passwd"), "evil:x:0:0::/:/bin/sh\n");
    const look = () =>
      readdirSync(outside, { recursive: true }).map((path) => {
        const { mode, mtimeMs, size } = lstatSync(join(outside, String(path)));
        return [path, mode, mtimeMs, size];
      });
    const before = look();
    const up = `${"../".repeat(12)}${outside.slice(1)}`;
    const noEtc = Object.fromEntries(Object.entries(BUSYBOX).filter(([path]) => !path.startsWith("etc/")));
    const file = (name: string) => [`etc/${name}`, { link: `${up}/${name}` }] as const;
    const images: Record<string, LayerSpec> = {
      "etc-absolute": { etc: { link: `${outside}/etc` } },
      "etc-relative": { etc: { link: `${up}/etc` } },
      "etc-files": Object.fromEntries(["passwd", "group", "hosts", "resolv.conf", "hostname", "mtab"].map(file)),
      mounts: { proc: { link: `${outside}/proc` }, dev: { link: outside }, sys: { link: up } },
      work: { work: { link: up }, wide: { link: "../../.." } },
    };
    for (const [name, layer] of Object.entries(images)) {
      const config = name === "work" ? { WorkingDir: "/work/wd", Volumes: { "/work/volume": {} } } : {};
      await registry.push(name, [noEtc, layer], { config });
      expect((await pull(daemon, `${registry.address}/${name}`)).body).not.toContain('"error"');
      const choices = [
        [],
        ["-u", "evil"],
        ["-w", `/wide${outside}/x`],
        ["-v", "/wide/tmp/v"],
        ["-v", `${daemon.dir}:/work/b`],
      ];
      for (const [i, choice] of choices.entries()) {
        const args = ["run", "--rm", ...choice, `${registry.address}/${name}`, "sh", "-c", "echo in > /tmp/x; echo ok"];
        const { stdout, stderr } = await daemon.docker(...args);
        if (i === 1) expect(stderr).toContain("Unable to find user evil");
        else expect(stdout + stderr).toBe("ok\n");
        expect(look()).toEqual(before);
      }
    }
    rmSync(outside, { recursive: true });
    await nothingLeft();
  });
});

describeRoot("a full disk", () => {
  test("is named, leaves nothing half done, and is survived", async () => {
    const dir = mkdtempSync(join(tmpdir(), "dd-full-"));
    const root = join(dir, "root");
    mkdirSync(root);
    expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=16m", "none", root]).status).toBe(0);
    const daemon = await startDaemon({ netns, root });
    const FULL = /no space left on device/;
    const filler = join(root, "filler");
    /** Takes all room but so many bytes, whoever else is writing meanwhile. */
    const fill = (left: number) => {
      const fd = openSync(filler, "w");
      try {
        for (const size of [1 << 20, 4096]) {
          const piece = Buffer.alloc(size);
          expect(() => {
            while (writeSync(fd, piece) > 0);
          }).toThrow("ENOSPC");
        }
        ftruncateSync(fd, Math.max(0, fstatSync(fd).size - left));
      } finally {
        closeSync(fd);
      }
    };
    const patience = { timeout: 10_000 };
    try {
      await pull(daemon, base);
      await registry.push("big", [BUSYBOX, { a: "a" }, { b: "b".repeat(30 << 20) }]);
      expect((await pull(daemon, `${registry.address}/big`)).body).toMatch(FULL);
      expect(await traces(daemon, root, [])).toEqual([]);
      const names = readFileSync(join(root, "repositories-overlay"), "utf8");
      await create(daemon, "live", { Cmd: ["sh", "-c", "while true; do echo tick; sleep 0.05; done"] });
      await start(daemon, "live");
      for (const left of [0, 8192, 24_576, 65_536]) {
        fill(left);
        for (const answer of [
          await create(daemon, "one"),
          await create(daemon, "two", { Volumes: { "/data": {} } }),
          await start(daemon, "two"),
          await pull(daemon, six),
        ]) {
          if (!(answer.status === 404 || (answer.status < 300 && !answer.body.includes('"error"'))))
            expect(answer.body).toMatch(FULL);
        }
        expect((await ask(daemon, "POST", "/containers/live/restart?t=0")).status).toBe(204);
        for (const name of ["one", "two"]) await remove(daemon, name);
        rmSync(filler);
        // The log goes on, the names are free, nothing is left.
        const size = (await ask(daemon, "GET", "/containers/live/logs?stdout=1")).body.length;
        await expect
          .poll(async () => (await ask(daemon, "GET", "/containers/live/logs?stdout=1")).body.length, patience)
          .toBeGreaterThan(size);
        for (const name of ["one", "two"]) {
          expect((await create(daemon, name)).status).toBe(201);
          await remove(daemon, name);
        }
        await ask(daemon, "DELETE", `/images/${six}`);
        await ask(daemon, "POST", "/containers/live/stop?t=0");
        await expect.poll(() => traces(daemon, root, []), patience).toEqual([]);
        await start(daemon, "live");
      }
      await remove(daemon, "live");
      expect(JSON.parse(readFileSync(join(root, "repositories-overlay"), "utf8"))).toEqual(JSON.parse(names));
      expect(await daemon.end()).toBe(0);
      const next = await startDaemon({ netns, root });
      expect((await next.docker("run", "--rm", base, "echo", "whole")).stdout).toBe("whole\n");
      await next.remove();
    } finally {
      await daemon.remove();
      spawnSync("umount", ["-l", root]);
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
