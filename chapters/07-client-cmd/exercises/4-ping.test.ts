import { expect, test } from "vitest";
import { DockerCli } from "../../../src/api/client/cli.ts";
import { commands } from "../../../src/api/client/commands.ts";
import { main } from "../../../src/docker/docker.ts";
import { subject } from "../../lib/exercise.ts";
import { makeWorld } from "../world.ts";

const { cmdPing } = await subject<typeof import("./4-ping.solution.ts")>(import.meta.url);

/** A client that knows one command more. */
class PingingCli extends DockerCli {
  override readonly commands = new Map([
    ...commands,
    ["CmdPing", { name: "ping", description: "Ask whether the daemon is there", load: async () => cmdPing }],
  ]);
}

/** Runs a command line with it. */
async function run(...args: string[]) {
  const { shell } = await makeWorld({});
  const newClient = (...parts: ConstructorParameters<typeof DockerCli>) => new PingingCli(...parts);
  const status = await main(args, shell, { argv0: "docker", mainDaemon: async () => undefined, newClient });
  return { status, stdout: shell.stdout.text, stderr: shell.stderr.text };
}

test("exercise 4: docker ping prints what the daemon says, however it is typed", async () => {
  expect(await run("ping")).toEqual({ status: 0, stdout: "OK\n", stderr: "" });
  expect(await run("PING")).toEqual({ status: 0, stdout: "OK\n", stderr: "" });
});

test("exercise 4: it takes no arguments, and has a usage screen", async () => {
  expect(await run("ping", "me")).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringMatching(/^\nUsage: docker ping/),
  });
  expect(await run("help", "ping")).toMatchObject({ status: 2, stdout: "" });
});

test("exercise 4: without a daemon it fails as every command does", async () => {
  const { status, stdout, stderr } = await run("-H", "tcp://127.0.0.1:9", "ping");
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("Cannot connect to the Docker daemon.");
});
