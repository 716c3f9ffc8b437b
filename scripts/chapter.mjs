/**
 * `npm run chapter NN` runs a chapter's demonstration; what follows `--` are its arguments.
 * `npm run chapter NN -- --test` runs its test suite, `-- --vm` its claims on the real kernel (Linux, root),
 * `-- --exercise 2` the test of an exercise against your answer.
 * Without a number it lists the chapters.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, setup } from "./setup.mjs";

const [wanted, ...flags] = process.argv.slice(2);
const dir = join(root, "chapters");
const chapters = readdirSync(dir)
  .filter((name) => /^\d\d-/.test(name) && existsSync(join(dir, name, "demo.ts")))
  .sort();

/** First heading of a chapter's prose. */
const title = (name) => /^# (?:\d\d · )?(.*)$/m.exec(readFileSync(join(dir, name, "README.md"), "utf8"))?.[1] ?? name;

if (wanted === undefined) {
  console.log("The chapters (npm run chapter NN, npm run chapter NN -- --test):\n");
  for (const name of chapters) console.log(`  ${name.slice(0, 2)}  ${title(name)}`);
  process.exit(0);
}
const name = chapters.find((chapter) => chapter.startsWith(wanted.padStart(2, "0")));
if (name === undefined) {
  console.error(
    `There is no chapter ${wanted}. There are: ${chapters.map((chapter) => chapter.slice(0, 2)).join(", ") || "none yet"}.`,
  );
  process.exit(1);
}
await setup([]);
const run = (command, args, env = {}) =>
  spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } }).status ?? 1;
const suite = ["vitest", "run", "--project", name];
if (flags[0] === "--test") process.exit(run("npx", suite));
if (flags[0] === "--vm") {
  if (!existsSync(join(dir, name, "vm.test.ts"))) {
    console.log(`Chapter ${name} shows nothing more on a real kernel: its own suite (-- --test) is everything.`);
    process.exit(0);
  }
  await setup(["run", "test"]);
  const { build } = await import("./build.mjs");
  await build({ force: true });
  process.exit(run("npx", ["vitest", "run", "--project", "vm", `chapters/${name}/`]));
}
if (flags[0] === "--exercise") {
  process.exit(run("npx", [...suite, `chapters/${name}/exercises/${flags[1] ?? ""}`], { DRYDOCK_EXERCISE: "mine" }));
}
process.exit(run(process.execPath, ["--import", "tsx", "chapters/lib/run-demo.ts", name, ...flags]));
