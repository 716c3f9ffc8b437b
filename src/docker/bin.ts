/**
 * Where the program begins.
 *
 * @origin docker/docker.go main
 * @module
 */

import { linuxHost } from "../host/linux/host.ts";
import { main } from "./docker.ts";

const host = linuxHost();
const code = main(process.argv.slice(2), host, {
  argv0: "docker",
  mainDaemon: async (...daemon) => (await import("./daemon.ts")).mainDaemon(...daemon),
});
// What is still open (standard input, a connection) must not keep a finished command alive.
void code.then((status) => host.signals.exit(status));
