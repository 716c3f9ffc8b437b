/**
 * The list of containers.
 *
 * @origin daemon/list.go
 * @module
 */

import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { Table } from "../engine/table.ts";
import { SystemError } from "../errdefs/errdefs.ts";
import { fromParam } from "../pkg/parsers/filters/parse.ts";
import { parseInteger } from "../pkg/strconv/strconv.ts";
import type { Container } from "./container.ts";
import { createdSeconds } from "./created.ts";
import type { Daemon } from "./daemon.ts";
import { portMappingApi } from "./network-settings.ts";

/**
 * Job `containers`: `all`, `since`, `before`, `limit`, `size`, `filters`; `extended` for clients of today.
 *
 * @origin daemon/list.go Containers
 * @deviation No lock is held while sizes are found; with the vfs driver 1.2.0 waits for the one that it holds itself,
 *   and the container can never be asked for again.
 */
export async function containers(daemon: Daemon, job: Job): Promise<void> {
  const filters = fromParam(job.getenv("filters"));
  const exited = (filters.get("exited") ?? []).map((value) => parseInteger(value));
  const chosen = select(daemon.list(), {
    all: job.getenvBool("all"),
    limit: job.getenvInt("limit"),
    since: boundary(daemon, job.getenv("since")),
    before: boundary(daemon, job.getenv("before")),
    exited,
  });
  const names = new Map<string, string[]>();
  for (const { id, fullPath } of daemon.containerGraph.children("/", -1)) {
    const known = names.get(id);
    if (known === undefined) names.set(id, [fullPath]);
    else known.push(fullPath);
  }
  const size = job.getenvBool("size");
  const extended = job.getenvBool("extended");
  const table = new Table("Created");
  for (const container of chosen) {
    const out = new Env();
    out.set("Id", container.id);
    out.setList("Names", names.get(container.id));
    // As 1.2.0 has it, twelve digits of an id may be a number; clients of today want a text.
    const setText = (key: string, text: string) => (extended ? out.setJson(key, text) : out.set(key, text));
    setText("Image", daemon.repositories.imageName(container.image));
    setText("Command", extended ? commandText(container).slice(1, -1) : commandText(container));
    out.setInt("Created", createdSeconds(container));
    out.set("Status", container.state.describe(extended ? container.state.shellExitCode : container.state.exitCode));
    out.setJson("Ports", portMappingApi(container.networkSettings));
    if (size) {
      out.setInt("SizeRw", await daemon.driver.diffSize(container.id, `${container.id}-init`));
      out.setInt("SizeRootFs", 0);
    }
    table.add(out);
  }
  table.reverseSort();
  await table.writeListTo(job.stdout);
}

function boundary(daemon: Daemon, name: string): Container | undefined {
  if (name === "") return undefined;
  const container = daemon.get(name);
  if (container === undefined) throw new SystemError(`Could not find container with name or id ${name}`);
  return container;
}

/** What is asked for. */
export interface Selection {
  readonly all: boolean;
  /** 0 and less: no limit. */
  readonly limit: number;
  /** Only newer ones. */
  readonly since: Container | undefined;
  /** Only older ones. */
  readonly before: Container | undefined;
  /** Exit codes; empty: any. */
  readonly exited: readonly number[];
}

/** @param newestFirst - all containers @origin daemon/list.go Containers (writeCont) */
export function select(newestFirst: readonly Container[], wanted: Selection): Container[] {
  const { all, limit, since, before, exited } = wanted;
  const chosen: Container[] = [];
  let passed = before === undefined;
  for (const container of newestFirst) {
    const { running, exitCode } = container.state;
    if (!running && !all && limit <= 0 && since === undefined && before === undefined) continue;
    if (!passed) {
      passed = container === before;
      continue;
    }
    if (limit > 0 && chosen.length === limit) break;
    if (container === since) break;
    if (exited.length > 0 && !running && !exited.includes(exitCode)) continue;
    chosen.push(container);
  }
  return chosen;
}

/** The command with quotes around it and around each argument with a blank. */
export function commandText({ path, args }: Pick<Container, "path" | "args">): string {
  const words = [path, ...args.map((arg) => (arg.includes(" ") ? `'${arg}'` : arg))];
  return `"${words.join(" ")}"`;
}
