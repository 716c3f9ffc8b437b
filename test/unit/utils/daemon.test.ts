import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { createPidFile, removePidFile } from "../../../src/utils/daemon.ts";

const PIDFILE = "/var/run/docker.pid";

/** A machine with a pid file and some processes: id → command line, `undefined` when it is hidden from us. */
function machine(content: string | undefined, processes: Record<number, string[] | undefined> = {}) {
  const files: Record<string, string | null> = { "/var/run": null, "/proc": null };
  if (content !== undefined) files[PIDFILE] = content;
  for (const [pid, words] of Object.entries(processes)) {
    if (words === undefined) files[`/proc/${pid}`] = null;
    else files[`/proc/${pid}/cmdline`] = words.map((word) => `${word}\0`).join("");
  }
  const host = memoryHost({ files });
  return { host, read: () => host.fs.readFile(PIDFILE, "utf8") };
}

test("createPidFile() writes the process id without a newline and leaves nothing else", async () => {
  const { host, read } = machine(undefined);
  await createPidFile(PIDFILE, host);
  expect(await read()).toBe("4242");
  expect(await host.fs.readdir("/var/run")).toEqual(["docker.pid"]);
  expect((await host.fs.stat(PIDFILE)).mode & 0o777).toBe(0o644);
});

test.each([
  ["a docker", ["/usr/bin/docker", "-d"]],
  ["today's daemon", ["dockerd"]],
  ["a versioned docker", ["./docker-1.2.0", "-d"]],
  ["this program under its interpreter", ["node", "--enable-source-maps", "/opt/drydock/bin/docker", "-d"]],
  // What bin/docker starts: the path goes through bin, and is no file's real one.
  ["this program as it is built", ["node", "/opt/drydock/bin/../dist/docker.cjs", "-d"]],
  ["this program from its sources", ["node", "tsx", "src/docker/bin.ts", "-d"]],
  ["a process whose command line is hidden", undefined],
])("createPidFile() refuses while %s has the number", async (_, words) => {
  const { host, read } = machine("17", { 17: words });
  await expect(createPidFile(PIDFILE, host)).rejects.toThrow(
    "pid file found, ensure docker is not running or delete /var/run/docker.pid",
  );
  expect(await read()).toBe("17");
});

test.each([
  ["a process that is gone", "17", {}],
  ["another program", "17", { 17: ["sleep", "1000"] }],
  ["a program that works on docker's files", "17", { 17: ["tail", "-f", "/var/log/docker.log"] }],
  ["a process that is ending", "17", { 17: [] }],
  ["this very process", "4242", { 4242: ["/usr/bin/docker", "-d"] }],
  ["nothing", "", {}],
  ["a number with a newline", "17\n", { 17: ["docker"] }],
  ["no number", "docker", {}],
  ["a negative number", "-17", { 17: ["docker"] }],
  ["a huge number", "99999999999999999999", {}],
])("createPidFile() replaces a file that names %s", async (_, content, processes) => {
  const { host, read } = machine(content, processes);
  await createPidFile(PIDFILE, host);
  expect(await read()).toBe("4242");
});

test("createPidFile() does not write through a link, and clears what an interrupted start left", async () => {
  const { host, read } = machine(undefined);
  await host.fs.writeFile("/etc-passwd", "root");
  await host.fs.symlink("/etc-passwd", PIDFILE);
  await host.fs.writeFile(`${PIDFILE}.4242`, "half");
  await createPidFile(PIDFILE, host);
  expect([await read(), await host.fs.readFile("/etc-passwd", "utf8")]).toEqual(["4242", "root"]);
  expect(await host.fs.readdir("/var/run")).toEqual(["docker.pid"]);
});

test("createPidFile() reports a directory in its place, and a folder that is not there", async () => {
  const { host } = machine(undefined);
  await host.fs.mkdir(PIDFILE);
  await expect(createPidFile(PIDFILE, host)).rejects.toThrow("open /var/run/docker.pid: is a directory");
  await expect(createPidFile("/missing/docker.pid", host)).rejects.toThrow(
    "open /missing/docker.pid: no such file or directory",
  );
});

test("removePidFile() removes the file, and logs when it cannot", async () => {
  const { host } = machine("4242");
  const log = new Logger(host);
  await removePidFile(PIDFILE, host, log);
  expect(await host.fs.readdir("/var/run")).toEqual([]);
  expect(host.stderr.text).toBe("");
  await removePidFile(PIDFILE, host, log);
  expect(host.stderr.text).toMatch(
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d Error removing \/var\/run\/docker\.pid: remove \/var\/run\/docker\.pid: no such file or directory\n$/,
  );
});
