/**
 * `npm run ok`: the developer's check. Everything that needs neither root nor network, in under two minutes.
 */
import { spawnSync } from "node:child_process";
import { root, setup } from "./setup.mjs";

await setup([]);

/** What is checked, in the order of how fast it answers. */
const checks = [
  ["format and lint", "npx", ["biome", "check", "--error-on-warnings"]],
  ["types", process.execPath, ["node_modules/typescript7/bin/tsc", "-p", "."]],
  ["types of the site", process.execPath, ["node_modules/typescript7/bin/tsc", "-p", "book/theme"]],
  [
    "unit, architecture, origins, chapters",
    "npx",
    ["vitest", "run", "--config", "scripts/ok.config.mjs", "--reporter=default"],
  ],
];

let failed = false;
for (const [name, command, args] of checks) {
  const start = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
