/**
 * Bundles the engine: `dist/` is all that `bin/docker` needs besides the native parts in `node_modules`.
 *
 * ```text
 * docker.cjs          what bin/docker starts: loads a bundle with V8's compiled form of it, if that is still good
 * client.cjs .cache   flags and client
 * daemon.cjs .cache   the daemon, loaded for -d only
 * unpack-worker.cjs   the threads that unpack layers
 * ```
 *
 * Run as a program it builds; imported, `build()` does, and only when something in `src/` is newer than `dist/`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** What is bundled into what. */
const entries = {
  "dist/client.cjs": "src/docker/bin.ts",
  "dist/daemon.cjs": "src/docker/daemon.ts",
  "dist/unpack-worker.cjs": "src/archive/unpack-worker.ts",
};

/**
 * The file that `node` is started with. Compiling the client takes longer than running it, so V8's result is kept
 * beside it; V8 refuses one that another version or the wrong source made, and compiles as usual then. With
 * DRYDOCK_CODE_CACHE in the environment the cache is written at exit: with all functions that this run has used.
 */
const starter = `"use strict";
const { Script } = require("node:vm");
const { readFileSync, writeFileSync } = require("node:fs");

function load(name) {
  const filename = __dirname + "/" + name + ".cjs";
  const source = "(function (exports, require, module, __filename, __dirname) {" + readFileSync(filename, "latin1") + "\\n})";
  let cachedData;
  try {
    cachedData = readFileSync(__dirname + "/" + name + ".cache");
  } catch {}
  const script = new Script(source, { filename, cachedData });
  if (process.env.DRYDOCK_CODE_CACHE === name) {
    process.once("exit", () => writeFileSync(filename.slice(0, -4) + ".cache", script.createCachedData()));
  }
  const module = { exports: {} };
  const find = (id) => (id === "./daemon.cjs" ? load("daemon") : require(id));
  script.runInThisContext().call(module.exports, module.exports, find, module, filename, __dirname);
  return module.exports;
}

load("client");
`;

/** The daemon is a bundle of its own: a client never reads it. */
const daemonApart = {
  name: "daemon-apart",
  setup(bundler) {
    bundler.onResolve({ filter: /^\.\/daemon\.ts$/ }, ({ importer, kind }) =>
      kind === "dynamic-import" && importer.endsWith("/src/docker/bin.ts")
        ? { path: "./daemon.cjs", external: true }
        : undefined,
    );
  },
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
  const inputs = { ...entries, "dist/docker.cjs": "scripts/build.mjs" };
  return Object.entries(inputs).every(
    ([out, input]) =>
      !existsSync(join(root, input)) || (existsSync(join(root, out)) && statSync(join(root, out)).mtimeMs > source),
  );
}

/** Puts a file in place as a whole: a command that starts meanwhile finds the old one or the new one. */
function replace(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/** Builds what is out of date. */
export async function build({ force = false } = {}) {
  if (!force && isFresh()) return false;
  const { build: bundle } = await import("esbuild");
  mkdirSync(join(root, "dist"), { recursive: true });
  const bundles = await Promise.allSettled(
    Object.entries(entries)
      .filter(([, input]) => existsSync(join(root, input)))
      .map(async ([outfile, input]) => {
        const { outputFiles } = await bundle({
          absWorkingDir: root,
          entryPoints: [input],
          outfile,
          bundle: true,
          write: false,
          platform: "node",
          target: "node20",
          format: "cjs",
          external: ["koffi", "libsql"],
          plugins: [daemonApart],
          // A bundle that is compiled by hand has no loader for import().
          supported: { "dynamic-import": false },
          // Where this matters, the code asks for __filename first.
          logOverride: { "empty-import-meta": "silent" },
          logLevel: "error",
        });
        replace(join(root, outfile), outputFiles[0].contents);
      }),
  );
  replace(join(root, "dist/docker.cjs"), starter);
  const failed = bundles.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
  warm("client", ["-H", "unix:///nowhere", "run", "--rm", "-i", "image", "true"]);
  // With an argument too many the daemon is loaded and shows its usage.
  warm("daemon", ["-d", "extra"]);
  return true;
}

/** Writes the compiled form of a bundle after a typical run of it. */
function warm(name, args) {
  const env = { PATH: process.env.PATH ?? "", DRYDOCK_CODE_CACHE: name };
  spawnSync(process.execPath, [join(root, "dist/docker.cjs"), ...args], { env, stdio: "ignore" });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build({ force: true });
