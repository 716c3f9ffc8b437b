import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { generate } from "../../../src/archive/wrap.ts";
import { readAll } from "../../../src/sync/io.ts";

// origin: archive/wrap_test.go TestGenerateEmptyFile, TestGenerateWithContent
test("generate() makes an archive that tar reads", async () => {
  const archive = await readAll(
    generate([
      ["Dockerfile", "FROM busybox\n"],
      ["empty", ""],
      ["ä", Buffer.from([0, 255])],
    ]),
  );
  const tar = (...args: string[]) => spawnSync("tar", args, { input: archive });
  expect(tar("-t", "--quoting-style=literal").stdout.toString()).toBe("Dockerfile\nempty\nä\n");
  expect(tar("-xO", "Dockerfile").stdout.toString()).toBe("FROM busybox\n");
  expect([...tar("-xO", "ä").stdout]).toEqual([0, 255]);
});
