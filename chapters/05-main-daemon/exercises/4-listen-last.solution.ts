/** An answer to exercise 4. @module */

import type { DaemonParts } from "../../../src/docker/daemon.ts";
import type { DockerFlags } from "../../../src/docker/flags.ts";
import { Engine } from "../../../src/engine/engine.ts";
import type { Host } from "../../../src/host/host.ts";
import type { Logger } from "../../../src/pkg/log/log.ts";

/** Without `BufferRequests` there is no gate, and so nothing that `acceptconnections` would have to open. */
export async function listenLast(flags: DockerFlags, host: Host, log: Logger, parts: DaemonParts): Promise<void> {
  const eng = new Engine(host);
  parts.register(eng, host, log);
  const daemon = await parts.newDaemon(flags.config, eng, host, log);
  daemon.install(eng);
  const job = eng.job("serveapi", ...flags.hosts.value.getAll());
  job.setenvBool("Logging", true);
  await job.run();
}
