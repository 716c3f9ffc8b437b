/** The recorded command lines that need no daemon, run in this process. */

import { mkdirSync, writeFileSync } from "node:fs";
import nodeFs from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import type { FileSystem, Host } from "../../../src/host/host.ts";
import { docker } from "../../support/docker.ts";
import { asGo13, type CliRecord, cliRecords, splitHelp, withoutTimes } from "../../support/golden-cli.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/** Records that say something else here, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  "global_flags.046": "1.2.0 crashes on DOCKER_HOST=127.0.0.1:9, which it has accepted before",
  "global_flags.059": "the text is of the newer Go's TLS library",
  "global_flags.075": "--registry-mirror exists here",
  "global_flags.076": "--insecure-registry exists here",
  "usage_errors.077": "several images may be saved at once",
  "usage_errors.192": "registries of today have namespaces of two letters",
};

/** What stands for an id of the records. */
const ID = "4986bf8c15363d1c5d15512d5266f8777bfba4974ac56e3270e7760f6f0a8125";

/** Flags of the daemon that came after 1.2.0. */
const NEWER = new Set(["--fixed-cidr", "--insecure-registry", "--ip-masq", "--registry-mirror"]);

const directory = temporaryDirectory("golden-client-");
const work = join(directory, "work");
const home = join(directory, "home");
mkdirSync(work);
mkdirSync(home);

/** The file system as seen from the directory the records were made in. */
const fs = new Proxy(nodeFs as FileSystem, {
  get:
    (target, name) =>
    (path: string, ...rest: unknown[]) =>
      (target[name as keyof FileSystem] as (...args: unknown[]) => unknown)(resolve(work, path), ...rest),
});

/** A network without daemons. */
const net = {
  dial: async (proto: string) => {
    throw Object.assign(new Error("connect"), {
      syscall: "connect",
      code: proto === "unix" ? "ENOENT" : "ECONNREFUSED",
    });
  },
} as unknown as Host["net"];

/** Whether the record boots a daemon. */
function boots({ argv, exit }: CliRecord): boolean {
  return argv[1] === "-d" && exit !== 2;
}

const records = ["help_screens", "usage_errors", "global_flags"].flatMap(cliRecords);
const mine = records.filter((record) => !boots(record) && !(record.id in DIFFERENT));

test("most of the recorded command lines are compared", () => {
  expect(mine.length).toBeGreaterThan(220);
});

/** How many records have had their files written. */
let reached = 0;

test.each(mine.map((record) => [record.id, record.argv.slice(1).join(" "), record] as const))(
  "%s docker %s",
  async (_, __, record) => {
    // A file of a record stays for those after it, as commands leave it.
    const from = reached;
    reached = Math.max(from, records.indexOf(record) + 1);
    for (const { before } of records.slice(from, reached)) {
      for (const { files } of before ?? []) {
        for (const [path, content] of Object.entries(files ?? {})) {
          mkdirSync(dirname(join(work, path)), { recursive: true });
          writeFileSync(join(work, path), content);
        }
      }
    }
    const outcome = await docker(
      record.argv.slice(1).map((word) => word.replace("<id1>", ID)),
      { env: { HOME: home, ...record.env }, host: { fs, net } },
    );
    const { stderr, help } = splitHelp(outcome);
    expect({
      exit: outcome.code,
      stdout: outcome.stdout.replace("node20", "<goversion>"),
      stderr: withoutTimes(stderr).replaceAll(home, "<home>").replaceAll(ID, "<id1>"),
      help: help && { ...help, flags: help.flags.filter(({ names }) => !names.some((name) => NEWER.has(name))) },
    }).toEqual({
      exit: record.exit,
      stdout: record.stdout,
      stderr: asGo13(record.stderr),
      help: record.help && {
        ...record.help,
        flags: record.help.flags.map(({ names, ...rest }) => ({
          names,
          default: rest.default.replaceAll("<home>", home),
        })),
      },
    });
  },
);

/** The commands of 1.2.0's help screen, in its order. */
const HELP = [
  ["attach", "Attach to a running container"],
  ["build", "Build an image from a Dockerfile"],
  ["commit", "Create a new image from a container's changes"],
  ["cp", "Copy files/folders from a container's filesystem to the host path"],
  ["diff", "Inspect changes on a container's filesystem"],
  ["events", "Get real time events from the server"],
  ["export", "Stream the contents of a container as a tar archive"],
  ["history", "Show the history of an image"],
  ["images", "List images"],
  ["import", "Create a new filesystem image from the contents of a tarball"],
  ["info", "Display system-wide information"],
  ["inspect", "Return low-level information on a container"],
  ["kill", "Kill a running container"],
  ["load", "Load an image from a tar archive"],
  ["login", "Register or log in to a Docker registry server"],
  ["logout", "Log out from a Docker registry server"],
  ["logs", "Fetch the logs of a container"],
  ["port", "Lookup the public-facing port that is NAT-ed to PRIVATE_PORT"],
  ["pause", "Pause all processes within a container"],
  ["ps", "List containers"],
  ["pull", "Pull an image or a repository from a Docker registry server"],
  ["push", "Push an image or a repository to a Docker registry server"],
  ["restart", "Restart a running container"],
  ["rm", "Remove one or more containers"],
  ["rmi", "Remove one or more images"],
  ["run", "Run a command in a new container"],
  ["save", "Save an image to a tar archive"],
  ["search", "Search for an image on the Docker Hub"],
  ["start", "Start a stopped container"],
  ["stop", "Stop a running container"],
  ["tag", "Tag an image into a repository"],
  ["top", "Lookup the running processes of a container"],
  ["unpause", "Unpause a paused container"],
  ["version", "Show the Docker version information"],
  ["wait", "Block until a container stops, then print its exit code"],
] as const;

test("the help screen is 1.2.0's to the letter", async () => {
  const { stderr } = await docker([]);
  const lines = HELP.map(([name, text]) => `    ${name.padEnd(10)}${text}\n`);
  expect(stderr).toBe(
    "Usage: docker [OPTIONS] COMMAND [arg...]\n -H=[unix:///var/run/docker.sock]: tcp://host:port to bind/connect to or unix://path/to/socket to use\n" +
      `\nA self-sufficient runtime for linux containers.\n\nCommands:\n${lines.join("")}\n`,
  );
});
