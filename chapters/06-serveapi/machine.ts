/**
 * The machine on which the demonstration's daemon serves: one image, no containers, and nobody else on the network.
 *
 * @module
 */

import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { MemoryLinks } from "../lib/memory-links.ts";

/** What the reader may change about it. */
export interface MachineOptions {
  /** What the init process has opened before it starts the daemon: descriptor 3 and so on. */
  readonly inherited?: readonly ("unix" | "tcp")[];
}

/** What an init process opens for a daemon with `-H fd://`. */
export const inheritedDoors = ["unix", "tcp"] as const;

/** Where everything is. */
export const paths = { root: "/var/lib/docker", socket: "/var/run/docker.sock" };

/** The only image. */
export const imageId = "8c2e06607696bd4afb3d03b687e361cc43cf8ec1a4a725bc96e39f05ba97dd55";

const image = {
  id: imageId,
  created: "2014-06-05T00:05:35.990887725Z",
  docker_version: "0.10.0",
  config: { Cmd: ["/bin/sh"], Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
  architecture: "amd64",
  os: "linux",
  Size: 0,
};

const cgroup = "/sys/fs/cgroup/memory";

/** Makes the machine; nothing runs on it yet. */
export async function machine({ inherited = [] }: MachineOptions = {}): Promise<MemoryHost> {
  const links = new MemoryLinks();
  const host = memoryHost({
    files: {
      "/etc/resolv.conf": "nameserver 192.0.2.1\n",
      "/etc/group": "root:x:0:\ndocker:x:106:\nops:x:1001:\n",
      "/proc/sys/net/ipv4/ip_forward": "1\n",
      [`${cgroup}/memory.limit_in_bytes`]: "",
      [`${cgroup}/memory.soft_limit_in_bytes`]: "",
      [`${cgroup}/memory.memsw.limit_in_bytes`]: "",
      "/var/run": null,
      [`${paths.root}/.drydock`]: "",
      [`${paths.root}/graph/${imageId}/json`]: JSON.stringify(image),
      [`${paths.root}/graph/${imageId}/layersize`]: "0",
      [`${paths.root}/vfs/dir/${imageId}/bin/sh`]: "",
      [`${paths.root}/repositories-vfs`]: JSON.stringify({ Repositories: { busybox: { latest: imageId } } }),
    },
    env: {
      HOME: "/root",
      DEBUG: "1",
      ...(inherited.length === 0
        ? {}
        : { LISTEN_PID: "4242", LISTEN_FDS: String(inherited.length), NOTIFY_SOCKET: "/run/systemd/notify" }),
    },
    exec: {
      iptables: ({ args }) => (args[0] === "--version" ? { stdout: "iptables v1.4.21\n" } : {}),
      "iptables-save": { stdout: "*nat\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n" },
      "iptables-restore": {},
    },
    fetch: async () => {
      throw new Error("dial tcp: lookup index.docker.io: no such host");
    },
    net: { links: () => links, createNetns: async () => undefined, removeNetns: async () => undefined },
  });
  host.kernel.mount("cgroup", cgroup, "cgroup", [], "memory");
  for (const [i, kind] of inherited.entries()) {
    if (kind === "tcp") host.network.inherit(3 + i, { kind, host: "127.0.0.1", port: 2375 });
    else {
      host.network.inherit(3 + i, { kind, path: paths.socket });
      await host.fs.chown(paths.socket, 0, 106);
      await host.fs.chmod(paths.socket, 0o660);
    }
  }
  return host;
}
