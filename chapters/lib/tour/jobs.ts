/**
 * Where each job is written: what the tour prints behind a job's name.
 *
 * @module
 */

/** Job → the file of its handler. */
export const JOB_FILES: Readonly<Record<string, string>> = {
  acceptconnections: "src/api/server/server.ts",
  allocate_interface: "src/daemon/networkdriver/bridge/driver.ts",
  allocate_port: "src/daemon/networkdriver/bridge/driver.ts",
  attach: "src/daemon/attach.ts",
  commands: "src/engine/engine.ts",
  container_inspect: "src/daemon/inspect.ts",
  containers: "src/daemon/list.ts",
  create: "src/daemon/create.ts",
  delete: "src/daemon/delete.ts",
  history: "src/graph/history.ts",
  images: "src/graph/list.ts",
  init_networkdriver: "src/daemon/networkdriver/bridge/driver.ts",
  log: "src/events/events.ts",
  pull: "src/graph/pull.ts",
  release_interface: "src/daemon/networkdriver/bridge/driver.ts",
  serveapi: "src/api/server/server.ts",
  start: "src/daemon/start.ts",
  version: "src/builtins/builtins.ts",
  wait: "src/daemon/wait.ts",
};

/** The name in an engine's log line `[0123abcd] +job pull(busybox, latest)`; `undefined` for any other line. */
export function startedJob(line: string): { name: string; args: string } | undefined {
  const match = /^\[[0-9a-f]{8}\] \+job (\w+)\((.*)\)$/.exec(line);
  return match ? { name: match[1] ?? "", args: match[2] ?? "" } : undefined;
}
