import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { subject } from "../../lib/exercise.ts";

const { remains, unluckyRoot } = await subject<typeof import("./3-page.solution.ts")>(import.meta.url);

const id = (n: number) => String(n).padStart(64, "0");

/** Sends 1.2.0's options to a kernel that cuts them. @returns how many layers of the image can be seen, if it mounts */
async function seen(root: string, layers: number): Promise<number | undefined> {
  const ids = Array.from({ length: layers + 1 }, (_, n) => id(n));
  const diff = (n: string) => `${root}/aufs/diff/${n}`;
  const host = memoryHost({
    files: Object.fromEntries([
      ...ids.slice(1).map((n) => [`${diff(n)}/${n}`, "x"]),
      [diff(id(0)), null],
      ["/mnt", null],
    ]),
  });
  const branches = ids.slice(1).map((n) => `${diff(n)}=ro+wh:`);
  try {
    host.kernel.mount("none", "/mnt", "aufs", [], `br:${diff(id(0))}=rw:${branches.join("")},xino=/dev/shm/aufs.xino`);
  } catch {
    return undefined;
  }
  return (await host.fs.readdir("/mnt")).length;
}

test("exercise 3: what remains of the options", () => {
  expect(remains("/var/lib/docker", 40)).toEqual({ named: 40, cut: "" });
  // This directory is there; only that it holds all the other branches makes the kernel refuse it.
  expect(remains("/var/lib/docker", 60)).toEqual({ named: 41, cut: "/var/lib/docker/aufs/" });
  // And this one, too.
  expect(remains("/docker", 60)).toEqual({ named: 45, cut: "/" });
});

test("exercise 3: in the unlucky root layers are missing, and the kernel does not say so", async () => {
  expect(await seen("/var/lib/docker", 100)).toBeUndefined();
  expect(await seen("/var/lib/docker", 40)).toBe(40);
  const root = unluckyRoot();
  const left = await seen(root, 100);
  expect(left).toBeLessThan(100);
  expect(left).toBe(remains(root, 100).named);
});
