/**
 * The machine of the demonstration: one network card, a packet filter that remembers what it is told, and an index of
 * 2014 at the other end of the line.
 *
 * @module
 */

import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import type { Net } from "../../src/host/net.ts";
import { MemoryLinks, plainMachine } from "../lib/memory-links.ts";

/** How the machine is before Docker comes. */
export interface MachineOptions {
  /** Networks that it has a route to. */
  readonly taken: readonly string[];
  /** The address of a docker0 that is there already. */
  readonly bridge?: string | undefined;
}

/** A host, and its network interfaces. */
export interface Machine {
  readonly host: MemoryHost;
  readonly links: MemoryLinks;
}

/** Whom the index knows, and what it has. */
const account = { username: "ann", password: "secret" };
const repositories = [
  { name: "ubuntu", star_count: 471, is_official: true, is_trusted: false, description: "Official Ubuntu base image" },
  { name: "busybox", star_count: 69, is_official: true, is_trusted: false, description: "Busybox base image." },
  { name: "jeanblanchard/busybox-java", star_count: 3, is_official: false, is_trusted: true, description: "Java" },
];

/** Answers as the index did: for accounts and for searches. */
const index: Net["fetch"] = async (url, options = {}) => {
  const { pathname, searchParams } = new URL(url);
  if (pathname === "/v1/search") {
    const results = repositories.filter(({ name }) => name.includes(searchParams.get("q") ?? ""));
    return Response.json({ results });
  }
  if (pathname !== "/v1/users/") return new Response("", { status: 404 });
  if (options.method === "POST") return new Response('"Username or email already exists"', { status: 400 });
  const basic = Buffer.from(`${account.username}:${account.password}`).toString("base64");
  const given = new Headers(options.headers).get("authorization");
  return new Response("", { status: given === `Basic ${basic}` ? 200 : 401 });
};

/** Makes one. */
export function machine({ taken, bridge }: MachineOptions): Machine {
  const routes = taken.map((destination) => ({ destination, gateway: "192.0.2.1", index: 2 }));
  const links = new MemoryLinks({ ...plainMachine, routes: [...plainMachine.routes, ...routes] });
  if (bridge !== undefined) {
    links.addBridge("docker0", "02:00:00:00:00:03");
    links.addAddress("docker0", bridge);
    links.setUp("docker0");
  }
  const host = memoryHost({
    env: { HOME: "/root" },
    files: {
      "/etc/resolv.conf": "nameserver 192.0.2.53\n",
      "/proc/sys/net/ipv4/ip_forward": "0\n",
    },
    exec: { iptables: { stdout: "iptables v1.4.21\n" }, "iptables-save": {}, "iptables-restore": {} },
    net: { links: () => links },
    fetch: index,
  });
  return { host, links };
}

/** The commands that the packet filter was given, `<table> <command>`, in order. */
export function rulesOf({ exec }: MemoryHost): string[] {
  let table = "";
  return exec.calls
    .filter(({ command }) => command === "iptables-restore")
    .flatMap(({ input }) => input.toString().split("\n"))
    .flatMap((line) => {
      if (line.startsWith("*")) table = line.slice(1);
      return /^-[AIDNFX] /.test(line) ? [`${table.padEnd(6)} ${line}`] : [];
    });
}
