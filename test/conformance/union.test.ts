/**
 * The union mount of the memory host beside a real one: the same calls have the same ends, show the same tree and leave
 * the same layer.
 *
 * fuse-overlayfs writes more than it needs: every new directory is opaque, and what is renamed over keeps marks that
 * hide nothing. Marks without anything below to hide are left out on both sides; so is aufs's own bookkeeping, and how a
 * mark looks as a file.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { missingFuse } from "../../src/daemon/graphdriver/aufs/fuse-overlayfs.ts";
import type { GraphDriver } from "../../src/daemon/graphdriver/driver.ts";
import { newGraphDriver } from "../../src/daemon/graphdriver/graphdriver.ts";
import type { FileSystem, Host } from "../../src/host/host.ts";
import { linuxHost } from "../../src/host/linux/host.ts";
import { memoryHost } from "../../src/host/memory/memory.ts";
import { Logger } from "../../src/pkg/log/log.ts";

const linux = linuxHost();
const missing = process.getuid?.() === 0 ? await missingFuse(linux) : "mounting needs root";
if (missing !== undefined) console.log(`skipped: union mounts: ${missing}`);
const vm = test.runIf(missing === undefined);

const base = mkdtempSync(join(tmpdir(), "union-"));
const id = (n: number) => String(n).padStart(64, "0");
let serial = 0;

afterAll(async () => {
  await linux.pool.close();
  rmSync(base, { recursive: true, force: true });
});

/** A layer of the aufs driver on two others, mounted. */
interface Stack {
  readonly fs: FileSystem;
  readonly driver: GraphDriver;
  readonly mount: string;
  readonly diff: (n: number) => string;
}

async function stack(host: Host, root: string, opaque: boolean): Promise<Stack> {
  const { fs } = host;
  const quiet = new Logger({ ...host, stdout: memoryHost().stdout, stderr: memoryHost().stderr });
  const driver = await newGraphDriver(root, { name: "aufs", env: {} }, host, quiet);
  const diff = (n: number) => join(root, "aufs/diff", id(n));
  await driver.create(id(1));
  for (const dir of ["a", "a/b", "c", "d"]) await fs.mkdir(join(diff(1), dir), { mode: 0o755 });
  for (const file of ["f", "a/f", "a/b/f", "c/f", "c/g"])
    await fs.writeFile(join(diff(1), file), `1 ${file}`, { mode: 0o644 });
  await fs.symlink("a/f", join(diff(1), "link"));
  await driver.create(id(2), id(1));
  await fs.mkdir(join(diff(2), "c"), { mode: 0o755 });
  for (const file of [...(opaque ? ["c/.wh..wh..opq"] : []), "c/h", "g", ".wh.d"])
    await fs.writeFile(join(diff(2), file), `2 ${file}`, { mode: 0o644 });
  await driver.create(id(3), id(2));
  return { fs, driver, mount: await driver.get(id(3)), diff };
}

const memory = (opaque: boolean) =>
  stack(memoryHost({ files: { "/proc/filesystems": "aufs\n" }, exec: { auplink: {} } }), "/docker", opaque);
const real = (opaque: boolean) => stack(linux, join(base, String(serial++)), opaque);

/** Everything below a directory: path → kind, mode and content. */
async function tree(fs: FileSystem, dir: string, at = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await fs.readdir(join(dir, at))).sort()) {
    const path = at === "" ? name : `${at}/${name}`;
    const info = await fs.lstat(join(dir, path));
    const mode = (info.mode & 0o7777).toString(8);
    if (info.isDirectory()) Object.assign(found, { [`${path}/`]: mode }, await tree(fs, dir, path));
    else if (info.isSymbolicLink()) found[path] = `→ ${await fs.readlink(join(dir, path))}`;
    else found[path] = `${mode} ${await fs.readFile(join(dir, path), "utf8")}`;
  }
  return found;
}

/** What a layer holds, without marks that hide nothing of the layers below. */
async function layer({ fs, driver, mount, diff }: Stack): Promise<Record<string, string>> {
  const found = await tree(fs, diff(3));
  await driver.put(id(3));
  await driver.create(id(4), id(2));
  const lower = await tree(fs, await driver.get(id(4)));
  await driver.put(id(4));
  await driver.remove(id(4));
  await driver.get(id(3));
  expect(mount).toMatch(/mnt/);
  for (const path of Object.keys(found)) {
    const hidden = path.endsWith(".wh..wh..opq")
      ? path.slice(0, -".wh..wh..opq".length)
      : path.replace(/\.wh\.([^/]+)$/, "$1");
    if (path.startsWith(".wh..wh.")) delete found[path];
    else if (hidden !== path && !(hidden in lower) && !(`${hidden}/` in lower)) delete found[path];
    else if (hidden !== path) found[path] = "hides";
  }
  return found;
}

type Call = readonly [
  name: "write" | "append" | "mkdir" | "rm" | "rmdir" | "unlink" | "rename" | "chmod" | "link" | "symlink" | "truncate",
  path: string,
  other: string,
];

async function run({ fs, mount }: Stack, [name, path, other]: Call): Promise<string> {
  const [a, b] = [join(mount, path), join(mount, other)];
  try {
    if (name === "write") await fs.writeFile(a, other);
    else if (name === "append") await fs.appendFile(a, other);
    else if (name === "mkdir") await fs.mkdir(a, { mode: 0o755 });
    else if (name === "rm") await fs.rm(a, { recursive: true });
    else if (name === "rename") await fs.rename(a, b);
    else if (name === "chmod") await fs.chmod(a, 0o700);
    else if (name === "link") await fs.link(a, b);
    else if (name === "symlink") await fs.symlink(other, a);
    else if (name === "truncate") await fs.truncate(a, 3);
    else await fs[name](a);
    return "done";
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? String(cause);
    // A directory of the layers below on one that is not empty: aufs complains of the second first.
    return name === "rename" && code === "ENOTEMPTY"
      ? "EXDEV or ENOTEMPTY"
      : code.replace(/^EXDEV$/, "EXDEV or ENOTEMPTY");
  }
}

async function compare(calls: readonly Call[], opaque = false): Promise<void> {
  const [model, kernel] = [await memory(opaque), await real(opaque)];
  try {
    for (const call of calls) {
      const told = `${call.join(" ")}: `;
      expect(told + (await run(model, call))).toBe(told + (await run(kernel, call)));
    }
    expect(await tree(model.fs, model.mount)).toEqual(await tree(kernel.fs, kernel.mount));
    expect(await layer(model)).toEqual(await layer(kernel));
  } finally {
    await kernel.driver.cleanup();
    await model.driver.cleanup();
  }
}

vm("a union in memory and a real one agree on every kind of change", async () => {
  const calls: Call[] = [
    ["write", "f", "new"],
    ["append", "a/f", " more"],
    ["chmod", "a/b", ""],
    ["unlink", "a/b/f", ""],
    ["rmdir", "a/b", ""],
    ["mkdir", "a/b", ""],
    ["write", "a/b/again", "new"],
    ["rm", "c", ""],
    ["write", "c", "a file now"],
    ["mkdir", "d", ""],
    ["rename", "g", "d/g"],
    ["rename", "a", "moved"],
    ["rename", "d", "e"],
    ["link", "f", "e/f"],
    ["symlink", "e/s", "../f"],
    ["write", "e/s", "through the link"],
    ["truncate", "link", ""],
    ["rmdir", "e", ""],
    ["unlink", "a", ""],
    ["write", "nowhere/x", ""],
    ["mkdir", "f", ""],
  ];
  // With an opaque directory in a layer below: only here, since fuse-overlayfs (1.10) forgets that one when something is
  // moved out of it.
  await compare(calls, true);
});

vm("a union in memory and a real one agree on calls in any order", { timeout: 120_000 }, async () => {
  const path = fc.constantFrom("f", "g", "a", "a/f", "a/b", "a/b/f", "c", "c/f", "c/h", "d", "d/x", "e", "e/f", "link");
  const name = fc.constantFrom<Call[0]>(
    ...(["write", "append", "mkdir", "mkdir", "rm", "rmdir", "unlink", "unlink"] as const),
    ...(["rename", "rename", "rename", "chmod", "link", "symlink", "truncate"] as const),
  );
  const calls = fc.array(fc.tuple(name, path, path), { minLength: 5, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(calls, (some) => compare(some)),
    { numRuns: 60, seed: 20140820 },
  );
});
