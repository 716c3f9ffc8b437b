/**
 * Directories of tests that go with them.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished, TestRunner } from "vitest";

/**
 * Makes a directory that is removed with all in it when the test that asks is over. Asked for at the top of a file
 * or a block it goes with the last test of it; `beforeAll()` comes too late for that.
 *
 * @param prefix - how its name begins: `"layer-"`
 */
export function temporaryDirectory(prefix: string): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  if (TestRunner.getCurrentTest() === undefined) afterAll(remove);
  else onTestFinished(remove);
  return directory;
}
