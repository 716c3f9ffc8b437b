/**
 * Where the program begins.
 *
 * @origin docker/docker.go main
 * @module
 */

import { gathering } from "../host/linux/gather.ts";
import { linuxHost } from "../host/linux/host.ts";
import { Logger } from "../pkg/log/log.ts";
import { main } from "./docker.ts";

const host = linuxHost();
const code = main(process.argv.slice(2), host, {
  argv0: "docker",
  mainDaemon: async (flags, itsHost, _log, set) => {
    const { mainDaemon } = await import("./daemon.ts");
    const busy = gathering(itsHost);
    return mainDaemon(flags, busy, new Logger(busy), set);
  },
});
// What is still open (standard input, a connection) must not keep a finished command alive.
void code.then((status) => host.signals.exit(status));
