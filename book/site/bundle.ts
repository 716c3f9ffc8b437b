/**
 * Bundles the chapters' demonstrations and pictures for a page: the real engine, on the memory host.
 *
 * A page has no Node: a few of its modules have stand-ins, and an import of any other is a fault of the chapter.
 *
 * @module
 */

import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Message, type Plugin } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

/** What stands in for a module of Node, or for a package that needs one. */
const STAND_INS: Record<string, string> = {
  buffer: require.resolve("buffer/"),
  events: require.resolve("events/"),
  path: require.resolve("path-browserify"),
  "path/posix": require.resolve("path-browserify"),
  stream: require.resolve("readable-stream"),
  string_decoder: require.resolve("string_decoder/"),
  process: join(here, "shims/process.ts"),
  "process/": join(here, "shims/process.ts"),
  url: join(here, "shims/url.ts"),
  minizlib: join(here, "shims/minizlib.ts"),
  libsql: join(here, "shims/libsql.ts"),
};

/** Node's modules that a library names but does not reach in a page. */
const NEVER_REACHED = ["stream/web", "worker_threads"];

const standIns: Plugin = {
  name: "stand-ins",
  setup(build) {
    const names = [...Object.keys(STAND_INS), ...NEVER_REACHED].join("|").replaceAll("/", "\\/");
    build.onResolve({ filter: new RegExp(`^(?:node:)?(?:${names})$`) }, ({ path }) => {
      const name = path.replace(/^node:/, "");
      const stand = STAND_INS[name];
      return stand === undefined ? { path: name, namespace: "never" } : { path: stand };
    });
    build.onLoad({ filter: /.*/, namespace: "never" }, () => ({ contents: "module.exports = {};", loader: "js" }));
    build.onResolve({ filter: /^node:/ }, ({ path, importer }) => ({
      errors: [{ text: `${importer} imports ${path}, which a page does not have` }],
    }));
  },
};

const textOf = ({ text, location }: Message) =>
  `${location === null ? "" : `${location.file}:${location.line} `}${text.replace(`${process.cwd()}/`, "")}`;

/** A chapter to bundle, and which of its files there are. */
export interface Bundled {
  readonly chapter: string;
  readonly files: readonly string[];
}

/**
 * Writes `<out>/<chapter>.js`, which exports `demo` and, where there is one, `live`.
 *
 * One file a chapter: a part that is loaded later would come from the network in the middle of a run.
 *
 * @returns one line per fault
 */
export async function bundleChapter(root: string, { chapter, files }: Bundled, out: string): Promise<string[]> {
  try {
    const { warnings } = await build({
      absWorkingDir: root,
      stdin: {
        contents: files.map((file) => `export { ${file.replace(/\.ts$/, "")} } from "./${file}";`).join("\n"),
        resolveDir: join(root, "chapters", chapter),
        sourcefile: `${chapter}.ts`,
      },
      outfile: join(out, `${chapter}.js`),
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      minify: true,
      keepNames: true,
      inject: [join(here, "shims/globals.ts")],
      define: { global: "globalThis", "process.env.NODE_DEBUG": "undefined" },
      legalComments: "none",
      logLevel: "silent",
      plugins: [standIns],
    });
    return warnings.map(textOf);
  } catch (cause) {
    const errors = (cause as { errors?: Message[] }).errors;
    if (errors === undefined) throw cause;
    return errors.map(textOf);
  }
}
