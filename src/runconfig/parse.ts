/**
 * From the command line of `docker run` to a container's configuration.
 *
 * @origin runconfig/parse.go
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import { newPort, parsePortSpecs, splitProtoPort } from "../nat/nat.ts";
import { type EnvFileHost, parseEnvFile } from "../opts/env-file.ts";
import type { ListOpts } from "../opts/opts.ts";
import { FlagSet, type FlagSetHost } from "../pkg/mflag/mflag.ts";
import { parseKeyValueOpt } from "../pkg/parsers/parsers.ts";
import { ramInBytes } from "../pkg/units/size.ts";
import type { Config } from "./config.ts";
import type { HostConfig } from "./host-config.ts";
import { parseDevice, parseNetMode, parseRestartPolicy } from "./parse-options.ts";
import { declareRunFlags, type RunFlags } from "./run-flags.ts";

/** What the kernel can limit. @origin pkg/sysinfo/sysinfo.go SysInfo */
export interface Limits {
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
}

/** What parsing touches. */
export interface ParseHost extends EnvFileHost {
  /** Discards a memory limit the kernel cannot keep; nothing is discarded without it. */
  readonly sysInfo?: Limits;
}

/** A `docker run` command line, understood. */
export interface ParsedRun {
  readonly config: Config;
  readonly hostConfig: HostConfig;
  /** The flags as they were given, for what is no configuration: `--name`, `--sig-proxy`, `--rm`. */
  readonly flags: FlagSet;
  /** The same flags, by meaning. */
  readonly run: RunFlags;
}

/**
 * Parses with a flag set of its own, whose messages go to `stderr`.
 *
 * @throws {FlagError} when the flags cannot be read; {BadRequestError} when they contradict each other
 * @origin runconfig/parse.go Parse
 */
export function parse(args: readonly string[], host: ParseHost & FlagSetHost): Promise<ParsedRun> {
  return parseSubcommand(new FlagSet("run", "continue", host), args, host);
}

/**
 * Parses with the caller's flag set, whose usage screen it replaced perhaps.
 *
 * @throws as {@link parse}
 * @origin runconfig/parse.go ParseSubcommand
 * @deviation `-v` keeps the order of the command line, where 1.2.0's is random, and a bind mount given twice does not
 *   also become a volume.
 */
export async function parseSubcommand(flags: FlagSet, args: readonly string[], host: ParseHost): Promise<ParsedRun> {
  const run = declareRunFlags(flags, host.env);
  flags.parse(args);
  if (host.sysInfo?.memoryLimit === false) run.memory.value = "";
  checkConflicts(run);
  attachByDefault(run);
  const memory = run.memory.value === "" ? 0 : ramInBytes(run.memory.value);
  const { binds, volumes } = splitVolumes(run.volumes);
  const lxcConf = run.lxcConf.getAll().map(keyValue);
  const { exposedPorts, bindings } = parsePorts(run);
  const devices = run.devices.getAll().map(parseDevice);
  const env = await collectEnv(run, host);
  const networkMode = parseNetMode(run.netMode.value);
  const restartPolicy = parseRestartPolicy(run.restart.value);
  if (run.autoRemove.value && restartPolicy.Name !== "") {
    throw new BadRequestError("Conflicting options: --restart and --rm");
  }

  const [hostname, domainname] = splitHostname(run.hostname.value);
  const [image = "", ...command] = flags.args();
  const attachStdin = run.attach.get("stdin");
  const config: Config = {
    Hostname: hostname,
    Domainname: domainname,
    User: run.user.value,
    Memory: memory,
    MemorySwap: memory > 0 && host.sysInfo?.swapLimit === false ? -1 : 0,
    CpuShares: run.cpuShares.value,
    Cpuset: run.cpuset.value,
    AttachStdin: attachStdin,
    AttachStdout: run.attach.get("stdout"),
    AttachStderr: run.attach.get("stderr"),
    PortSpecs: null,
    ExposedPorts: exposedPorts,
    Tty: run.tty.value,
    OpenStdin: run.stdin.value,
    // The container's standard input ends when the client that opened it leaves.
    StdinOnce: run.stdin.value && attachStdin,
    Env: env,
    Cmd: command.length > 0 ? command : null,
    Image: image,
    Volumes: volumes,
    WorkingDir: run.workingDir.value,
    Entrypoint: run.entrypoint.value === "" ? null : [run.entrypoint.value],
    NetworkDisabled: !run.network.value,
    OnBuild: null,
  };
  const hostConfig: HostConfig = {
    Binds: binds.length > 0 ? binds : null,
    ContainerIDFile: run.containerIDFile.value,
    LxcConf: lxcConf,
    Privileged: run.privileged.value,
    PortBindings: bindings,
    Links: given(run.links),
    PublishAllPorts: run.publishAll.value,
    Dns: given(run.dns),
    DnsSearch: given(run.dnsSearch),
    VolumesFrom: given(run.volumesFrom),
    Devices: devices,
    NetworkMode: networkMode,
    CapAdd: given(run.capAdd),
    CapDrop: given(run.capDrop),
    RestartPolicy: restartPolicy,
  };
  return { config, hostConfig, flags, run };
}

/** A list, or Go's nil when nothing was given. */
function given(list: ListOpts): string[] | null {
  return list.len() > 0 ? [...list.getAll()] : null;
}

function checkConflicts(run: RunFlags): void {
  const detached = run.detach.value;
  const mode = run.netMode.value;
  if (detached && run.attach.len() > 0) throw new BadRequestError("Conflicting options: -a and -d");
  if (run.workingDir.value !== "" && !run.workingDir.value.startsWith("/")) {
    throw new BadRequestError("The working directory is invalid. It needs to be an absolute path.");
  }
  if (detached && run.autoRemove.value) throw new BadRequestError("Conflicting options: --rm and -d");
  if (mode !== "bridge" && mode !== "none" && run.hostname.value !== "") {
    throw new BadRequestError("Conflicting options: -h and the network mode (--net)");
  }
  if (mode === "host" && run.links.len() > 0) {
    throw new BadRequestError(
      "Conflicting options: --net=host can't be used with links. This would result in undefined behavior.",
    );
  }
}

/** Attaches to everything there is, unless the user said otherwise. */
function attachByDefault(run: RunFlags): void {
  if (run.attach.len() > 0 || run.detach.value) return;
  run.attach.set("stdout");
  run.attach.set("stderr");
  if (run.stdin.value) run.attach.set("stdin");
}

/** Parts `-v`: binds belong to the host, and only the rest may be committed to an image. */
function splitVolumes(list: ListOpts): { binds: string[]; volumes: Record<string, Record<string, never>> } {
  const binds: string[] = [];
  const volumes: [string, Record<string, never>][] = [];
  for (const volume of list.getMap()) {
    const inside = volume.split(":")[1];
    if (inside === "/") throw new BadRequestError("Invalid bind mount: destination can't be '/'");
    if (volume === "/") throw new BadRequestError("Invalid volume: path can't be '/'");
    if (inside === undefined) volumes.push([volume, {}]);
    else binds.push(volume);
  }
  return { binds, volumes: Object.fromEntries(volumes) };
}

function keyValue(text: string): { Key: string; Value: string } {
  const [Key, Value] = parseKeyValueOpt(text);
  return { Key, Value };
}

function parsePorts(run: RunFlags): ReturnType<typeof parsePortSpecs> {
  const { exposedPorts, bindings } = parsePortSpecs(run.publish.getAll());
  for (const text of run.expose.getAll()) {
    if (text.includes(":")) throw new BadRequestError(`Invalid port format for --expose: ${text}`);
    const [proto, port] = splitProtoPort(text);
    exposedPorts[newPort(proto, port)] ??= {};
  }
  return { exposedPorts, bindings };
}

/** The files' variables first, so that `-e` has the last word. */
async function collectEnv(run: RunFlags, host: EnvFileHost): Promise<string[]> {
  const env: string[] = [];
  for (const file of run.envFiles.getAll()) env.push(...(await parseEnvFile(file, host)));
  return [...env, ...run.env.getAll()];
}

/** `a.b.c` → `a` and `b.c`. */
function splitHostname(text: string): [hostname: string, domainname: string] {
  const dot = text.indexOf(".");
  return dot < 0 ? [text, ""] : [text.slice(0, dot), text.slice(dot + 1)];
}
