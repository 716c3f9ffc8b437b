/**
 * Bundles the engine: `dist/` is all that `bin/docker` needs besides the native parts in `node_modules`.
 *
 * Run as a program it builds; imported, `build()` does, and only when something in `src/` is newer than `dist/`.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** What is bundled into what. */
const entries = {
  "dist/docker.cjs": "src/docker/docker.ts",
  "dist/unpack-worker.cjs": "src/archive/unpack-worker.ts",
};

function newest(dir) {
  let time = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return time;
}

function isFresh() {
  const source = Math.max(newest(join(root, "src")), statSync(join(root, "scripts/build.mjs")).mtimeMs);
  return Object.entries(entries).every(
    ([out, input]) =>
      !existsSync(join(root, input)) || (existsSync(join(root, out)) && statSync(join(root, out)).mtimeMs > source),
  );
}

/** Builds what is out of date. */
export async function build({ force = false } = {}) {
  if (!force && isFresh()) return false;
  const { build: bundle } = await import("esbuild");
  await Promise.all(
    Object.entries(entries)
      .filter(([, input]) => existsSync(join(root, input)))
      .map(([outfile, input]) =>
        bundle({
          absWorkingDir: root,
          entryPoints: [input],
          outfile,
          bundle: true,
          platform: "node",
          target: "node20",
          format: "cjs",
          external: ["koffi", "libsql"],
          logLevel: "error",
        }),
      ),
  );
  return true;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build({ force: true });
