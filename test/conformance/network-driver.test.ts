/**
 * What every network driver promises, on the real kernel.
 *
 * The promises are in `network-driver.child.ts`, which runs as a process in namespaces of its own: no bridge, no rule
 * and no setting of this machine is touched. Each of its tests is reported here.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

/** What is missing for the suite, if anything. */
function missing(): string | undefined {
  if (process.platform !== "linux") return "Linux";
  if (process.getuid?.() !== 0) return "root";
  if (spawnSync("unshare", ["--net", "--mount", "true"]).status !== 0) return "the right to make namespaces";
  if (spawnSync("iptables", ["--version"]).status !== 0) return "iptables";
  return undefined;
}

const lacks = missing();

if (lacks !== undefined) {
  console.warn(`The network driver is not tested on this machine: it lacks ${lacks}`);
  test("the network driver is tested where there are root and iptables", () => {
    expect(lacks).toMatch(/^(Linux|root|the right to make namespaces|iptables)$/);
  });
} else {
  const script = join(import.meta.dirname, "network-driver.child.ts");
  const node = [process.execPath, "--import", "tsx", "--test-reporter=tap", "--test-force-exit", script];
  const { stdout, stderr } = spawnSync("unshare", ["--net", "--mount", ...node], {
    encoding: "utf8",
    timeout: 120_000,
    env: { PATH: process.env["PATH"] },
  });
  const results = [...stdout.matchAll(/^(not )?ok \d+ - (.*)$/gm)];

  test("the suite runs to its end", () => {
    expect(`${stdout}${stderr}`).toMatch(/^# fail 0$/m);
    expect(results.length).toBeGreaterThan(10);
  });

  for (const [, failed, name = ""] of results) {
    test(name, () => expect(failed, stdout).toBeUndefined());
  }
}
