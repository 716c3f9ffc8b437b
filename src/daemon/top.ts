/**
 * The processes of a container.
 *
 * @origin daemon/top.go
 * @module
 */

import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { ConflictError, SystemError } from "../errdefs/errdefs.ts";
import type { Daemon } from "./daemon.ts";

/**
 * Job `top CONTAINER [PS_ARGS]`: rows of `ps` that are about the container.
 *
 * @origin daemon/top.go ContainerTop
 * @deviation The arguments are words of their own, and `ps` is told which processes to show: 1.2.0 hands it one word, and
 *   what it shows by itself. A `ps` that cannot be told is asked again without.
 */
export async function containerTop(daemon: Daemon, job: Job): Promise<void> {
  const [name, psArgs = ""] = job.args;
  if (name === undefined || job.args.length > 2) {
    throw new SystemError(`Not enough arguments. Usage: ${job.name} CONTAINER [PS_ARGS]\n`);
  }
  const container = daemon.mustGet(name);
  if (!container.state.running) throw new ConflictError(`Container ${name} is not running`);
  const pids = new Set(await daemon.execDriver.pids(container.id));
  const words = psArgs.split(/\s+/).filter(Boolean);
  const args = words.length > 0 ? words : ["-ef"];
  const run = (more: string[]) => daemon.host.exec.run("ps", [...args, ...more], { signal: job.signal });
  const first = await run([`-q${[...pids].join(",")}`]);
  const ps = first.code === 0 ? first : await run([]);
  if (ps.code !== 0) throw new SystemError(`Error running ps: ${ps.signal ?? `exit status ${ps.code}`}`);
  const { titles, processes } = parsePs(ps.stdout.toString("utf8"), pids);
  const out = new Env();
  out.setList("Titles", titles);
  out.setJson("Processes", processes);
  await out.writeTo(job.stdout);
}

/** Picks the rows of some processes; what is too much for the titles belongs to the last column. */
export function parsePs(text: string, pids: ReadonlySet<number>): { titles: string[]; processes: string[][] } {
  const [head = "", ...lines] = text.split("\n");
  const titles = head.split(/\s+/).filter(Boolean);
  const at = titles.indexOf("PID");
  if (at < 0) throw new SystemError("Couldn't find PID field in ps output");
  const processes: string[][] = [];
  for (const line of lines) {
    if (line === "") continue;
    const fields = line.split(/\s+/).filter(Boolean);
    const pid = fields[at] ?? "";
    if (!/^\d+$/.test(pid))
      throw new SystemError(`Unexpected pid '${pid}': strconv.ParseInt: parsing "${pid}": invalid syntax`);
    if (!pids.has(Number(pid))) continue;
    processes.push([...fields.slice(0, titles.length - 1), fields.slice(titles.length - 1).join(" ")]);
  }
  return { titles, processes };
}
