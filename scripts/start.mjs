/**
 * `npm start`: boots the daemon and shows its main job; `npm start -- --exit` ends after that, with status 0 if all went
 * well.
 */
import { spawn } from "node:child_process";
import { root, setup } from "./setup.mjs";

await setup(["run"]);
const { build } = await import("./build.mjs");
await build();

const child = spawn(process.execPath, ["--import", "tsx", "chapters/lib/tour/main.ts", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
// Ctrl-C reaches the daemon by itself, for it is in the same process group; we wait until it has ended in order.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.once("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
