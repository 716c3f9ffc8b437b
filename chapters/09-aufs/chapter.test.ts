import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decompressStream, detectCompression, MAGIC_BYTES } from "../../src/archive/compression.ts";
import { newGraphDriver, priority } from "../../src/daemon/graphdriver/graphdriver.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { newImgJSON } from "../../src/image/image.ts";
import { Logger } from "../../src/pkg/log/log.ts";
import { TruncIndex } from "../../src/pkg/truncindex/truncindex.ts";
import { BufferWriter } from "../../src/sync/io.ts";
import { ProgressReader } from "../../src/utils/progress-reader.ts";
import { StreamFormatter } from "../../src/utils/stream-formatter.ts";
import { claim } from "../lib/claim.ts";
import { esc } from "../lib/draw.ts";
import { tar } from "../lib/tar.ts";
import { readLines } from "./calls.ts";
import { ask, demo, demoHost, example, follow } from "./demo.ts";
import { live } from "./live.ts";
import { addContainer, addImage, openStores, type Stores } from "./main.ts";
import { ADD, BASE, CODE, imageIds, Session } from "./session.ts";

const ROOT = "/var/lib/docker";
const AUFS = `${ROOT}/aufs`;

/** A hundred layers and more take their time on a busy machine. */
const SLOW = { timeout: 60_000 };

/** A stream of one piece. */
async function* streamOf(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}

const json = (id: string, parent?: string) => JSON.stringify({ id, parent, created: "2014-08-20T20:20:14Z" });

/** Stores with an image of two layers, and what the kernel was asked to mount since. */
async function stores(): Promise<Stores & { host: MemoryHost; mounts: string[] }> {
  const host = demoHost();
  const open = await openStores(ROOT, host);
  await addImage(
    open,
    json(BASE),
    streamOf(
      tar([
        { name: "etc/", type: "dir" },
        { name: "etc/motd", content: "base\n" },
      ]),
    ),
  );
  await addImage(
    open,
    json(ADD, BASE),
    streamOf(tar([{ name: "srv", content: "srv\n" }, { name: "etc/", type: "dir" }, { name: "etc/.wh.motd" }])),
  );
  const mounts: string[] = [];
  const mount = host.kernel.mount.bind(host.kernel);
  host.kernel.mount = (source, target, fstype, flags, data = "") => {
    mounts.push([source, target, fstype, flags.join("|"), data].join(" "));
    mount(source, target, fstype, flags, data);
  };
  return { ...open, host, mounts };
}

const run = (...args: string[]) => follow(ask(args));

async function shown(...args: string[]): Promise<{ text: string; status: number }> {
  const out = new BufferWriter();
  const status = await demo(args, out);
  return { text: out.toString(), status };
}

claim(
  "004/e/6",
  "1.2.0 has aufs and no overlay: overlay and fuse-overlayfs are ours, and devicemapper is not here",
  async () => {
    const symbols: { files: Record<string, unknown> } = JSON.parse(
      readFileSync(new URL("../../book/data/go-lines.json", import.meta.url), "utf8"),
    );
    const drivers = Object.keys(symbols.files).flatMap((file) => /^daemon\/graphdriver\/(\w+)\//.exec(file)?.[1] ?? []);
    expect(drivers).toContain("aufs");
    expect(drivers).not.toContain("overlay");
    expect(priority).toEqual(["overlay", "aufs", "btrfs", "vfs"]);
    const host = demoHost();
    const choose = (name: string) => newGraphDriver(ROOT, { name, env: {} }, host, new Logger(host));
    await expect(choose("devicemapper")).rejects.toThrow("driver not supported");
    await expect(choose("overlay2")).rejects.toThrow("driver not supported");
    expect((await choose("aufs")).name).toBe("aufs");
  },
);

claim("004/g/1", "a layer is two directories and a file: the file lists the layers below, nearest first", async () => {
  const { driver, host } = await stores();
  await driver.create(CODE, ADD);
  for (const name of ["diff", "mnt"]) expect((await host.fs.stat(`${AUFS}/${name}/${CODE}`)).isDirectory()).toBe(true);
  expect((await host.fs.stat(`${AUFS}/layers/${CODE}`)).isFile()).toBe(true);
  expect(await host.fs.readFile(`${AUFS}/layers/${CODE}`, "utf8")).toBe(`${ADD}\n${BASE}\n`);
  expect(await host.fs.readFile(`${AUFS}/layers/${BASE}`, "utf8")).toBe("");
});

claim(
  "004/g/2",
  "what is written through mnt/<id> lies in diff/<id>, and mnt/<id> is empty when nothing is mounted",
  async () => {
    const { driver, host } = await stores();
    await driver.create(CODE, ADD);
    const dir = await driver.get(CODE);
    expect(dir).toBe(`${AUFS}/mnt/${CODE}`);
    await host.fs.writeFile(`${dir}/new`, "x");
    expect(await host.fs.readFile(`${AUFS}/diff/${CODE}/new`, "utf8")).toBe("x");
    await driver.put(CODE);
    expect(await host.fs.readdir(dir)).toEqual([]);
    expect(await host.fs.readFile(`${AUFS}/diff/${CODE}/new`, "utf8")).toBe("x");
  },
);

claim(
  "004/g/3",
  "one call mounts all branches, the writable one first; what does not fit in a page is appended",
  async () => {
    const { driver, mounts } = await stores();
    await driver.create(CODE, ADD);
    await driver.get(CODE);
    const branches = `br:${AUFS}/diff/${CODE}=rw:${AUFS}/diff/${ADD}=ro+wh:${AUFS}/diff/${BASE}=ro+wh:`;
    expect(mounts).toEqual([`none ${AUFS}/mnt/${CODE} aufs  ${branches},xino=/dev/shm/aufs.xino`]);

    // Below /var/lib/docker a branch takes 97 bytes and the xino 24: with 40 below the writable one they fit in a page.
    const id = (n: number) => String(n).padStart(64, "0");
    for (let n = 1; n <= 41; n++) await driver.create(id(n), n === 1 ? undefined : id(n - 1));
    mounts.length = 0;
    await driver.create(id(98), id(40));
    await driver.get(id(98));
    expect(mounts).toHaveLength(1);
    mounts.length = 0;
    await driver.create(id(99), id(41));
    await driver.get(id(99));
    expect(mounts).toHaveLength(42);
    expect(mounts[0]).toBe(`none ${AUFS}/mnt/${id(99)} aufs  br:${AUFS}/diff/${id(99)},xino=/dev/shm/aufs.xino`);
    expect(mounts[1]).toBe(`none ${AUFS}/mnt/${id(99)} aufs remount append:${AUFS}/diff/${id(41)}=ro+wh`);
  },
);

claim("004/g/4", "a layer without parent is not mounted: get() gives diff/<id>", async () => {
  const { driver, mounts } = await stores();
  expect(await driver.get(BASE)).toBe(`${AUFS}/diff/${BASE}`);
  await driver.put(BASE);
  expect(mounts).toEqual([]);
});

claim(
  "004/g/5",
  "applyDiff() unpacks into diff/<id>; a whiteout stays there as a file, and the layer below is untouched",
  async () => {
    const { host, mounts } = await stores();
    expect(await host.fs.readdir(`${AUFS}/diff/${ADD}/etc`)).toEqual([".wh.motd"]);
    expect(await host.fs.readFile(`${AUFS}/diff/${ADD}/srv`, "utf8")).toBe("srv\n");
    expect(await host.fs.readFile(`${AUFS}/diff/${BASE}/etc/motd`, "utf8")).toBe("base\n");
    expect(mounts).toEqual([]);
  },
);

claim("004/g/6", "the first ten bytes tell the compression, and a stream that has fewer is an error", async () => {
  const { exec } = demoHost();
  expect(MAGIC_BYTES).toBe(10);
  const heads: [string, number[]][] = [
    ["bzip2", [0x42, 0x5a, 0x68]],
    ["gzip", [0x1f, 0x8b, 0x08]],
    ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
    ["none", [0x2e, 0x2f]],
  ];
  for (const [name, head] of heads)
    expect(detectCompression(Uint8Array.from([...head, ...Array(10).fill(1)]))).toBe(name);
  await expect(decompressStream(exec, streamOf(Buffer.alloc(9)))).rejects.toThrow("EOF");
  expect((await decompressStream(exec, streamOf(Buffer.alloc(10)))).compression).toBe("none");
  const open = await stores();
  await expect(addImage(open, json("1".repeat(64), ADD), streamOf(Buffer.from("tiny")))).rejects.toThrow("EOF");
  expect(await open.driver.ids()).toEqual([ADD, BASE]);
});

claim("004/g/7", "a ProgressReader reports after each percent, or after each 512 KiB when that is less", async () => {
  const messages = async (total: number, chunk: number) => {
    const output = new BufferWriter();
    const formatter = new StreamFormatter(true);
    const terms = { size: total, output, formatter, newLine: false, id: "x", action: "Downloading", now: () => 0 };
    const source = (async function* () {
      for (let sent = 0; sent < total; sent += chunk) yield Buffer.alloc(chunk);
    })();
    for await (const piece of new ProgressReader(source, terms)) void piece;
    return output.toString().match(/"current":\d+/g) ?? [];
  };
  // More than one percent, not one percent exactly; and one message at the end.
  expect(await messages(1_000, 1)).toHaveLength(Math.floor(1_000 / 11) + 1);
  const kib = 1024;
  expect(await messages(100 * 1024 * kib, 256 * kib)).toHaveLength(Math.floor((100 * 1024) / 768) + 1);
});

claim(
  "004/g/8",
  "graph/<id> holds json and layersize; both come by one rename, and a failure leaves neither",
  async () => {
    const open = await stores();
    const { host } = open;
    const files = (await host.fs.readdir(`${ROOT}/graph/${ADD}`)).filter((name) => !String(name).startsWith("layer."));
    expect(files.sort()).toEqual(["json", "layersize"]);
    expect(await host.fs.readFile(`${ROOT}/graph/${ADD}/json`, "utf8")).toBe(json(ADD, BASE));
    expect(await host.fs.readFile(`${ROOT}/graph/${ADD}/layersize`, "utf8")).toBe("4");
    const id = "1".repeat(64);
    const seen: string[][] = [];
    const layer = (async function* () {
      seen.push(await host.fs.readdir(`${ROOT}/graph`));
      yield tar([{ name: "x" }]);
      throw new Error("cut");
    })();
    await expect(addImage(open, json(id, ADD), layer)).rejects.toThrow("cut");
    expect(seen[0]).not.toContain(id);
    expect(await host.fs.readdir(`${ROOT}/graph`)).not.toContain(id);
    expect(await open.driver.exists(id)).toBe(false);
  },
);

claim("004/g/9", "an index finds an id by any prefix that it has alone; two of them are no such id", () => {
  const index = new TruncIndex([BASE, `ba5f${"0".repeat(60)}`, ADD]);
  expect([index.get("0"), index.get("ba5e"), index.get(BASE)]).toEqual([ADD, BASE, BASE]);
  for (const prefix of ["b", "ba5", "c", `${BASE}0`]) expect(() => index.get(prefix)).toThrow(`No such id: ${prefix}`);
  expect(() => index.get("")).toThrow("prefix can't be empty");
  expect(BASE).toHaveLength(64);
});

test("rule 1: a layer that is below another one is never written to, whatever is done above it", async () => {
  const session = await Session.open(ROOT, demoHost(), 2);
  const trace = await session.run(
    readLines(["get", "append /etc/motd x", "chmod 0600 /bin/ls", "rm /srv", "mv /etc /e", "rm /tmp"]),
  );
  const fresh = await (await Session.open(ROOT, demoHost(), 2)).run([]);
  expect(trace.layers.slice(1)).toEqual(fresh.layers.slice(1));
});

test("rule 2: a layer is there when its file in layers is, and rule 3: the mount is there while somebody uses it", async () => {
  const { driver, host } = await stores();
  await driver.create(CODE, ADD);
  expect(await driver.exists(CODE)).toBe(true);
  const mounted = () => host.kernel.mounts().some(({ mountpoint }) => mountpoint === `${AUFS}/mnt/${CODE}`);
  await driver.get(CODE);
  await driver.get(CODE);
  await driver.put(CODE);
  expect(mounted()).toBe(true);
  await driver.put(CODE);
  expect(mounted()).toBe(false);
  await host.fs.rm(`${AUFS}/layers/${CODE}`);
  expect(await driver.exists(CODE)).toBe(false);
});

test("rule 4: the archive of a layer, unpacked on the same parent, shows the same files", async () => {
  const session = await Session.open(ROOT, demoHost(), 2);
  const trace = await session.run(readLines(example));
  const { driver } = session.stores;
  const copy = "c".repeat(64);
  await driver.create(copy, ADD);
  await driver.applyDiff(copy, ADD, driver.diff(CODE, ADD));
  const again = await driver.get(copy);
  expect(again).toBe(`${AUFS}/mnt/${copy}`);
  expect((await session.underVfs()).map(({ path }) => path)).toEqual(trace.shown.map(({ path }) => path));
});

test("rule 5: the graph knows no image whose layer is not complete", async () => {
  const open = await stores();
  const broken = tar([{ name: "x", content: "y".repeat(600) }]).subarray(0, 700);
  await expect(addImage(open, json("1".repeat(64), ADD), streamOf(broken))).rejects.toThrow();
  expect(open.graph.ids().sort()).toEqual([ADD, BASE]);
});

test("the answers to Predict", SLOW, async () => {
  // 1: layers/c0de, and 2: where the write goes.
  const written = await run("get", "write /srv/index.html x");
  expect(written.layers[0]?.below).toEqual([ADD, BASE]);
  expect(written.steps[1]?.changes).toEqual(["+ srv/", "+ srv/index.html"]);
  // 3: deleting takes one file more, re-creating the directory takes an opaque mark.
  const again = await run("get", "rm /srv", "mkdir /srv");
  expect(again.steps[1]?.changes).toEqual(["+ .wh.srv"]);
  expect(again.steps[2]?.changes).toEqual(["- .wh.srv", "+ srv/", "+ srv/.wh..wh..opq"]);
  expect(again.shown.map(({ path }) => path)).not.toContain("srv/index.html");
  // 4: deleting what only the container has leaves nothing.
  const own = await run("get", "write /mine x", "rm /mine");
  expect(own.steps[2]?.changes).toEqual(["- mine"]);
  // 5: 124 layers.
  expect((await run("--depth", "124", "get")).end).toBe("");
  expect((await run("--depth", "125", "get")).end).toBe("Cannot create container with more than 127 parents");
});

test("ids that are no ids never become paths (CVE-2014-9358)", async () => {
  const { graph, host } = await stores();
  for (const id of ["../../../../etc", "../../etc", "", "a:b", "A".repeat(64)]) {
    await expect(graph.register(newImgJSON(json(id)), { layer: streamOf(tar([{ name: "x" }])) })).rejects.toThrow();
  }
  expect(await host.fs.readdir(`${ROOT}/graph`)).not.toContain("etc");
});

test("links in a layer lead nowhere outside it (CVE-2014-6407, CVE-2014-9356)", async () => {
  const open = await stores();
  await open.host.fs.writeFile("/victim", "as it was");
  const layer = tar([
    { name: "out", type: "symlink", link: "/" },
    { name: "out/victim", content: "changed" },
    { name: "up", type: "symlink", link: "../../../../../.." },
    { name: "up/victim", content: "changed" },
  ]);
  await addImage(open, json("1".repeat(64), ADD), streamOf(layer)).catch(() => undefined);
  expect(await open.host.fs.readFile("/victim", "utf8")).toBe("as it was");
});

test("what stands in the place of something else hides it, and the trace says so", async () => {
  const { hidden } = await run("get", "rm /srv", "write /srv a file now", "rm /bin/ls", "mkdir /bin/ls");
  expect(hidden.map(({ path, by }) => [path, by?.layer, by?.path])).toEqual([
    ["bin/ls", CODE, "bin/ls/"],
    ["srv/", CODE, "srv"],
    ["srv/index.html", CODE, "srv"],
    ["srv/style.css", CODE, "srv"],
    ["tmp/cache", ADD, "tmp/.wh.cache"],
  ]);
});

test("addContainer() refuses an image that leaves no room for a container", async () => {
  const open = await stores();
  await addContainer(open, CODE, ADD);
  expect(await open.driver.exists(CODE)).toBe(true);
});

test("the options of 1.2.0, cut at the end of a page, lose layers in some roots and are refused in others", async () => {
  // Layers that are seen of an image of 100, by a container with or without its -init layer.
  const seen = async (root: string, init: boolean): Promise<number | string> => {
    const image = Array.from({ length: 100 }, (_, n) => String(n).padStart(64, "0"));
    const path = (id: string) => `${root}/aufs/diff/${id}`;
    const below = [...(init ? [`${CODE}-init`] : []), ...image];
    const host = memoryHost({
      files: Object.fromEntries([
        ...image.map((id) => [`${path(id)}/${id}`, "x"]),
        ...[path(CODE), path(`${CODE}-init`), "/mnt"].map((dir) => [dir, null]),
      ]),
    });
    const branches = below.map((id) => `${path(id)}=ro+wh:`).join("");
    try {
      host.kernel.mount("none", "/mnt", "aufs", [], `br:${path(CODE)}=rw:${branches},xino=/dev/shm/aufs.xino`);
    } catch (cause) {
      return (cause as { code: string }).code;
    }
    return (await host.fs.readdir("/mnt")).length;
  };
  expect([await seen("/srv/dock", false), await seen("/docker", true)]).toEqual([44, 44]);
  for (const init of [false, true]) expect(await seen("/var/lib/docker", init)).toBe("EINVAL");
});

test("demo() plays the example, and shows what is on the disk after it", async () => {
  const { text, status } = await shown();
  expect(status).toBe(0);
  expect(text).toMatchInlineSnapshot(`
    "> get
        mount("none", "mnt/c0de…", "aufs", 0, "br:diff/c0de…=rw:diff/0add…=ro+wh:diff/ba5e…=ro+wh:,xino=/dev/shm/aufs.xino")
        returns mnt/c0de…
        + diff/c0de…/.wh..wh.*, aufs's own
        references: 1
    > write /etc/motd hello from the container
        + diff/c0de…/etc/
        + diff/c0de…/etc/motd
    > rm /bin/ls
        + diff/c0de…/bin/
        + diff/c0de…/bin/.wh.ls
    > rm /srv
        + diff/c0de…/.wh.srv
    > mkdir /srv
        - diff/c0de…/.wh.srv
        + diff/c0de…/srv/
        + diff/c0de…/srv/.wh..wh..opq
    > write /srv/index.html <h1>two</h1>
        + diff/c0de…/srv/index.html

    /var/lib/docker
      layer  graph/<id>/        aufs/layers/<id>  aufs/diff/<id>/
      c0de…  -                  0add… ba5e…       5 entries, 2 whiteouts
      0add…  json layersize=51  ba5e…             6 entries, 1 whiteout
      ba5e…  json layersize=84  (empty)           8 entries

    What mnt/c0de… shows, and whose it is
      bin/            c0de… ba5e…
      bin/sh          ba5e…
      etc/            c0de… 0add… ba5e…
      etc/motd        c0de…              covers 0add… ba5e…
      etc/passwd      ba5e…
      srv/            c0de…
      srv/index.html  c0de…              covers 0add…
      tmp/            0add… ba5e…

    What it hides, whose that is, and by what
      bin/ls         ba5e…  diff/c0de…/bin/.wh.ls
      srv/style.css  0add…  diff/c0de…/srv/.wh..wh..opq
      tmp/cache      ba5e…  diff/0add…/tmp/.wh.cache

    The archive of the layer: what commit keeps and push sends
      dir   0755  0   ./
      file  0444  0   .wh..wh.aufs
      dir   0700  0   .wh..wh.orph/
      dir   0700  0   .wh..wh.plnk/
      dir   0755  0   bin/
      link  0444  0   bin/.wh.ls → .wh..wh.aufs
      dir   0755  0   etc/
      file  0644  25  etc/motd
      dir   0755  0   srv/
      link  0444  0   srv/.wh..wh..opq → .wh..wh.aufs
      file  0644  13  srv/index.html

    Changes: C /bin, D /bin/ls, C /etc/motd, C /srv, C /srv/index.html, D /srv/style.css
    DiffSize: 38
    "
  `);
});

test("demo() tells what it cannot read, and what it can", async () => {
  expect((await shown("--help")).text).toMatch(/^npm run chapter 09 -- \[--depth N\]/);
  for (const [args, text] of [
    [["fly"], 'Cannot read "fly": no such call; there are get, put, image'],
    [["write", "/x"], 'Cannot read "write /x": write takes 2 words'],
    [["--depth", "131"], "Cannot read --depth 131: see --help"],
    [["chmod 9 /x"], "a mode is three or four octal digits"],
  ] as const) {
    const { text: said, status } = await shown(...args);
    expect([said, status]).toEqual([expect.stringContaining(text), 2]);
  }
});

test("demo() reads calls as words and as lines, and says what failed", async () => {
  expect(readLines(["get", "rm", "/bin/ls", "write /x a b", "put", CODE, "get"]).map(({ line }) => line)).toEqual([
    "get",
    "rm /bin/ls",
    "write /x a b",
    `put ${CODE}`,
    "get",
  ]);
  const { text, status } = await shown(
    "--show",
    "/bin/ls",
    "--vfs",
    "get",
    "rm",
    "/nothing",
    "rm",
    "/bin/ls",
    "image",
    "0",
  );
  expect(status).toBe(1);
  for (const part of [
    "lstat: ENOENT",
    "0add…, parent ba5e…, Size 51",
    "c0de… hides it with bin/.wh.ls",
    "under vfs: dir/c0de…\n  bin/  bin/sh",
  ])
    expect(text).toContain(part);
  expect((await shown("--depth", "125", "get")).text).toContain(
    "No container: Cannot create container with more than 127 parents",
  );
  expect((await shown("put", "write /x y")).text).toContain(
    "nothing is mounted: this met the directory mnt/c0de… itself",
  );
});

test("live.draw() shows of each path where the look stops, and every row can be chosen", SLOW, async () => {
  for (const language of ["en", "zh"] as const) {
    const html = await live.draw(live.example, language);
    for (const path of ["motd", "index.html", "style.css", "cache"]) expect(html).toContain(`>${path}</text>`);
    expect(html.match(/class="hot"/g)).toHaveLength(11);
    expect(html).toContain(language === "en" ? ">opaque</text>" : ">不透明</text>");
    expect(html).toContain("srv/.wh..wh..opq → .wh..wh.aufs");
  }
  const chosen = await live.draw(["--show", "/etc/motd", "get"], "en");
  expect(chosen).toContain("welcome to the app");
  const bare = await live.draw(["get", "put"], "en");
  expect(bare).toContain("Not mounted");
  expect(await live.draw(["--depth", "125", "get"], "en")).toContain("more than 127 parents");
  expect(await live.draw(["--depth", "60", "get"], "en")).toContain("+ 58");
  expect(await live.draw(["--vfs", "get"], "zh")).toContain("vfs");
  await expect(live.draw(["fly"], "en")).rejects.toThrow("no such call");
});

test("live: every preset draws, and controls rewrite the arguments", SLOW, async () => {
  for (const { args } of live.presets) expect(await live.draw(args, "en")).toContain("<svg");
  const control = (label: string) => live.controls.find((one) => one.label.en === label);
  const press = (label: string, args: readonly string[]) => {
    const found = control(label);
    return found?.kind === "button" ? found.press(args) : undefined;
  };
  expect(press("undo", ["get", "rm /bin/ls"])).toEqual(["get"]);
  expect(press("put", ["--show", "/bin/ls", "get"])).toEqual(["--show", "/bin/ls", "get", "put"]);
  const chosen = await live.draw(["--show", "/bin/ls", "get"], "en");
  expect(chosen).toContain(`data-args="${esc(JSON.stringify(["--show", "/bin/ls", "get", "rm /bin/ls"]))}"`);
  expect(await live.draw(["get"], "en")).toContain(`data-args="${esc(JSON.stringify(["get", "mv /etc /conf"]))}"`);
  const depth = control("layers of the image");
  expect(depth?.kind === "range" && depth.write(["get"], 60)).toEqual(["--depth", "60", "get"]);
  const calls = control("Calls");
  expect(calls?.kind === "text" && calls.write(["--vfs", "get"], "get; rm /x")).toEqual(["--vfs", "get", "rm /x"]);
  expect(imageIds(4)).toHaveLength(4);
});
