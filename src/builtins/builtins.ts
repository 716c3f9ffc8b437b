/**
 * The handlers an engine has before there is a daemon.
 *
 * @origin builtins/builtins.go
 * @article 001/5.4
 * @module
 */

import { APIVERSION } from "../api/common.ts";
import { ApiServer } from "../api/server/server.ts";
import { initDriver } from "../daemon/networkdriver/bridge/driver.ts";
import { GITCOMMIT, VERSION } from "../dockerversion/dockerversion.ts";
import type { Engine } from "../engine/engine.ts";
import { Env } from "../engine/env.ts";
import type { Handler } from "../engine/job.ts";
import { Events } from "../events/events.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../pkg/log/log.ts";
import { getKernelVersion, kernelVersionText } from "../pkg/parsers/kernel/kernel.ts";
import { Service, type ServiceOptions } from "../registry/service.ts";

/**
 * Registers them all: the network's, the API's, the events', `version`, the registry's.
 *
 * @param registry - which registries are spoken to in plain text, and where certificates are
 * @throws when a name is taken
 * @origin builtins/builtins.go Register
 * @article 001/5.4
 */
export function register(eng: Engine, host: Host, log: Logger, registry: ServiceOptions = {}): void {
  daemon(eng, host, log);
  remote(eng, host, log);
  new Events(host).install(eng);
  eng.register("version", dockerVersion(host));
  new Service(host, log, registry).install(eng);
}

/**
 * The API by which others reach this engine.
 *
 * @origin builtins/builtins.go remote
 * @article 001/5.4.2
 */
function remote(eng: Engine, host: Host, log: Logger): void {
  const server = new ApiServer(host, log);
  eng.register("serveapi", server.serveApi);
  eng.register("acceptconnections", server.acceptConnections);
}

/**
 * What the daemon needs before it exists: a bridge. Registered here, run by the daemon.
 *
 * @origin builtins/builtins.go daemon
 * @article 001/5.4.1
 */
function daemon(eng: Engine, host: Host, log: Logger): void {
  eng.register("init_networkdriver", initDriver(host, log));
}

/**
 * Which Docker this is, and on what it runs.
 *
 * @origin builtins/builtins.go dockerVersion
 * @article 001/5.4.4
 * @deviation `GoVersion` names the runtime there is, with its version.
 */
function dockerVersion(host: Pick<Host, "machine">): Handler {
  return async (job) => {
    const version = new Env();
    // As JSON strings: a bare 1.14 would leave as the number 1.
    version.setJson("Version", VERSION);
    version.setJson("ApiVersion", APIVERSION);
    version.set("GitCommit", GITCOMMIT);
    version.set("GoVersion", host.machine.runtime);
    version.set("Os", host.machine.os);
    version.set("Arch", host.machine.arch);
    const kernel = kernelVersion(host);
    if (kernel !== undefined) version.set("KernelVersion", kernel);
    await version.writeTo(job.stdout);
  };
}

/** `undefined` when the kernel calls itself something that is no version. */
function kernelVersion(host: Pick<Host, "machine">): string | undefined {
  try {
    return kernelVersionText(getKernelVersion(host));
  } catch {
    return undefined;
  }
}
