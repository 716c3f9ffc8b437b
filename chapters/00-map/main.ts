/**
 * Chapter 00: the whole of it. A daemon, a client and a registry on one machine in memory.
 *
 * The map comes first in the book and runs what all the other chapters explain. Nothing here is new: each part is made
 * by the chapter that treats it.
 *
 * @module
 */

import { DockerCli } from "../../src/api/client/cli.ts";
import type { DaemonParts } from "../../src/docker/daemon.ts";
import { messageOf } from "../../src/errdefs/errdefs.ts";
import type { Host } from "../../src/host/host.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { StatusError } from "../../src/utils/status-error.ts";
import { boot } from "../05-main-daemon/main.ts";
import { MemoryLinks } from "../lib/memory-links.ts";
import { RegistryV1, type V1Image, v1Images } from "../lib/registry-v1.ts";
import { tinyImage } from "../lib/tiny-image.ts";

/** Where the daemon listens. */
export const socket = "/var/run/docker.sock";

let busybox: V1Image[] | undefined;

/** The registry of 2014 with the one image that it has, `busybox`. */
export function hub(): RegistryV1 {
  const registry = new RegistryV1();
  // The same bytes each time: packed once.
  busybox ??= v1Images(tinyImage());
  registry.put("library/busybox", "latest", busybox);
  return registry;
}

/** A machine with a network card, a packet filter, and the registry at the other end. */
export function world(registry: RegistryV1, asked: (request: string) => void): MemoryHost {
  const links = new MemoryLinks();
  const fetch: Host["net"]["fetch"] = async (url, options = {}) => {
    const { method = "GET", headers = {}, body } = options;
    const request = new Request(url, { method, headers, ...(body === undefined ? {} : { body }) });
    asked(`${method} ${new URL(url).pathname}`);
    return registry.handle(request);
  };
  return memoryHost({
    env: { HOME: "/root" },
    files: {
      "/etc/resolv.conf": "nameserver 192.0.2.1\n",
      "/etc/group": "root:x:0:\ndocker:x:106:\n",
      "/proc/sys/net/ipv4/ip_forward": "0\n",
      "/var/run": null,
      "/var/lib": null,
      "/root": null,
    },
    exec: {
      iptables: ({ args }) => (args[0] === "--version" ? { stdout: "iptables v1.4.21\n" } : {}),
      "iptables-save": { stdout: "*nat\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n" },
      "iptables-restore": {},
    },
    fetch,
    net: { links: () => links, createNetns: async () => undefined, removeNetns: async () => undefined },
  });
}

/** Starts the daemon; returns when it serves. */
export async function startDaemon(host: MemoryHost, parts: DaemonParts): Promise<void> {
  void boot(["-d", "-H", `unix://${socket}`, "-s", "vfs"], host, parts);
  while (!host.stderr.text.includes("-job acceptconnections()")) await host.clock.advance(0);
}

/** Runs a command of the client. @returns its exit status */
export async function docker(args: readonly string[], host: Host): Promise<number> {
  const cli = new DockerCli(host, "unix", socket);
  try {
    await cli.cmd(...args);
    return 0;
  } catch (cause) {
    if (cause instanceof StatusError) {
      if (cause.message !== "") await host.stderr.write(`${cause.message}\n`);
      return cause.statusCode;
    }
    await host.stderr.write(`${messageOf(cause)}\n`);
    return 1;
  }
}
