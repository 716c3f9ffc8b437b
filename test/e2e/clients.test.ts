/**
 * The main job through both command lines: ours, and the unmodified `docker` of today.
 */

import { spawn } from "@lydell/node-pty";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { okWith } from "../support/commands.ts";
import { clientWords, DRYDOCK, hasRoot, run, startDaemon, type TestDaemon, TODAY } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("containers need root");

let daemon: TestDaemon;
let registry: TestRegistry;

beforeAll(async () => {
  if (!isRoot) return;
  daemon = await startDaemon();
  registry = await startRegistry(daemon.netns.prefix);
  await registry.push("busybox", [BUSYBOX]);
  await registry.push(
    "six",
    [BUSYBOX, { "a/1": "one" }, { "a/2": "two" }, { "a/.wh.1": "" }, { "b/x": "x" }, { "a/3": "three" }],
    { format: "oci", config: { Cmd: ["ls", "/a"] } },
  );
});

afterAll(async () => {
  await registry?.stop();
  if (daemon) expect(await daemon.remove()).toEqual([]);
});

describe.runIf(isRoot).each([
  ["our client", DRYDOCK, {}],
  ["today's client", TODAY, {}],
  // Before 1.30 it waits for a container's end by following the events.
  ["today's client at API 1.24", TODAY, { DOCKER_API_VERSION: "1.24" }],
] as const)("%s", (_name, binary, variables) => {
  const words = (...args: string[]) => [...clientWords(daemon, binary), ...args];
  const env = () => ({ HOME: daemon.dir, ...variables });
  const docker = (...args: string[]) => run(words(...args), { env: env() });
  const image = () => `${registry.address}/busybox`;

  const ok = (...args: string[]) => okWith(docker, ...args);

  test("version and info tell who answers", async () => {
    expect(await ok("version")).toContain("1.2.0");
    expect(await ok("info")).toMatch(/Storage Driver: overlay/);
  });

  test("pull stores the image once, under the id of its configuration", async () => {
    const out = await ok("pull", `${image()}:latest`);
    expect(out).toMatch(/Status: (Downloaded newer image|Image is up to date) for /);
    expect(await ok("images")).toContain(`${registry.address}/busybox`);
    expect(await ok("pull", `${image()}:latest`)).toContain("Image is up to date");
  });

  test("a six-layer image shows all its layers as one tree", async () => {
    await ok("pull", `${registry.address}/six:latest`);
    expect(await ok("run", "--rm", `${registry.address}/six`)).toBe("2\n3\n");
    expect((await ok("history", "-q", `${registry.address}/six`)).trim().split("\n")).toHaveLength(6);
  });

  test("run delivers output, errors, input and the exit code", async () => {
    expect(await ok("run", "--rm", image(), "echo", "hi")).toBe("hi\n");
    const failed = await docker("run", "--rm", image(), "sh", "-c", "echo out; echo err >&2; exit 7");
    expect(failed).toEqual({ code: 7, stdout: "out\n", stderr: "err\n" });
    const piped = await run(words("run", "--rm", "-i", image(), "cat"), { input: "from outside\n", env: env() });
    expect(piped).toMatchObject({ code: 0, stdout: "from outside\n" });
  });

  test("run names a program that is not in the image", async () => {
    const result = await docker("run", image(), "nosuchcommand");
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('exec: "nosuchcommand": executable file not found in $PATH');
  });

  test("run -it has a terminal of the right size that follows ours", async () => {
    const [command = "", ...args] = words("run", "-it", "--rm", image(), "sh");
    const pty = spawn(command, args, { cols: 91, rows: 27, env: { ...process.env, ...env() } });
    let screen = "";
    pty.onData((data) => {
      screen += data;
    });
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    const until = (text: string | RegExp) => expect.poll(() => screen, { timeout: 15_000 }).toMatch(text);
    await until(/# /);
    pty.write("stty size\r");
    await until(/27 91/);
    pty.resize(120, 40);
    await expect
      .poll(
        async () => {
          pty.write("stty size\r");
          return screen;
        },
        { timeout: 15_000, interval: 300 },
      )
      .toMatch(/40 120/);
    pty.write("exit 9\r");
    expect(await ended).toBe(9);
  });

  test("run -d -p publishes a port that answers", async () => {
    const id = (await ok("run", "-d", "-p", "8080:80", image(), "httpd", "-f", "-h", "/www")).trim();
    await expect
      .poll(async () => (await daemon.inside("curl", "-s", "--max-time", "2", "http://127.0.0.1:8080/")).stdout, {
        timeout: 10_000,
      })
      .toBe("hello from inside\n");
    expect(await ok("ps")).toMatch(/0\.0\.0\.0:8080->80\/tcp/);
    const address = (await ok("inspect", "-f", "{{.NetworkSettings.IPAddress}}", id)).trim();
    expect(address).toMatch(/^172\.17\.\d+\.\d+$/);
    expect((await daemon.inside("curl", "-s", `http://${address}/`)).stdout).toBe("hello from inside\n");
    const again = await docker("run", "-d", "-p", "8080:80", image(), "true");
    expect(again.code).not.toBe(0);
    expect(again.stderr).toContain("Bind for 0.0.0.0:8080 failed: port is already allocated");
    await ok("kill", id);
    await ok("rm", id);
    expect((await daemon.inside("curl", "-s", "--max-time", "2", "http://127.0.0.1:8080/")).code).not.toBe(0);
  });

  test("logs -f follows to the end; ps -a, wait, stop, start and rm see the same container", async () => {
    const id = (await ok("run", "-d", image(), "sh", "-c", "echo one; sleep 1; echo two; exit 4")).trim();
    expect(await ok("logs", "-f", id)).toBe("one\ntwo\n");
    expect((await ok("wait", id)).trim()).toBe("4");
    expect(await ok("ps", "-a")).toMatch(new RegExp(`${id.slice(0, 12)}[^\\n]*Exited \\(4\\)`));
    await ok("start", id);
    await ok("stop", "-t", "1", id);
    expect(await ok("inspect", "-f", "{{.State.Running}}", id)).toBe("false\n");
    await ok("rm", id);
    expect((await docker("inspect", id)).code).toBe(1);
  });

  test("attach joins a running container; a name is unique", async () => {
    const script = "trap 'echo late; exit 3' USR1; while :; do sleep 0.1; done";
    await ok("run", "-d", "--name", "web", image(), "sh", "-c", script);
    const twice = await docker("run", "--name", "web", image(), "true");
    expect(twice.code).not.toBe(0);
    expect(twice.stderr).toContain("Conflict");
    const before = daemon.log().length;
    const attached = docker("attach", "web");
    await expect.poll(() => daemon.log().slice(before), { timeout: 30_000 }).toContain("+job attach(web)");
    await ok("kill", "-s", "USR1", "web");
    expect(await attached).toMatchObject({ code: 3, stdout: "late\n" });
    await ok("rm", "web");
  });

  test("events tells a container's life", async () => {
    const since = String(Math.floor(Date.now() / 1000) - 1);
    await ok("run", "--rm", "--name", "life", image(), "true");
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const out = await ok("events", "--since", since, "--until", until);
    expect(out).toMatch(/create[\s\S]*start[\s\S]*die[\s\S]*destroy/);
  });

  test("tag and rmi: the last name takes the image away", async () => {
    await ok("tag", image(), "other:v1");
    expect(await ok("rmi", "other:v1")).toContain("Untagged: other:v1");
    const list = (await ok("ps", "-aq")).trim();
    if (list !== "") await ok("rm", "-f", ...list.split("\n"));
    expect(await ok("rmi", `${registry.address}/six:latest`)).toContain("Deleted: ");
    expect((await docker("run", "--rm", "nothing-of-this-name", "true")).code).not.toBe(0);
  });
});
