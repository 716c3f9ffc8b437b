/**
 * The machine of the demonstration: it has a disk that takes its time, a packet filter that does, too, and faults on
 * request.
 *
 * All of it is the memory host of the project. What is added here is time: a file operation ends some milliseconds
 * after it began, on the virtual clock, and everything the daemon does becomes as slow as what it waits for.
 *
 * @module
 */

import type { FileSystem, Host } from "../../src/host/host.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { MemoryLinks, plainMachine } from "../lib/memory-links.ts";

/** What can be wrong with the machine. */
export const faults = ["pidfile", "root", "bridge", "listen"] as const;
export type Fault = (typeof faults)[number];

/** How the machine is. */
export interface MachineOptions {
  /** Milliseconds that each file operation and each program takes. */
  readonly disk: number;
  /** Containers that an earlier daemon left. */
  readonly containers: number;
  readonly fault?: Fault | undefined;
}

/** Something that happened at the border of the daemon. */
export interface Happening {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly kind: "file" | "program" | "random" | "listening" | "log" | "trap" | "step";
  /** `rename /var/run/docker.pid`, or the text that was written. */
  readonly what: string;
}

/** A machine under observation. */
export interface Machine {
  readonly host: Host;
  readonly memory: MemoryHost;
  readonly happened: Happening[];
  note(kind: Happening["kind"], what: string): void;
  /** Whether everything waits for time to pass, or for somebody outside. */
  idle(): boolean;
}

/** Where everything is. */
export const paths = { root: "/var/lib/docker", pidfile: "/var/run/docker.pid", socket: "/var/run/docker.sock" };

/** Where the kernel keeps the limits of memory. */
const cgroup = "/sys/fs/cgroup/memory";

/** The port of `--fail listen`. */
export const port = 2375;

const id = (n: number): string => `${n}`.padStart(2, "0").repeat(32);

/** What a container looks like on disk. */
function container(n: number): Record<string, string> {
  const at = `${paths.root}/containers/${id(n)}`;
  const config = { Image: "busybox", Cmd: ["true"], Hostname: id(n).slice(0, 12) };
  const state = { Running: false, ExitCode: 0, StartedAt: "2014-08-19T08:00:00Z", FinishedAt: "2014-08-19T08:00:01Z" };
  return {
    [`${at}/config.json`]: JSON.stringify({
      ID: id(n),
      Created: "2014-08-19T08:00:00Z",
      Path: "true",
      Args: [],
      Config: config,
      State: state,
      Image: "1".repeat(64),
      Name: `/old_${n}`,
      Driver: "vfs",
      ExecDriver: "native-0.2",
    }),
    [`${at}/hostconfig.json`]: "{}",
  };
}

function files({ containers, fault }: MachineOptions): Record<string, string | null> {
  const there: Record<string, string | null> = {
    "/etc/resolv.conf": "nameserver 192.0.2.1\n",
    "/etc/group": "root:x:0:\ndocker:x:106:\n",
    "/proc/sys/net/ipv4/ip_forward": "0\n",
    [`${cgroup}/memory.limit_in_bytes`]: "",
    [`${cgroup}/memory.soft_limit_in_bytes`]: "",
    [`${cgroup}/memory.memsw.limit_in_bytes`]: "",
    "/var/run": null,
    "/var/lib": null,
  };
  if (fault === "pidfile") {
    there[paths.pidfile] = "77";
    there["/proc/77/cmdline"] = "/usr/bin/docker\0-d\0";
  }
  if (containers === 0) return there;
  // A root of ours is known by its mark.
  there[`${paths.root}/.drydock`] = "";
  for (let n = 1; n <= containers; n++) Object.assign(there, container(n));
  return there;
}

/** Every address that Docker tries for its bridge belongs to somebody else. */
const taken = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((destination) => ({
  destination,
  gateway: "192.0.2.254",
  index: 2,
}));

/** What the kernel says about a disk that must not be written to. */
function readOnly(): Error {
  return Object.assign(new Error("EROFS: mkdir"), { code: "EROFS", errno: -30, syscall: "mkdir" });
}

/** Makes a machine; nothing runs on it yet. */
export async function machine(options: MachineOptions): Promise<Machine> {
  const links = new MemoryLinks(
    options.fault === "bridge" ? { ...plainMachine, routes: [...plainMachine.routes, ...taken] } : plainMachine,
  );
  const happened: Happening[] = [];
  let busy = 0;
  const memory = memoryHost({
    files: files(options),
    env: { HOME: "/root" },
    exec: {
      iptables: ({ args }) => (args[0] === "--version" ? { stdout: "iptables v1.4.21\n" } : {}),
      "iptables-save": { stdout: "*nat\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n" },
      "iptables-restore": {},
    },
  });
  memory.kernel.mount("cgroup", cgroup, "cgroup", [], "memory");
  const { net } = memory;
  // Somebody else has the port that the daemon is told to listen on.
  if (options.fault === "listen") await net.listen(net.createHttpServer(), { kind: "tcp", host: "127.0.0.1", port });
  const note: Machine["note"] = (kind, what) => void happened.push({ at: memory.clock.monotonicMs(), kind, what });

  /** Takes its time, then does it. */
  async function slowly<T>(kind: "file" | "program", what: string, work: () => Promise<T>): Promise<T> {
    note(kind, what);
    await memory.clock.sleep(options.disk);
    busy++;
    try {
      return await work();
    } finally {
      busy--;
    }
  }

  const fs = new Proxy(memory.fs, {
    get(target, name: keyof FileSystem) {
      const call = target[name] as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) =>
        slowly("file", `${name} ${String(args[0])}`, () => {
          if (options.fault === "root" && name === "mkdir" && args[0] === paths.root) throw readOnly();
          return call.apply(target, args);
        });
    },
  });
  const host: Host = {
    ...memory,
    fs,
    exec: {
      run: (command, args, given) =>
        slowly("program", [command, ...args].join(" "), () => memory.exec.run(command, args, given)),
      pipe: (command, args, input) => memory.exec.pipe(command, args, input),
      lookPath: (command) => memory.exec.lookPath(command),
    },
    net: {
      ...net,
      links: () => links,
      async listen(server, address) {
        await net.listen(server, address);
        note("listening", address.kind);
      },
    },
    random: {
      bytes(size) {
        note("random", `${size} bytes`);
        return memory.random.bytes(size);
      },
    },
    signals: {
      on(name, handler) {
        note("trap", name);
        return memory.signals.on(name, handler);
      },
      exit: (code) => memory.signals.exit(code),
    },
  };
  for (const stream of [memory.stdout, memory.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk) => {
      // Go's log package writes the local time, which is not the same everywhere.
      note("log", String(chunk).replace(/^\d{4}\/\d\d\/\d\d [\d:]{8}/, "<time>"));
      write(chunk);
    };
  }
  return { host, memory, happened, note, idle: () => busy === 0 };
}
