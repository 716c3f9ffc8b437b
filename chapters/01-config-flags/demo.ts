/**
 * Shows what becomes of each flag: its default, what the command line gave it, and what the daemon works with.
 *
 * The machine is made up, and such that every value that can change after parsing does: its default route has an MTU of
 * 1450, its only name server listens on loopback, and /var/lib/docker is a link to a bigger disk.
 *
 * @module
 */

import type { Host } from "../../src/host/host.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { ExitError } from "../../src/host/memory/process.ts";
import type { Links, Net } from "../../src/host/net.ts";
import type { Flag } from "../../src/pkg/mflag/mflag.ts";
import type { Writer } from "../../src/sync/io.ts";
import { type Command, complete, declare, settle } from "./main.ts";

/** What becomes of one flag; the page draws its picture from these. */
export interface Row {
  /** As typed; deprecated names in brackets. */
  readonly names: string;
  readonly byDefault: string;
  /** Empty when the command line does not name the flag. */
  readonly given: string;
  readonly effective: string;
}

/** Everything a command line leads to. */
export interface Outcome {
  readonly rows: readonly Row[];
  /** What the flags wrote: warnings, and for a wrong command line message and usage screen. */
  readonly stderr: string;
  /** What the daemon wrote to its log. */
  readonly log: string;
  /** The one field that no flag sets. */
  readonly disableNetwork: boolean;
  /** Why it goes no further, if it does not. */
  readonly end: string;
  readonly status: number;
}

/** Flags that 1.2.0 does not have: the articles name three of them. */
export const sinceThen = ["--fixed-cidr", "--insecure-registry", "--ip-masq", "--registry-mirror"];

/** Used when the reader gives no command line. */
export const example = ["-d", "-b", "br0", "-icc=false", "--dns-search", "example.com", "-r=false"];

/** A machine on which everything that can change after parsing does. */
export async function demoHost(): Promise<MemoryHost> {
  const links = {
    routes: () => [{ destination: "0.0.0.0/0", gateway: "10.0.0.1", index: 2 }],
    list: () => [{ index: 2, name: "eth0", up: true, mtu: 1450, mac: "", master: 0 }],
    close: () => undefined,
  } as unknown as Links;
  const host = memoryHost({
    env: { HOME: "/root" },
    files: { "/etc/resolv.conf": "nameserver 127.0.1.1\n", "/srv/docker": null, "/var/lib": null },
    net: { links: () => links } as Partial<Net>,
  });
  await host.fs.symlink("/srv/docker", "/var/lib/docker");
  return host;
}

const typed = (flag: Flag): string => {
  const visible = flag.names.filter((name) => !name.startsWith("#")).map((name) => `-${name}`);
  const old = flag.names.filter((name) => name.startsWith("#")).map((name) => `-${name.slice(1)}`);
  return visible.length > 0 ? visible.join(", ") : `(${old.join(", ")})`;
};

/** The text of a value: an empty one shows as quotes. */
const show = (text: string): string => (text === "" ? '""' : text);

/** Follows a command line through the four moments. */
export async function follow(args: readonly string[], host: MemoryHost): Promise<Outcome> {
  const command = declare(host);
  const flags: Flag[] = [];
  command.set.visitAll((flag) => flags.push(flag));
  try {
    command.set.parse(args);
  } catch (cause) {
    if (!(cause instanceof ExitError)) throw cause;
    const end = "The command line cannot be read.";
    return { rows: [], stderr: host.stderr.text, log: "", disableNetwork: false, end, status: cause.code };
  }
  const given = new Map(flags.map((flag) => [flag, isGiven(command, flag) ? show(flag.value.toString()) : ""]));
  const { end, status } = await run(command, host);
  const rows = flags.map((flag) => ({
    names: typed(flag),
    byDefault: show(flag.defValue),
    given: given.get(flag) ?? "",
    effective: show(flag.value.toString()),
  }));
  const { disableNetwork } = command.flags.config;
  return { rows, stderr: host.stderr.text, log: host.stdout.text, disableNetwork, end, status };
}

const isGiven = ({ set }: Command, flag: Flag): boolean => set.isSet((flag.names[0] ?? "").replace(/^#/, ""));

async function run(command: Command, host: Host): Promise<{ end: string; status: number }> {
  const { flags, set } = command;
  if (flags.version.value) return { end: "main() prints the version and ends.", status: 0 };
  try {
    complete(command, host);
    if (!flags.daemon.value) {
      return { end: "No -d: a client. It takes the daemon's flags, too, and does nothing with them.", status: 0 };
    }
    if (set.nArg() > 0) {
      return { end: `Left over: ${set.args().join(" ")}. mainDaemon() prints the usage screen and ends.`, status: 0 };
    }
    await settle(flags.config, host);
    return { end: "", status: 0 };
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return { end: cause.message, status: 1 };
  }
}

const changed = (row: Row): boolean => row.effective !== (row.given || row.byDefault);
const mark = (row: Row): string => (changed(row) ? "*" : sinceThen.includes(row.names) ? "+" : " ");

function table(rows: readonly Row[]): string {
  const head: Row = { names: "flag", byDefault: "default", given: "given", effective: "effective" };
  const keys = ["names", "byDefault", "given"] as const;
  const widths = keys.map((key) => Math.max(...[head, ...rows].map((row) => row[key].length)) + 2);
  const line = (mark: string, row: Row) =>
    `${mark} ${keys.map((key, i) => row[key].padEnd(widths[i] ?? 0)).join("")}${row.effective}`.trimEnd();
  return [line(" ", head), ...rows.map((row) => line(mark(row), row))].map((text) => `${text}\n`).join("");
}

/** Writes the table for a command line, and what the flags had to say about it. */
export async function demo(args: readonly string[], out: Writer): Promise<number> {
  const line = args.length > 0 ? args : example;
  const { rows, stderr, log, disableNetwork, end, status } = await follow(line, await demoHost());
  const parts = [`docker ${line.join(" ")}\n\n`];
  if (stderr !== "") parts.push(`${stderr}\n`);
  if (rows.length > 0) parts.push(`${table(rows)}\n  DisableNetwork: ${disableNetwork}\n\n`);
  if (rows.some(changed)) parts.push("* changed after the command line was read\n");
  if (rows.length > 0) parts.push("+ came after 1.2.0\n");
  if (log !== "") parts.push(`\n${log}`);
  parts.push(end === "" ? "" : `\n${end}\n`, `exit status ${status}\n`);
  for (const part of parts) await out.write(part);
  return status;
}
