/**
 * The house rules as a test: which package may import which, no cycles, and Node's own modules only in `host/`.
 */

import { cruise, type ICruiseResult } from "dependency-cruiser";
import { expect, test } from "vitest";
import goImports from "../../book/data/go-imports.json" with { type: "json" };
import { GO_STANDARD_LIBRARY, OURS } from "../../book/data/our-packages.ts";

const ALLOWED_BUILTINS = new Set(["path/posix", "events", "stream", "buffer"]);
// Floors below every package, and files that are nothing but types or shared helpers.
const GROUND = new Set(["host", "errdefs", "sync"]);
const go: Record<string, string[]> = goImports.packages;
const isGround = (name: string) => GROUND.has(name.split("/")[0] ?? "") || GO_STANDARD_LIBRARY.includes(name);

const result = (
  await cruise(["src"], {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js"] },
  })
).output as ICruiseResult;

const modules = result.modules.filter((module) => module.source.startsWith("src/"));

/** The package a file belongs to: its Go folder, or the folder itself when it is ours. */
function packageOf(source: string): string {
  let folder = source.replace(/^src\//, "").replace(/\/?[^/]+$/, "");
  const known = (name: string) => name in go || name in OURS || isGround(name);
  // A long Go file becomes a folder of its own: it belongs to the package above it.
  while (folder !== "" && !known(folder)) folder = folder.replace(/\/?[^/]+$/, "");
  return folder;
}

test("packages import only what Docker's own packages import, or what is listed as ours with a reason", () => {
  const faults = new Set<string>();
  for (const module of modules) {
    const from = packageOf(module.source);
    for (const dependency of module.dependencies) {
      if (!dependency.resolved.startsWith("src/")) continue;
      const to = packageOf(dependency.resolved);
      if (from === to || isGround(to)) continue;
      const allowed = [...(go[from] ?? []), ...(OURS[from]?.imports ?? [])];
      if (!allowed.includes(to)) faults.add(`${from} imports ${to} (${module.source} → ${dependency.resolved})`);
    }
  }
  expect([...faults].sort()).toEqual([]);
});

test("no import goes in a circle, types left aside", () => {
  const circular = modules.flatMap((module) =>
    module.dependencies
      .filter((dependency) => dependency.circular && !dependency.dependencyTypes.includes("type-only"))
      // A circle that is closed by a type does not exist at run time.
      .filter(({ cycle }) => !cycle?.some((step) => step.dependencyTypes.includes("type-only")))
      .map((dependency) => `${module.source} → ${dependency.resolved}`),
  );
  expect(circular).toEqual([]);
});

test("Node's modules are imported in host/ only, but for four harmless ones; types are free", () => {
  const faults = modules
    .filter((module) => !module.source.startsWith("src/host/"))
    .flatMap((module) =>
      module.dependencies
        .filter((d) => d.dependencyTypes.includes("core") && !d.dependencyTypes.includes("type-only"))
        .filter((d) => !ALLOWED_BUILTINS.has(d.module.replace(/^node:/, "")))
        .map((d) => `${module.source} imports ${d.module}`),
    );
  expect(faults).toEqual([]);
});

test("the API server never imports the daemon, and src/ knows neither chapters nor book", () => {
  const faults = modules.flatMap((module) =>
    module.dependencies
      .map((dependency) => dependency.resolved)
      .filter(
        (to) =>
          (module.source.startsWith("src/api/server/") && to.startsWith("src/daemon/")) ||
          /^(chapters|book|test)\//.test(to),
      )
      .map((to) => `${module.source} → ${to}`),
  );
  expect(faults).toEqual([]);
});
