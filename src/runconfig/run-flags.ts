/**
 * The flags of `docker run`.
 *
 * @origin runconfig/parse.go parseRun
 * @module
 */

import { portSpecTemplateFormat } from "../nat/nat.ts";
import {
  ListOpts,
  type Validator,
  validateAttach,
  validateDnsSearch,
  validateEnv,
  validateIPAddress,
  validateLink,
  validatePath,
} from "../opts/opts.ts";
import type { FlagSet } from "../pkg/mflag/mflag.ts";

/** The flags by meaning; read them after the set was parsed. */
export type RunFlags = ReturnType<typeof declareRunFlags>;

/**
 * Declares all flags of `docker run` in a set.
 *
 * @param env - where `-e NAME` finds its value
 */
export function declareRunFlags(fs: FlagSet, env: Readonly<Record<string, string | undefined>>) {
  const list = (names: readonly string[], usage: string, validator?: Validator) =>
    fs.var(new ListOpts(validator), names, usage).value;
  return {
    autoRemove: fs.bool(
      ["#rm", "-rm"],
      false,
      "Automatically remove the container when it exits (incompatible with -d)",
    ),
    detach: fs.bool(
      ["d", "-detach"],
      false,
      "Detached mode: run container in the background and print new container ID",
    ),
    network: fs.bool(["#n", "#-networking"], true, "Enable networking for this container"),
    privileged: fs.bool(["#privileged", "-privileged"], false, "Give extended privileges to this container"),
    publishAll: fs.bool(["P", "-publish-all"], false, "Publish all exposed ports to the host interfaces"),
    stdin: fs.bool(["i", "-interactive"], false, "Keep STDIN open even if not attached"),
    tty: fs.bool(["t", "-tty"], false, "Allocate a pseudo-TTY"),
    containerIDFile: fs.string(["#cidfile", "-cidfile"], "", "Write the container ID to the file"),
    entrypoint: fs.string(["#entrypoint", "-entrypoint"], "", "Overwrite the default ENTRYPOINT of the image"),
    hostname: fs.string(["h", "-hostname"], "", "Container host name"),
    memory: fs.string(
      ["m", "-memory"],
      "",
      "Memory limit (format: <number><optional unit>, where unit = b, k, m or g)",
    ),
    user: fs.string(["u", "-user"], "", "Username or UID"),
    workingDir: fs.string(["w", "-workdir"], "", "Working directory inside the container"),
    cpuShares: fs.int64(["c", "-cpu-shares"], 0, "CPU shares (relative weight)"),
    cpuset: fs.string(["-cpuset"], "", "CPUs in which to allow execution (0-3, 0,1)"),
    netMode: fs.string(["-net"], "bridge", netUsage),
    restart: fs.string(["-restart"], "", "Restart policy to apply when a container exits (no, on-failure, always)"),
    sigProxy: fs.bool(
      ["#sig-proxy", "-sig-proxy"],
      true,
      "Proxy received signals to the process (even in non-TTY mode). SIGCHLD, SIGSTOP, and SIGKILL are not proxied.",
    ),
    name: fs.string(["#name", "-name"], "", "Assign a name to the container"),

    attach: list(["a", "-attach"], "Attach to STDIN, STDOUT or STDERR.", validateAttach),
    volumes: list(
      ["v", "-volume"],
      "Bind mount a volume (e.g., from the host: -v /host:/container, from Docker: -v /container)",
      validatePath,
    ),
    links: list(["#link", "-link"], "Add link to another container in the form of name:alias", validateLink),
    devices: list(["-device"], "Add a host device to the container (e.g. --device=/dev/sdc:/dev/xvdc)", validatePath),
    env: list(["e", "-env"], "Set environment variables", validateEnv(env)),
    envFiles: list(["-env-file"], "Read in a line delimited file of environment variables"),
    publish: list(
      ["p", "-publish"],
      `Publish a container's port to the host\nformat: ${portSpecTemplateFormat}\n(use 'docker port' to see the actual mapping)`,
    ),
    expose: list(["#expose", "-expose"], "Expose a port from the container without publishing it to your host"),
    dns: list(["#dns", "-dns"], "Set custom DNS servers", validateIPAddress),
    dnsSearch: list(["-dns-search"], "Set custom DNS search domains", validateDnsSearch),
    volumesFrom: list(["#volumes-from", "-volumes-from"], "Mount volumes from the specified container(s)"),
    lxcConf: list(
      ["#lxc-conf", "-lxc-conf"],
      '(lxc exec-driver only) Add custom lxc options --lxc-conf="lxc.cgroup.cpuset.cpus = 0,1"',
    ),
    capAdd: list(["-cap-add"], "Add Linux capabilities"),
    capDrop: list(["-cap-drop"], "Drop Linux capabilities"),
  };
}

const netUsage = [
  "Set the Network mode for the container",
  "'bridge': creates a new network stack for the container on the docker bridge",
  "'none': no networking for this container",
  "'container:<name|id>': reuses another container network stack",
  "'host': use the host network stack inside the container.  Note: the host mode gives the container full access to local system services such as D-bus and is therefore considered insecure.",
].join("\n");
