/**
 * What every storage driver promises, to whoever is not root: the suite of `graph-driver.test.ts` once more as nobody.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const repository = join(import.meta.dirname, "../..");
const suite = join(import.meta.dirname, "graph-driver.test.ts");
const NOBODY = 65534;
const asNobody = ["--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups"];

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "root, to become somebody else: the suite itself runs without root then";
  if (
    spawnSync("setpriv", [...asNobody, process.execPath, "-e", `fs.accessSync(${JSON.stringify(suite)})`]).status !== 0
  )
    return "a checkout and a Node.js that everybody may read";
  return undefined;
}

interface Report {
  readonly testResults: {
    readonly message: string;
    readonly assertionResults: {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: string[];
    }[];
  }[];
}

function runSuite(): { output: string; report: Report } {
  const dir = mkdtempSync(join(tmpdir(), "as-nobody-"));
  try {
    chownSync(dir, NOBODY, NOBODY);
    const [config, results] = [join(dir, "vitest.config.mjs"), join(dir, "report.json")];
    const settings = {
      root: repository,
      cacheDir: join(dir, "cache"),
      test: { include: [suite], testTimeout: 20_000 },
    };
    writeFileSync(config, `export default ${JSON.stringify(settings)};\n`);
    const vitest = join(repository, "node_modules/vitest/vitest.mjs");
    const args = [...asNobody, process.execPath, vitest, "run", "--config", config];
    const { stdout, stderr } = spawnSync("setpriv", [...args, "--reporter=json", `--outputFile=${results}`], {
      cwd: repository,
      encoding: "utf8",
      timeout: 110_000,
      env: { PATH: process.env["PATH"], HOME: dir, TMPDIR: dir },
    });
    const output = `${stdout}${stderr}`;
    try {
      return { output, report: JSON.parse(readFileSync(results, "utf8")) };
    } catch {
      return { output, report: { testResults: [] } };
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const lacks = missing();

if (lacks !== undefined) {
  console.log(`skipped: storage drivers as nobody: this machine lacks ${lacks}`);
  test.skip("the suite as nobody", () => {});
} else {
  const { output, report } = runSuite();
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);

  test("the suite runs to its end", () => {
    expect(tests.length, output).toBeGreaterThan(20);
    expect(report.testResults.map(({ message }) => message)).toEqual([""]);
  });

  for (const { title, status, failureMessages } of tests) {
    if (status === "pending" || status === "skipped") continue; // needs root, as the suite says
    test(title, () => expect(status, failureMessages.join("\n")).toBe("passed"));
  }
}
