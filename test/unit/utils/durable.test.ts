import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { removeUnfinished, replaceFile, writeSynced } from "../../../src/utils/durable.ts";
import { generateRandomID, truncateID, validateID } from "../../../src/utils/utils.ts";

test("replaceFile() syncs the new content before the rename and the directory after it", async () => {
  const { fs, volume } = memoryHost({ files: { "/d/f": "old" } });
  const calls: string[] = [];
  const { open, rename } = fs;
  const spied = {
    ...fs,
    open: async (...args: Parameters<typeof open>) => {
      const handle = await open(...args);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        calls.push(`sync ${String(args[0]).replace(/tmp-\d+/, "tmp")}`);
        await sync();
      };
      return handle;
    },
    rename: async (...args: Parameters<typeof rename>) => {
      calls.push("rename");
      await rename(...args);
    },
  } as typeof fs;
  await replaceFile(spied, "/d/f", "new");
  expect(calls).toEqual(["sync /d/f.tmp", "rename", "sync /d"]);
  expect(volume.toJSON()).toEqual({ "/d/f": "new" });
});

test("replaceFile() leaves the old file and nothing beside it when the disk is full", async () => {
  const { fs, volume } = memoryHost({ files: { "/d/f": "old" } });
  const full = { ...fs, rename: () => Promise.reject(new Error("ENOSPC")) } as typeof fs;
  await expect(replaceFile(full, "/d/f", "new")).rejects.toThrow("ENOSPC");
  expect(volume.toJSON()).toEqual({ "/d/f": "old" });
});

test("writeSynced() overwrites nothing", async () => {
  const { fs } = memoryHost({ files: { "/d/f": "old" } });
  await expect(writeSynced(fs, "/d/f", "new")).rejects.toMatchObject({ code: "EEXIST" });
});

// origin: utils/utils_test.go
test("generateRandomID() makes ids that are no number to a host", () => {
  const numbers = Buffer.from("1".repeat(64), "hex");
  const letters = Buffer.from("ab".repeat(32), "hex");
  const drawn = [numbers, letters];
  const id = generateRandomID({ bytes: () => drawn.shift() as Buffer });
  expect([id, truncateID(id)]).toEqual(["ab".repeat(32), "abababababab"]);
  expect(() => validateID(id)).not.toThrow();
  expect(() => validateID("")).toThrow("Id can't be empty");
  expect(() => validateID("a:b")).toThrow("Invalid character in id: ':'");
  for (const bad of ["..", `../${id}`, id.toUpperCase(), `${id}\n`])
    expect(() => validateID(bad)).toThrow("Invalid id");
});

test("removeUnfinished() removes what a crash left of replaceFile(), and nothing else", async () => {
  const { fs, volume } = memoryHost({
    files: { "/d/f": "1", "/d/f.tmp-3": "2", "/d/f.tmp-41": "3", "/d/ff.tmp-1": "4" },
  });
  await removeUnfinished(fs, "/d/f");
  expect(volume.toJSON()).toEqual({ "/d/f": "1", "/d/ff.tmp-1": "4" });
});
