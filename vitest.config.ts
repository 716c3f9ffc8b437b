import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** On a shared machine a second look tells a fault from a pause; a developer sees the first at once. */
export const secondLook = process.env["CI"] === undefined ? 0 : 1;

/** One less than there are cores is the default: of two it would be one. */
const maxWorkers = availableParallelism();

/** After what needs the processor. */
const BESIDE = { maxWorkers: 2, sequence: { groupOrder: 1 } };

/** One named project per suite, and one per chapter folder that has tests: `vitest --project unit`. */
const suites = ["unit", "conformance", "golden", "e2e"].map((name) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: name === "unit" ? [] : ["test/support/global-setup.ts"],
    testTimeout: name === "e2e" || name === "golden" ? 120_000 : 20_000,
    hookTimeout: 120_000,
    // Recorded answers tell times; suites that only wait for their daemons, each in its own network, go two at a time.
    ...(name === "golden" ? { fileParallelism: false } : name === "e2e" ? BESIDE : {}),
    pool: "forks" as const,
    // Real processes: the same everywhere.
    retry: name === "unit" || name === "conformance" ? secondLook : 1,
  },
}));

const chapters = readdirSync("chapters", { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(`chapters/${entry.name}/chapter.test.ts`))
  .map(({ name }) => ({
    test: {
      name,
      include: [`chapters/${name}/**/*.test.ts`],
      exclude: [`chapters/${name}/vm.test.ts`],
      // Whole daemons boot in some of them, and the machine may have other things to do.
      testTimeout: 20_000,
      retry: secondLook,
    },
  }));

/** That each exercise is still to be done: starts a runner of its own for all of them. */
const exercises = { test: { name: "exercises", include: ["test/exercises/**/*.test.ts"], retry: secondLook } };

/** What the chapters claim, on the real kernel: root on Linux, one file at a time. */
const vm = {
  test: {
    name: "vm",
    include: ["chapters/*/vm.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    pool: "forks" as const,
    retry: 1,
  },
};

/** The pages of the book, in a real browser. */
const site = {
  test: {
    name: "site",
    include: ["test/site/**/*.test.ts"],
    globalSetup: ["test/site/build.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    pool: "forks" as const,
    retry: 1,
  },
};

export default defineConfig({ test: { maxWorkers, projects: [...suites, ...chapters, exercises, vm, site] } });
