/**
 * `npm start`: boots the engine in the foreground and shows its main job, step by step.
 *
 * The daemon runs in this process, with its real parts; only its log goes to the narrator instead of the terminal. The
 * commands are run by the real client, as a reader would type them.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { register } from "../../../src/builtins/builtins.ts";
import { newDaemon } from "../../../src/daemon/new-daemon.ts";
import { type DaemonParts, mainDaemon } from "../../../src/docker/daemon.ts";
import { installDockerFlags } from "../../../src/docker/flags.ts";
import { VERSION } from "../../../src/dockerversion/dockerversion.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import { messageOf } from "../../../src/errdefs/errdefs.ts";
import type { Host } from "../../../src/host/host.ts";
import { linuxHost } from "../../../src/host/linux/host.ts";
import { Logger } from "../../../src/pkg/log/log.ts";
import { FlagSet } from "../../../src/pkg/mflag/mflag.ts";
import { RegistryV2 } from "../registry-v2.ts";
import { serve } from "../serve.ts";
import { tourImage } from "./image.ts";
import { JOB_FILES } from "./jobs.ts";
import { Narrator } from "./narrator.ts";

const repository = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const docker = join(repository, "bin/docker");
const endAfterTour = process.argv.includes("--exit");
const isRoot = process.getuid?.() === 0;

const data = process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local/share");

/** Where the daemon of the tour lives: apart from every other Docker on this machine. */
const places = isRoot
  ? { root: "/var/lib/drydock", run: "/run/drydock" }
  : { root: join(data, "drydock"), run: join(process.env["XDG_RUNTIME_DIR"] ?? data, "drydock-run") };
const socket = join(places.run, "docker.sock");

const real = linuxHost();
const isTerminal = Boolean(process.stdout.isTTY);
const tour = new Narrator(
  (text) => process.stdout.write(text),
  isTerminal,
  () => (isTerminal ? Math.max(60, process.stdout.columns || 80) : Number.POSITIVE_INFINITY),
);
let failed = false;

/** The daemon has ended in order. */
function ended(code: number): never {
  if (!failed) tour.say("It has ended: its containers are stopped, nothing is mounted.");
  return real.signals.exit(failed && code === 0 ? 1 : code);
}

/** The real host, except that the daemon's lines go to the narrator, and a failed tour is a failed command. */
const host: Host = new Proxy(real, {
  get: (target, name: keyof Host) => {
    if (name === "stdout" || name === "stderr") return tour.log;
    if (name === "signals") return { ...target.signals, exit: ended };
    return target[name];
  },
});

/** The real parts, with a word before each. */
const parts: DaemonParts = {
  register: (eng, itsHost, log) => {
    tour.step(
      3,
      "The engine: named jobs and nothing else",
      "src/engine/engine.ts",
      `engine ${eng.toString()} knows ${handlers(eng)}: commands`,
    );
    tour.step(
      4,
      "The signal trap",
      "src/pkg/signal/trap.ts",
      "INT, TERM and QUIT end it in order; the fourth Ctrl-C at once",
    );
    const before = eng.commands().length;
    register(eng, itsHost, log);
    tour.step(
      5,
      "The builtins: handlers that need no daemon",
      "src/builtins/builtins.ts",
      `${before} → ${handlers(eng)}`,
    );
    tour.step(
      6,
      "The daemon object, in the background",
      "src/daemon/new-daemon.ts",
      "drivers, images, names, network, containers of the last run",
    );
  },
  newDaemon: async (config, eng, itsHost, log) => {
    const daemon = await newDaemon(config, eng, itsHost, log);
    const before = eng.commands().length;
    return {
      install: (engine) => {
        daemon.install(engine);
        tour.say(
          `    the daemon installs its jobs: ${before} → ${handlers(engine)}; storage driver ${daemon.driver.name}, exec driver ${daemon.execDriver.name}`,
        );
      },
    };
  },
};

function handlers(eng: Engine): string {
  const { length } = eng.commands();
  return `${length} handler${length === 1 ? "" : "s"}`;
}

/** Runs the client as a reader would, shows what it prints, and which jobs it made the daemon run. */
async function command(...words: string[]): Promise<void> {
  tour.say();
  tour.command(`$ docker ${words.join(" ")}`);
  tour.quiet();
  // On a terminal the client has it for itself: progress bars move. Tables are wider than many a window, though.
  const isTable = words[0] === "ps" || words[0] === "history";
  const rows: string[] = [];
  const elsewhere = (line: string) => line.trim() !== "" && tour.say(`  ${line}`);
  const code = await client(words, !isTerminal ? elsewhere : isTable ? (line) => rows.push(line) : undefined);
  tour.table(rows);
  for (const job of tour.loud()) {
    tour.say(`    ${tour.style("dim", "job")} ${job.padEnd(20)} ${tour.style("cyan", JOB_FILES[job] ?? "")}`);
  }
  if (code !== 0) throw new Error(`docker ${words[0]} ended with status ${code}`);
}

/** @returns the exit status */
function client(words: string[], show?: (line: string) => unknown): Promise<number> {
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}` };
  const child = spawn(docker, words, { env, stdio: show === undefined ? "inherit" : ["ignore", "pipe", "pipe"] });
  if (show !== undefined) {
    for (const input of [child.stdout, child.stderr]) if (input) createInterface({ input }).on("line", show);
  }
  return new Promise((resolve) => {
    child.once("error", () => resolve(127));
    child.once("close", (status) => resolve(status ?? 1));
  });
}

/** Bold text. */
function bold(text: string): string {
  return tour.style("bold", text);
}

async function mainJob(): Promise<void> {
  const registry = new RegistryV2();
  registry.putImage("drydock/hello", "latest", tourImage());
  const server = await serve(registry.handle);
  const image = `${server.authority}/drydock/hello`;
  try {
    tour.heading("Its main job: pull an image, run a container");
    tour.say(
      `A registry of our own listens on ${server.authority}. It holds one image, made a moment ago: three layers, the ` +
        "last of which hides a file of the second. Its only program is 225 bytes long.",
    );
    await command("pull", `${image}:latest`);
    tour.say(
      "    The layers come side by side; each is hashed, inflated and unpacked in one pass, off the event loop:",
    );
    tour.say(`    ${tour.style("cyan", "src/graph/pull-v2.ts → src/registry/v2/ → src/archive/unpack-worker.ts")}`);
    await command("history", image);
    await command(
      "run",
      "--name",
      "hello-from-drydock",
      image,
      ...["echo", "hello", "from", "a", "container", ...(isRoot ? [] : ["on", "paper"])],
    );
    tour.say(
      isRoot
        ? "    The layers are laid over each other by the kernel, eth0 gets an address, runc starts the process:"
        : "    Without root nothing is started: the bundle that runc would be given is written down instead:",
    );
    tour.say(
      `    ${tour.style("cyan", isRoot ? "src/daemon/start.ts → src/daemon/execdriver/native/driver.ts → src/daemon/monitor.ts" : "src/daemon/start.ts → src/daemon/execdriver/dry/driver.ts")}`,
    );
    await command("ps", "-a");
    await command("rm", "hello-from-drydock");
  } finally {
    await server.close();
  }
}

/** What an earlier tour has left: its container, whose name must be free, and its image, which is to be pulled again. */
async function removeOld(): Promise<void> {
  tour.quiet();
  await client(["rm", "-f", "hello-from-drydock"], () => {});
  const images: string[] = [];
  await client(["images"], (line) => {
    const name = /^127\.0\.0\.1:\d+\/drydock\/hello(?= )/.exec(line);
    if (name) images.push(name[0]);
  });
  if (images.length > 0) await client(["rmi", ...images], () => {});
  tour.loud();
}

/** Whether a daemon answers where ours is to be. */
function isServed(): Promise<boolean> {
  return real.net.dial("unix", socket).then(
    (connection) => Boolean(connection.destroy()),
    () => false,
  );
}

async function main(): Promise<void> {
  tour.say(bold(`Drydock: Docker ${VERSION}, taken apart in TypeScript`));
  tour.say("What follows is the start-up of 2014, as it happens; the lines behind │ are the daemon's own.");
  if (!isRoot)
    tour.say("You are not root: layers are plain directories, containers are written down, there is no bridge.");
  mkdirSync(places.run, { recursive: true, mode: 0o711 });
  if (await isServed()) {
    tour.say();
    tour.say(`It is running already, and serves ${socket}. Use it from here:`);
    tour.say();
    tour.say(`  export DOCKER_HOST=unix://${socket}`);
    tour.say("  bin/docker ps -a");
    tour.say();
    tour.say("Or end it with Ctrl-C where it runs, and start again.");
    process.exit(1);
  }
  const args = ["-d", "-H", `unix://${socket}`, "-g", places.root, "-p", join(places.run, "docker.pid")];
  const set = new FlagSet("docker", "continue", { stderr: real.stderr, exit: (code) => real.signals.exit(code) });
  const flags = installDockerFlags(set, real.env);
  set.parse(args);
  tour.heading("The eight steps of mainDaemon");
  tour.step(1, "The configuration, from flags and defaults", "src/daemon/config.ts", `docker ${args.join(" ")}`);
  tour.step(2, "No argument may be left over", "src/docker/daemon.ts", `left over: ${set.nArg()}`);
  const log = new Logger(host);
  tour.before(/docker daemon: /, () => tour.step(7, "It says what it is", "src/docker/daemon.ts"));
  tour.before(/\+job serveapi/, () =>
    tour.step(8, "The API is served; clients wait at the gate", "src/api/server/server.ts"),
  );
  const daemon = mainDaemon(flags, host, log, set, parts);
  daemon.catch((cause: unknown) => {
    failed = true;
    tour.say();
    tour.say(`The daemon could not start: ${messageOf(cause)}`);
    process.exit(1);
  });
  // The terminal shows ^C: what follows begins on a line of its own.
  tour.before(/Received signal/, () => tour.say());
  await tour.seen(/-job acceptconnections\(\) = OK/);
  tour.say("    the gate is open");
  await removeOld();
  await mainJob();
  if (endAfterTour) return;
  tour.heading("It stays up");
  tour.say("Talk to it from a second terminal:");
  tour.say();
  tour.say(`  export DOCKER_HOST=unix://${socket}`);
  tour.say("  bin/docker ps -a          # our client; the docker command of today works too");
  tour.say();
}

main()
  .catch((cause: unknown) => {
    failed = true;
    tour.say();
    tour.say(`The tour failed: ${messageOf(cause)}`);
    tour.say("The daemon's last lines:");
    for (const line of tour.lines.slice(-15)) tour.say(`  ${line}`);
  })
  .finally(() => {
    if (endAfterTour || failed) process.kill(process.pid, "SIGTERM");
    else tour.say("Ctrl-C ends it.");
  });
