/** `npm run book`: builds the pages that are made from the source: the source map and the list of deviations. */
import { spawnSync } from "node:child_process";
import { root, setup } from "./setup.mjs";

await setup([]);
process.exit(
  spawnSync(process.execPath, ["--import", "tsx", "book/build.ts"], { cwd: root, stdio: "inherit" }).status ?? 1,
);
