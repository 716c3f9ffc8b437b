import { expect, test } from "vitest";
import { tar } from "../../../../src/archive/archive.ts";
import { type MemoryHost, memoryHost } from "../../../../src/host/memory/memory.ts";
import { readAll } from "../../../../src/sync/io.ts";
import { layer, streamOf } from "../../../support/layers.ts";

const NOW = Date.UTC(2014, 7, 20, 20, 20, 14);

/** Two layers and a third, writable one, mounted on /mnt. */
function union(data = "br:/rw=rw:/two=ro+wh:/one=ro+wh:,xino=/dev/shm/aufs.xino"): MemoryHost {
  const host = memoryHost({
    files: {
      "/one/etc/motd": "one",
      "/one/etc/passwd": "root",
      "/one/bin/sh": "#!",
      "/two/etc/motd": "two",
      "/two/bin/.wh.sh": "",
      "/rw": null,
      "/mnt/below": "what was there before",
      "/elsewhere/file": "x",
    },
  });
  host.kernel.mount("none", "/mnt", "aufs", [], data);
  return host;
}

/** What the writable branch holds besides aufs's own. */
const written = ({ volume }: MemoryHost) =>
  Object.keys(volume.toJSON("/rw"))
    .filter((path) => !path.startsWith("/rw/.wh..wh.") || path.endsWith("opq"))
    .sort();

const code = (code: string) => expect.objectContaining({ code });

test("a union shows the topmost of each name, and of directories everything; unmounted, what was there before", async () => {
  const { fs, kernel } = union();
  expect(await fs.readdir("/mnt")).toEqual(["bin", "etc"]);
  expect(await fs.readdir("/mnt/etc")).toEqual(["motd", "passwd"]);
  expect(await fs.readdir("/mnt/bin")).toEqual([]);
  expect(await fs.readFile("/mnt/etc/motd", "utf8")).toBe("two");
  await expect(fs.stat("/mnt/bin/sh")).rejects.toMatchObject({
    code: "ENOENT",
    errno: -2,
    syscall: "stat",
    path: "/mnt/bin/sh",
    message: "ENOENT: no such file or directory, stat '/mnt/bin/sh'",
  });
  expect((await fs.stat("/mnt/etc")).dev).not.toBe((await fs.stat("/one/etc")).dev);
  expect((await fs.statfs("/mnt")).type).toBe(0x61756673);
  kernel.unmount("/mnt");
  expect(await fs.readFile("/mnt/below", "utf8")).toBe("what was there before");
});

test("a union writes to its first branch alone: copied up with owner, mode and time, deleted with a whiteout", async () => {
  const host = union();
  const { fs, volume } = host;
  const before = [volume.toJSON("/one"), volume.toJSON("/two")];
  await fs.chmod("/one/etc/passwd", 0o640);
  await fs.lchown("/one/etc/passwd", 5, 6);
  await fs.utimes("/one/etc/passwd", 1000, 1000);
  await fs.chmod("/mnt/etc/passwd", 0o600);
  const copied = await fs.stat("/rw/etc/passwd");
  expect([copied.mode & 0o777, copied.uid, copied.gid, copied.mtimeMs]).toEqual([0o600, 5, 6, 1_000_000]);
  await fs.unlink("/mnt/etc/motd");
  await fs.rm("/mnt/bin", { recursive: true });
  expect(written(host)).toEqual(["/rw/.wh.bin", "/rw/etc/.wh.motd", "/rw/etc/passwd"]);
  await fs.mkdir("/mnt/bin");
  await fs.writeFile("/mnt/bin/ls", "new");
  await fs.writeFile("/mnt/etc/motd", "three");
  expect(written(host)).toEqual(["/rw/bin/.wh..wh..opq", "/rw/bin/ls", "/rw/etc/motd", "/rw/etc/passwd"]);
  expect(await fs.readdir("/mnt/bin")).toEqual(["ls"]);
  expect((await fs.stat("/mnt/etc/motd")).mtimeMs).toBe(NOW);
  expect([volume.toJSON("/one"), volume.toJSON("/two")]).toEqual(before);
});

test("a union keeps its own names to itself, and its whiteouts are links of one file", async () => {
  const { fs } = union();
  await expect(fs.writeFile("/mnt/.wh.x", "")).rejects.toEqual(code("EPERM"));
  await expect(fs.stat("/mnt/.wh..wh.aufs")).rejects.toEqual(code("ENOENT"));
  await fs.unlink("/mnt/etc/motd");
  const [whiteout, base] = [await fs.stat("/rw/etc/.wh.motd"), await fs.stat("/rw/.wh..wh.aufs")];
  expect([whiteout.ino, base.nlink, base.mode & 0o777]).toEqual([base.ino, 2, 0o444]);
  expect((await fs.readdir("/rw")).sort()).toEqual([".wh..wh.aufs", ".wh..wh.orph", ".wh..wh.plnk", "etc"]);
});

test("whiteouts of a read-only branch count only when it was mounted with them", async () => {
  const { fs } = union("br:/rw=rw:/two=ro:/one=ro");
  expect(await fs.readdir("/mnt/bin")).toEqual(["sh"]);
});

test("rename() in a union copies files up, and refuses directories that are not all in the writable branch", async () => {
  const host = union();
  const { fs } = host;
  await fs.rename("/mnt/etc/passwd", "/mnt/passwd");
  await expect(fs.rename("/mnt/etc", "/mnt/etc2")).rejects.toEqual(code("EXDEV"));
  await fs.mkdir("/mnt/new");
  await fs.rename("/mnt/new", "/mnt/newer");
  await expect(fs.rename("/mnt/newer", "/mnt/etc")).rejects.toEqual(code("ENOTEMPTY"));
  await expect(fs.rename("/mnt/newer", "/mnt/passwd")).rejects.toEqual(code("ENOTDIR"));
  await expect(fs.rename("/mnt/passwd", "/mnt/newer")).rejects.toEqual(code("EISDIR"));
  await expect(fs.rename("/mnt/newer", "/mnt/newer/x")).rejects.toEqual(code("EINVAL"));
  expect(written(host)).toEqual(["/rw/etc/.wh.passwd", "/rw/newer", "/rw/passwd"]);
  await fs.rm("/mnt/bin", { recursive: true });
  await fs.rename("/mnt/newer", "/mnt/bin");
  expect(await fs.readdir("/mnt/bin")).toEqual([]);
});

test("mount points are borders: EXDEV across, EBUSY upon, EBUSY when in use", async () => {
  const { fs, kernel } = union();
  await expect(fs.rename("/mnt/etc/motd", "/elsewhere/motd")).rejects.toEqual(code("EXDEV"));
  await expect(fs.link("/elsewhere/file", "/mnt/file")).rejects.toEqual(code("EXDEV"));
  await expect(fs.rename("/mnt", "/mnt2")).rejects.toEqual(code("EBUSY"));
  await expect(fs.rm("/mnt", { recursive: true })).rejects.toEqual(code("EBUSY"));
  const file = await fs.open("/mnt/new", "wx", 0o600);
  expect(() => kernel.unmount("/mnt")).toThrow(code("EBUSY"));
  await file.writeFile("hello");
  await file.sync();
  expect((await file.stat()).size).toBe(5);
  await file.close();
  expect(await fs.readFile("/rw/new", "utf8")).toBe("hello");
  expect((await fs.stat("/rw/new")).mtimeMs).toBe(NOW);
  kernel.unmount("/mnt");
});

test("mounts nest, links lead into them and out of them, and a bind mount can be read-only", async () => {
  const { fs, kernel } = union();
  await fs.symlink("/mnt/etc", "/link");
  await fs.symlink("../../elsewhere/file", "/mnt/etc/out");
  expect(await fs.readFile("/link/out", "utf8")).toBe("x");
  expect(await fs.realpath("/link/out")).toBe("/elsewhere/file");
  expect(await fs.readlink("/link/out")).toBe("../../elsewhere/file");
  await fs.mkdir("/mnt/data");
  kernel.mount("/elsewhere", "/mnt/data", "", ["bind"]);
  kernel.mount("", "/mnt/data", "", ["remount", "bind", "ro"]);
  expect(await fs.readFile("/mnt/data/file", "utf8")).toBe("x");
  await expect(fs.writeFile("/mnt/data/file", "y")).rejects.toEqual(code("EROFS"));
  await expect(fs.mkdir("/mnt/data/dir")).rejects.toEqual(code("EROFS"));
  kernel.mount("/mnt/etc", "/elsewhere", "", ["bind"]);
  expect(await fs.readFile("/elsewhere/motd", "utf8")).toBe("two");
  await fs.writeFile("/elsewhere/motd", "through the bind");
  expect(await fs.readFile("/rw/etc/motd", "utf8")).toBe("through the bind");
  expect(() => kernel.unmount("/mnt")).toThrow(code("EBUSY"));
  kernel.unmount("/elsewhere");
  kernel.unmount("/mnt", { detach: true });
  expect(kernel.mounts().map(({ mountpoint }) => mountpoint)).toEqual(["/"]);
  expect(await fs.readdir("/mnt")).toEqual(["below"]);
});

test("open() in a union copies up when it is to write, makes what is to be made, and follows links", async () => {
  const { fs } = union();
  const [O_NOFOLLOW, O_DIRECTORY] = [0o400000, 0o200000];
  const reader = await fs.open("/mnt/etc/motd");
  await fs.appendFile("/mnt/etc/motd", " more");
  expect((await reader.readFile("utf8")) as string).toBe("two"); // as it was
  await reader.close();
  expect(await fs.readFile("/mnt/etc/motd", "utf8")).toBe("two more");
  await fs.symlink("made", "/mnt/etc/to");
  await expect(fs.open("/mnt/etc/to", O_NOFOLLOW)).rejects.toEqual(code("ELOOP"));
  await expect(fs.open("/mnt/etc/to", "wx")).rejects.toEqual(code("EEXIST"));
  await expect(fs.open("/mnt/etc/to", "r")).rejects.toEqual(code("ENOENT"));
  await fs.writeFile("/mnt/etc/to", "through a link");
  expect(await fs.readFile("/rw/etc/made", "utf8")).toBe("through a link");
  await expect(fs.open("/mnt/etc", "w")).rejects.toEqual(code("EISDIR"));
  await expect(fs.open("/mnt/etc/motd", O_DIRECTORY)).rejects.toEqual(code("ENOTDIR"));
  await expect(fs.readFile("/mnt/etc")).rejects.toEqual(code("EISDIR"));
  await (await fs.open("/mnt/etc", "r")).close();
  await fs.copyFile("/elsewhere/file", "/mnt/etc/copy");
  await fs.truncate("/mnt/etc/motd", 3);
  expect([await fs.readFile("/rw/etc/copy", "utf8"), await fs.readFile("/mnt/etc/motd", "utf8")]).toEqual(["x", "two"]);
});

test("readdir(), mkdir() and mkdtemp() in a union answer as Node's", async () => {
  const { fs } = union();
  await fs.symlink("motd", "/mnt/etc/link");
  const entries = await fs.readdir("/mnt/etc", { withFileTypes: true });
  expect(entries.map((entry) => [entry.name, entry.isFile(), entry.isSymbolicLink(), entry.parentPath])).toEqual([
    ["link", false, true, "/mnt/etc"],
    ["motd", true, false, "/mnt/etc"],
    ["passwd", true, false, "/mnt/etc"],
  ]);
  await fs.mkdir("/mnt/ü");
  expect(await fs.readdir("/mnt", "latin1" as BufferEncoding)).toContain("Ã¼");
  expect(await fs.mkdir("/mnt/etc/a/b", { recursive: true, mode: 0o777 })).toBe("/mnt/etc/a");
  expect(await fs.mkdir("/mnt/etc/a/b", { recursive: true })).toBeUndefined();
  expect((await fs.stat("/rw/etc/a/b")).mode & 0o777).toBe(0o755);
  await expect(fs.mkdir("/mnt/etc/motd", { recursive: true })).rejects.toEqual(code("EEXIST"));
  await expect(fs.mkdir("/mnt/etc/motd/x")).rejects.toEqual(code("ENOTDIR"));
  expect((await fs.stat(await fs.mkdtemp("/mnt/tmp-"))).mode & 0o777).toBe(0o700);
  await expect(fs.rmdir("/mnt/etc")).rejects.toEqual(code("ENOTEMPTY"));
  await expect(fs.unlink("/mnt/etc")).rejects.toEqual(code("EISDIR"));
  await expect(fs.rm("/mnt/nothing")).rejects.toEqual(code("ENOENT"));
  await fs.rm("/mnt/nothing", { force: true });
});

test("mount(2) cuts the options of aufs at the end of a page, refuses what is no branch, and appends one", async () => {
  const long = (n: number) => `/one/${String(n).padStart(92, "0")}`;
  const ro = Array.from({ length: 45 }, (_, n) => long(n));
  const host = memoryHost({ files: Object.fromEntries(["/mnt", "/rw", ...ro].map((dir) => [dir, null])) });
  const mount = (data: string, flags: "remount"[] = []) => host.kernel.mount("none", "/mnt", "aufs", flags, data);
  const branches = (n: number) => ro.slice(0, n).map((path) => `:${path}=ro+wh`);
  expect(() => mount(`br:/rw=rw${branches(45).join("")}`)).toThrow(); // a name or a word in two
  expect(() => mount("br:/rw=rw:/nothing=ro")).toThrow(code("ENOENT"));
  expect(() => mount("br:/rw=wr")).toThrow(code("EINVAL"));
  expect(() => mount("xino=/x")).toThrow(code("EINVAL"));
  mount(`br:/rw=rw${branches(39).join("")}`);
  for (const path of ro.slice(39)) mount(`append:${path}=ro+wh`, ["remount"]);
  await host.fs.writeFile(`${long(44)}/last`, "found");
  expect(await host.fs.readFile("/mnt/last", "utf8")).toBe("found");
  expect(host.kernel.mounts().at(-1)?.superOptions).toContain(`:${long(44)}=ro+wh`);
  expect(() => mount(`append:${long(44)}=ro+wh`, ["remount"])).toThrow(code("EINVAL"));
  expect(() => host.kernel.mount("none", "/nowhere", "aufs", [], "br:/rw=rw")).toThrow(code("ENOENT"));
});

test("a union takes 127 branches and no more", async () => {
  const dirs = Array.from({ length: 128 }, (_, n) => `/l/${n}`);
  const { kernel } = memoryHost({ files: Object.fromEntries(["/mnt", ...dirs].map((dir) => [dir, null])) });
  kernel.mount("none", "/mnt", "aufs", [], "br:/l/0=rw");
  const append = (dir: string) => kernel.mount("none", "/mnt", "aufs", ["remount"], `append:${dir}=ro+wh`);
  for (const dir of dirs.slice(1, 127)) append(dir);
  expect(() => append("/l/127")).toThrow(code("EINVAL"));
});

test("layers are unpacked into a union, and archived from one", async () => {
  const host = union();
  const job = { root: "/mnt/etc", whiteouts: "keep", chown: true, compression: "none" } as const;
  const entries = [{ name: "d/" }, { name: "d/f", content: "new" }, { name: "passwd", content: "changed" }];
  await host.pool.unpack(job, streamOf(layer(...entries)));
  expect(written(host)).toEqual(["/rw/etc/d/f", "/rw/etc/passwd"]);
  const archive = await readAll(tar(host, "/mnt"));
  for (const text of ["etc/motd", "etc/d/f", "changed"]) expect(archive.includes(text)).toBe(true);
  expect(archive.includes(".wh.")).toBe(false);
  host.kernel.unmount("/mnt");
});
