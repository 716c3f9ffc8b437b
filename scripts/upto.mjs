/** `npm run upto NN`: the test suites of all chapters up to NN. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root, setup } from "./setup.mjs";

const [last = ""] = process.argv.slice(2);
const chapters = readdirSync(join(root, "chapters"))
  .filter((name) => /^\d\d-/.test(name) && existsSync(join(root, "chapters", name, "chapter.test.ts")))
  .filter((name) => name.slice(0, 2) <= last.padStart(2, "0"));
if (!/^\d\d?$/.test(last) || chapters.length === 0) {
  console.error("Up to which chapter? npm run upto 05");
  process.exit(1);
}
await setup([]);
const projects = chapters.flatMap((name) => ["--project", name]);
process.exit(spawnSync("npx", ["vitest", "run", ...projects], { cwd: root, stdio: "inherit" }).status ?? 1);
