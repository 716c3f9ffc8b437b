/**
 * `npm run book`: fills the chapters' pages from the source, checks them, and builds the site into `book/dist`.
 * `npm run book -- --check` only checks; `npm run book -- --serve` also serves the site, on this machine alone.
 */
import { spawnSync } from "node:child_process";
import { root, setup } from "./setup.mjs";

await setup([]);
const flags = process.argv.slice(2);
const steps = flags.includes("--check") ? ["book/update.ts"] : ["book/update.ts", "book/build.ts"];
for (const step of steps) {
  const { status } = spawnSync(process.execPath, ["--import", "tsx", step, ...flags], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
