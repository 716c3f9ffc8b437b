/**
 * The flags before the command.
 *
 * One set holds those of the client and those of the daemon: each accepts the other's, as in 1.2.0.
 *
 * @origin docker/flags.go
 * @article 001/5.0
 * @module
 */

import { join } from "node:path/posix";
import { type DaemonConfig, installDaemonFlags } from "../daemon/config.ts";
import { hostListVar, type ListOpts, variable } from "../opts/opts.ts";
import type { FlagHandle, FlagSet } from "../pkg/mflag/mflag.ts";

/** The flags, to be read after the set was parsed. */
export interface DockerFlags {
  readonly version: FlagHandle<boolean>;
  /** Run the daemon instead of a command. */
  readonly daemon: FlagHandle<boolean>;
  readonly debug: FlagHandle<boolean>;
  /** Group of the unix socket; empty: the group stays. */
  readonly socketGroup: FlagHandle<string>;
  readonly enableCors: FlagHandle<boolean>;
  readonly tls: FlagHandle<boolean>;
  readonly tlsVerify: FlagHandle<boolean>;
  /** Paths of PEM files. */
  readonly ca: FlagHandle<string>;
  readonly cert: FlagHandle<string>;
  readonly key: FlagHandle<string>;
  /** Complete addresses, `tcp://127.0.0.1:2375`. */
  readonly hosts: FlagHandle<ListOpts>;
  /** What the daemon's own flags say. */
  readonly config: DaemonConfig;
}

/**
 * Declares all flags of the program.
 *
 * @param env - `DOCKER_CERT_PATH` and `HOME` decide where certificates are
 * @origin docker/flags.go init
 */
export function installDockerFlags(fs: FlagSet, env: Readonly<Record<string, string | undefined>>): DockerFlags {
  const certPath = variable(env, "DOCKER_CERT_PATH") || join(variable(env, "HOME"), ".docker");
  return {
    version: fs.bool(["v", "-version"], false, "Print version information and quit"),
    daemon: fs.bool(["d", "-daemon"], false, "Enable daemon mode"),
    debug: fs.bool(["D", "-debug"], false, "Enable debug mode"),
    socketGroup: fs.string(
      ["G", "-group"],
      "docker",
      "Group to assign the unix socket specified by -H when running in daemon mode\nuse '' (the empty string) to disable setting of a group",
    ),
    enableCors: fs.bool(["#api-enable-cors", "-api-enable-cors"], false, "Enable CORS headers in the remote API"),
    tls: fs.bool(["-tls"], false, "Use TLS; implied by tls-verify flags"),
    tlsVerify: fs.bool(
      ["-tlsverify"],
      false,
      "Use TLS and verify the remote (daemon: verify client, client: verify daemon)",
    ),
    ca: fs.string(
      ["-tlscacert"],
      join(certPath, "ca.pem"),
      "Trust only remotes providing a certificate signed by the CA given here",
    ),
    cert: fs.string(["-tlscert"], join(certPath, "cert.pem"), "Path to TLS certificate file"),
    key: fs.string(["-tlskey"], join(certPath, "key.pem"), "Path to TLS key file"),
    hosts: hostListVar(
      fs,
      ["H", "-host"],
      "The socket(s) to bind to in daemon mode\nspecified using one or more tcp://host:port, unix:///path/to/socket, fd://* or fd://socketfd.",
    ),
    config: installDaemonFlags(fs),
  };
}
