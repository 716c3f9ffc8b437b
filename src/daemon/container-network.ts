/**
 * Connects a container: address, namespace, ports, and the files in /etc that tell of it.
 *
 * @origin daemon/container.go allocateNetwork, releaseNetwork, initializeNetworking, setupContainerDns
 * @module
 */

import posix from "node:path/posix";
import { isErrno, SystemError } from "../errdefs/errdefs.ts";
import { parsePortSpecs } from "../nat/nat.ts";
import * as etchosts from "../pkg/networkfs/etchosts/etchosts.ts";
import * as resolvconf from "../pkg/networkfs/resolvconf/resolvconf.ts";
import type { PortBinding, PortMap } from "../runconfig/host-config.ts";
import type { Container } from "./container.ts";
import type { Daemon } from "./daemon.ts";
import type { NetworkMode } from "./execdriver/driver.ts";
import { noNetwork } from "./network-settings.ts";
import { createInterface, removeInterface } from "./networkdriver/interface.ts";

/** Writes the container's resolv.conf, once in its life. @origin daemon/container.go setupContainerDns */
export async function setupContainerDns(daemon: Daemon, container: Container): Promise<void> {
  if (container.resolvConfPath !== "") return;
  const { hostConfig: config } = container;
  const hostFile = await resolvconf.get(daemon.host);
  const path = container.rootResource("resolv.conf");
  const dns = firstSet(config.Dns, daemon.config.dns);
  const search = firstSet(config.DnsSearch, daemon.config.dnsSearch);
  if (config.NetworkMode !== "host" && (dns !== undefined || search !== undefined)) {
    await resolvconf.build(
      path,
      dns ?? resolvconf.getNameservers(hostFile),
      search ?? resolvconf.getSearchDomains(hostFile),
      daemon.host,
    );
  } else {
    await daemon.host.fs.writeFile(path, hostFile, { mode: 0o644 });
  }
  container.resolvConfPath = path;
}

function firstSet(...lists: (readonly string[] | null)[]): readonly string[] | undefined {
  return lists.find((list) => list !== null && list.length > 0) ?? undefined;
}

/** @origin daemon/container.go initializeNetworking */
export async function initializeNetworking(daemon: Daemon, container: Container): Promise<void> {
  const [mode] = splitMode(container.hostConfig.NetworkMode);
  if (mode === "host") return useHostNames(daemon, container);
  if (mode === "container") {
    const joined = networkedContainer(daemon, container);
    container.hostsPath = joined.hostsPath;
    container.resolvConfPath = joined.resolvConfPath;
    container.config.Hostname = joined.config.Hostname;
    container.config.Domainname = joined.config.Domainname;
    return;
  }
  if (daemon.config.disableNetwork) {
    container.config.NetworkDisabled = true;
    return buildHostnameAndHostsFiles(daemon, container, "127.0.1.1");
  }
  await allocateNetwork(daemon, container);
  await buildHostnameAndHostsFiles(daemon, container, container.networkSettings.IPAddress);
}

async function useHostNames(daemon: Daemon, container: Container): Promise<void> {
  const [short = "", ...domain] = daemon.host.machine.hostname.split(".");
  container.config.Hostname = short;
  if (domain.length > 0) container.config.Domainname = domain.join(".");
  let hosts: Buffer;
  try {
    hosts = await daemon.host.fs.readFile("/etc/hosts");
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
    return buildHostnameAndHostsFiles(daemon, container, "");
  }
  await buildHostnameFile(daemon, container);
  container.hostsPath = container.rootResource("hosts");
  await daemon.host.fs.writeFile(container.hostsPath, hosts, { mode: 0o644 });
}

/** @origin daemon/container.go buildHostnameFile */
async function buildHostnameFile(daemon: Daemon, container: Container): Promise<void> {
  const { Hostname, Domainname } = container.config;
  container.hostnamePath = container.rootResource("hostname");
  const name = Domainname === "" ? Hostname : `${Hostname}.${Domainname}`;
  await daemon.host.fs.writeFile(container.hostnamePath, `${name}\n`, { mode: 0o644 });
}

/** @origin daemon/container.go buildHostnameAndHostsFiles */
async function buildHostnameAndHostsFiles(daemon: Daemon, container: Container, ip: string): Promise<void> {
  container.hostsPath = container.rootResource("hosts");
  const links = new Map<string, string>();
  for (const [path, child] of daemon.children(container.name)) {
    links.set(posix.basename(path), child.networkSettings.IPAddress);
  }
  const { Hostname, Domainname } = container.config;
  await Promise.all([
    buildHostnameFile(daemon, container),
    etchosts.build(container.hostsPath, ip, Hostname, Domainname, links, daemon.host),
  ]);
}

/**
 * Takes an address and the ports, and makes the namespace with its interface.
 *
 * @origin daemon/container.go allocateNetwork
 */
async function allocateNetwork(daemon: Daemon, container: Container): Promise<void> {
  const [mode] = splitMode(container.hostConfig.NetworkMode);
  if (container.config.NetworkDisabled) return;
  const job = daemon.eng.job("allocate_interface", container.id);
  const env = job.stdout.addEnv();
  await job.run();
  container.networkAllocated = true;

  migratePortSpecs(container);
  const bindings: PortMap = {};
  for (const [port, list] of Object.entries(container.hostConfig.PortBindings ?? {})) {
    bindings[port] = (list ?? []).map((b) => ({ HostIp: b.HostIp, HostPort: b.HostPort }));
  }
  for (const port of Object.keys(container.config.ExposedPorts ?? {})) {
    await allocatePort(daemon, container, port, bindings);
  }
  container.networkSettings = {
    ...noNetwork(),
    IPAddress: env.get("IP"),
    IPPrefixLen: env.getInt("IPPrefixLen"),
    Gateway: env.get("Gateway"),
    Bridge: env.get("Bridge"),
    Ports: bindings,
  };
  if (mode === "none") return;
  const { IPAddress: ip, IPPrefixLen: prefix, Gateway: gateway, Bridge: bridge } = container.networkSettings;
  const netnsPath = posix.join(daemon.netnsRoot, container.id);
  container.netnsPath = netnsPath;
  await daemon.host.fs.mkdir(daemon.netnsRoot, { recursive: true, mode: 0o700 });
  const made = await createInterface(daemon.host, {
    id: container.id,
    netnsPath,
    bridge,
    ip,
    prefix,
    gateway,
    mtu: daemon.config.mtu,
  });
  container.networkSettings.MacAddress = made.mac;
}

/** Turns the port list of ancient clients into today's two maps. @origin daemon/utils.go migratePortMappings */
function migratePortSpecs({ config, hostConfig }: Container): void {
  if (config.PortSpecs === null) return;
  const { exposedPorts, bindings } = parsePortSpecs(config.PortSpecs);
  config.ExposedPorts = { ...config.ExposedPorts, ...exposedPorts };
  hostConfig.PortBindings = { ...hostConfig.PortBindings, ...bindings };
  config.PortSpecs = null;
}

/** @origin daemon/container.go allocatePort */
async function allocatePort(daemon: Daemon, container: Container, port: string, bindings: PortMap): Promise<void> {
  const listed = bindings[port] ?? undefined;
  const wanted: PortBinding[] = listed ?? [];
  if (container.hostConfig.PublishAllPorts && wanted.length === 0) wanted.push({ HostIp: "", HostPort: "" });
  const [number = "", protocol = "tcp"] = port.split("/");
  for (const binding of wanted) {
    const job = daemon.eng.job("allocate_port", container.id);
    job.setenv("HostIP", binding.HostIp);
    job.setenv("HostPort", binding.HostPort);
    job.setenv("Proto", protocol);
    job.setenv("ContainerPort", number);
    const env = job.stdout.addEnv();
    await job.run();
    binding.HostIp = env.get("HostIP");
    binding.HostPort = env.get("HostPort");
  }
  bindings[port] = listed === undefined && wanted.length === 0 ? null : wanted;
}

/** Gives everything back; safe to call twice. @origin daemon/container.go releaseNetwork */
export async function releaseNetwork(daemon: Daemon, container: Container): Promise<void> {
  const { netnsPath, networkAllocated } = container;
  container.netnsPath = undefined;
  container.networkAllocated = false;
  const release = networkAllocated ? daemon.eng.job("release_interface", container.id).run() : undefined;
  container.networkSettings = noNetwork();
  await Promise.all([
    release?.catch(() => undefined), // the job itself has said what went wrong
    netnsPath === undefined ? undefined : removeInterface(daemon.host, { netnsPath }),
  ]);
}

/** @origin daemon/container.go populateCommand */
export function networkMode(daemon: Daemon, container: Container): NetworkMode {
  const [mode] = splitMode(container.hostConfig.NetworkMode);
  switch (mode) {
    case "none":
      return { kind: "none" };
    case "host":
      return { kind: "host" };
    case "":
    case "bridge":
      return container.netnsPath === undefined ? { kind: "none" } : { kind: "netns", path: container.netnsPath };
    case "container":
      return joinedMode(daemon, networkedContainer(daemon, container));
    default:
      throw new SystemError(`invalid network mode: ${container.hostConfig.NetworkMode}`);
  }
}

function joinedMode(daemon: Daemon, joined: Container): NetworkMode {
  const mode = networkMode(daemon, joined);
  // Without a namespace of our making the other one's is reached by its process.
  return mode.kind === "none" ? { kind: "netns", path: `/proc/${joined.state.pid}/ns/net` } : mode;
}

/** Name of the container whose network this one joins; `undefined` when it has its own. */
export function networkedName({ hostConfig }: Pick<Container, "hostConfig">): string | undefined {
  const [mode, name] = splitMode(hostConfig.NetworkMode);
  return mode === "container" ? name : undefined;
}

/** @origin daemon/container.go getNetworkedContainer */
function networkedContainer(daemon: Daemon, container: Container): Container {
  const name = networkedName(container) ?? "";
  const joined = daemon.get(name);
  if (joined === undefined) throw new SystemError(`no such container to join network: ${name}`);
  if (!joined.state.running || joined === container) {
    throw new SystemError(`cannot join network of a non running container: ${name}`);
  }
  return joined;
}

/** `container:web` → `["container", "web"]`; `default` is what today's clients call the bridge. */
function splitMode(mode: string): [kind: string, name: string] {
  const colon = mode.indexOf(":");
  if (colon >= 0) return [mode.slice(0, colon), mode.slice(colon + 1)];
  return [mode === "default" ? "bridge" : mode, ""];
}
