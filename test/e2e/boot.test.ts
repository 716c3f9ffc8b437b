/**
 * Starts that cannot succeed, and starts that must: what is in the way of a daemon.
 */

import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DRYDOCK, hasRoot, listDir, makeNetns, run, startDaemon, type TestNetns } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";
import { ask } from "../support/traces.ts";

const isRoot = hasRoot("network namespaces need root");
const describeRoot = describe.runIf(isRoot);

let netns: TestNetns;
let registry: TestRegistry;

beforeAll(async () => {
  if (!isRoot) return;
  netns = makeNetns();
  registry = await startRegistry(netns.prefix);
  await registry.push("base", [BUSYBOX]);
});
afterAll(async () => {
  await registry?.stop();
  netns?.remove();
});

describeRoot("a daemon that cannot start says why in one line, exits with 1 and leaves nothing", () => {
  let dir: string;
  let serial = 0;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "dd-boot-"));
  });
  afterAll(() => {
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    for (const path of mounts.map((line) => line.split(" ")[4] ?? "")) {
      if (path.startsWith(dir)) spawnSync("umount", ["-l", path]);
    }
    rmSync(dir, { recursive: true, force: true });
  });

  /** A search path with everything but these programs. */
  const without = (...programs: string[]) => {
    const path = mkdtempSync(join(dir, "path-"));
    for (const bin of ["/usr/local/bin", "/usr/sbin", "/usr/bin"]) {
      for (const name of listDir(bin)) {
        if (!programs.includes(name) && !existsSync(join(path, name))) symlinkSync(join(bin, name), join(path, name));
      }
    }
    return { PATH: path };
  };
  interface Case {
    readonly what: string;
    readonly line: RegExp;
    readonly prepare?: (at: string) => unknown;
    readonly args?: (inUse: string) => string[];
    readonly env?: () => Record<string, string>;
  }
  const cases: Case[] = [
    {
      what: "a directory for a pid file",
      line: /open .*\/pid: is a directory/,
      prepare: (at) => mkdirSync(join(at, "pid")),
    },
    {
      what: "a folder that is not there for it",
      line: /open \/no\/pid: no such file or directory/,
      args: () => ["-p", "/no/pid"],
    },
    {
      what: "a file for a socket",
      line: /s: it is no socket/,
      prepare: (at) => writeFileSync(join(at, "s"), "precious"),
    },
    {
      what: "a file for a root",
      line: /mkdir .*\/root: file exists.*use -g/,
      prepare: (at) => writeFileSync(join(at, "root"), "precious"),
    },
    { what: "a root below /proc", line: /mkdir \/proc\/x: no such file.*use -g/, args: () => ["-g", "/proc/x"] },
    {
      what: "a root that is read-only",
      line: /Cannot use .*\/root: read-only file system.*use -g/,
      prepare: (at) => {
        mkdirSync(join(at, "root"));
        spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "none", join(at, "root")]);
      },
    },
    {
      what: "another engine's root",
      line: /another engine has written there/,
      prepare: (at) => mkdirSync(join(at, "root/overlay2"), { recursive: true }),
    },
    { what: "a root in use", line: /in use by another daemon \(pid \d+\)/, args: (inUse) => ["-g", inUse] },
    { what: "no runc", line: /runc is not on PATH. Install it/, env: () => without("runc") },
    {
      what: "no iptables",
      line: /Iptables not found. Install it .*--iptables=false/,
      env: () => without("iptables"),
    },
  ];
  test("whatever is in the way", async () => {
    const first = await startDaemon({ netns });
    try {
      for (const { what, line, prepare, args, env } of cases) {
        const at = join(dir, String(serial++));
        mkdirSync(at);
        prepare?.(at);
        const before = listDir(at);
        const words = [
          ...[...netns.prefix, DRYDOCK, "-d", "-H", `unix://${at}/s`, "-p", `${at}/pid`, "-g", `${at}/root`],
          ...(args?.(first.root) ?? []),
        ];
        const { code, stderr } = await run(words, { env: env?.() ?? {}, timeoutMs: 15_000 });
        expect(`${what}: ${code} ${stderr}`).toMatch(/^[^:]*: 1 /);
        // The line that ends the process; the job's own copy of it may come before.
        const said = stderr
          .split("\n")
          .filter((text) => /^\d{4}\/\d\d\/\d\d/.test(text) && !text.includes("docker daemon:"));
        expect(said).toEqual([expect.stringMatching(line)]);
        expect(stderr).not.toMatch(/\n\s+at /);
        const left = listDir(at).filter((entry) => entry !== "root");
        expect(`${what}: ${left}`).toBe(`${what}: ${before.filter((entry) => entry !== "root")}`);
        for (const entry of ["s", "root"]) {
          if (before.includes(entry) && lstatSync(join(at, entry)).isFile())
            expect(readFileSync(join(at, entry), "utf8")).toBe("precious");
        }
      }
      expect((await ask(first, "GET", "/_ping")).body).toBe("OK");
    } finally {
      expect(await first.remove()).toEqual([]);
    }
  });

  test("and a stale pid file or a broken file of names is in nobody's way", async () => {
    const sleeper = spawn("sleep", ["1000"]);
    const root = join(dir, "stale");
    const image = `${registry.address}/base`;
    const container = { Image: image, Cmd: ["true"] };
    try {
      for (const text of ["", "hello\n", "-1", "9".repeat(100_000), String(sleeper.pid)]) {
        const pidFile = join(dir, `pid${serial++}`);
        writeFileSync(pidFile, text);
        const daemon = await startDaemon({ netns, root, args: ["-p", pidFile] });
        expect(readFileSync(pidFile, "utf8")).toBe(String(daemon.process.pid));
        if (text === "") expect((await daemon.docker("pull", image)).code).toBe(0);
        else expect((await ask(daemon, "POST", `/containers/create?name=c${serial}`, container)).status).toBe(201);
        await daemon.remove();
      }
      writeFileSync(join(root, "linkgraph.db"), "garbage".repeat(1000));
      writeFileSync(join(root, "repositories-overlay"), "{");
      const daemon = await startDaemon({ netns, root });
      expect(JSON.parse((await ask(daemon, "GET", "/containers/json?all=1")).body)).toHaveLength(4);
      expect((await daemon.docker("inspect", "-f", "{{.Name}}", `c${serial}`)).stdout).toBe(`/c${serial}\n`);
      expect(listDir(root).filter((name) => name.endsWith(".corrupt"))).toEqual([
        "linkgraph.db.corrupt",
        "repositories-overlay.corrupt",
      ]);
      await daemon.remove();
    } finally {
      sleeper.kill();
    }
  });
});
