/**
 * Chapter 06: the daemon of chapter 05 gets its doors.
 *
 * `serveapi` listens, `acceptconnections` opens the gate. Both are jobs of the engine that the chapters before have
 * started; what is new is the package behind them, `api/server`, and that here somebody knocks.
 *
 * @module
 */

import { register } from "../../src/builtins/builtins.ts";
import { DryDriver } from "../../src/daemon/execdriver/dry/driver.ts";
import { newGraphDriver } from "../../src/daemon/graphdriver/graphdriver.ts";
import { newDaemon } from "../../src/daemon/new-daemon.ts";
import type { DaemonParts } from "../../src/docker/daemon.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { MemoryHost } from "../../src/host/memory/memory.ts";
import { memoryNames } from "../lib/memory-names.ts";

export { boot } from "../05-main-daemon/main.ts";

/** The daemon's own half takes so many milliseconds; `seen` gets the engine when it has its builtins. */
export function slowParts(ms: number, host: MemoryHost, seen: (eng: Engine) => void): DaemonParts {
  return {
    register(eng, ...rest) {
      register(eng, ...rest);
      seen(eng);
    },
    async newDaemon(config, eng, machine, log) {
      await host.clock.sleep(ms);
      return newDaemon(config, eng, machine, log, {
        graphDriver: (root) => newGraphDriver(root, { name: "vfs", env: {} }, machine, log),
        openGraph: async () => memoryNames(),
        execDriver: async (root) => new DryDriver(root, machine),
      });
    },
  };
}
