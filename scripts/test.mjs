/**
 * `npm test`: everything. `npm test -- unit` runs one suite, `npm test -- unit engine` a part of it.
 */
import { spawnSync } from "node:child_process";
import { root, setup } from "./setup.mjs";

await setup(["run", "test"]);
const { build } = await import("./build.mjs");
await build({ force: true });

const [suite, ...filters] = process.argv.slice(2);
const args = ["vitest", "run", "--reporter=default", ...(suite ? ["--project", suite, ...filters] : [])];
const result = spawnSync("npx", args, { cwd: root, stdio: "inherit", env: { ...process.env, NODE_NO_WARNINGS: "1" } });
process.exit(result.status ?? 1);
