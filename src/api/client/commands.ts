/**
 * Every command there is, in the order of the help screen.
 *
 * A command is loaded when it is called, so that no command pays for the others.
 *
 * @origin api/client/commands.go
 * @module
 */

import type { DockerCli } from "./cli.ts";

/** What a command's module exports. */
export type Command = (cli: DockerCli, args: string[]) => Promise<void>;

/** How a command is found and described. */
export interface CommandEntry {
  /** As it is typed. */
  readonly name: string;
  /** Its line on the help screen; `undefined` keeps it off. */
  readonly description: string | undefined;
  /** Loads its module. */
  load(): Promise<Command>;
}

const entries: readonly CommandEntry[] = [
  entry("attach", "Attach to a running container", async () => (await import("./commands/attach.ts")).cmdAttach),
  entry("build", "Build an image from a Dockerfile", async () => (await import("./commands/build.ts")).cmdBuild),
  entry(
    "commit",
    "Create a new image from a container's changes",
    async () => (await import("./commands/commit.ts")).cmdCommit,
  ),
  entry(
    "cp",
    "Copy files/folders from a container's filesystem to the host path",
    async () => (await import("./commands/cp.ts")).cmdCp,
  ),
  entry(
    "diff",
    "Inspect changes on a container's filesystem",
    async () => (await import("./commands/diff.ts")).cmdDiff,
  ),
  entry("events", "Get real time events from the server", async () => (await import("./commands/events.ts")).cmdEvents),
  entry(
    "export",
    "Stream the contents of a container as a tar archive",
    async () => (await import("./commands/export.ts")).cmdExport,
  ),
  entry("history", "Show the history of an image", async () => (await import("./commands/history.ts")).cmdHistory),
  entry("images", "List images", async () => (await import("./commands/images.ts")).cmdImages),
  entry(
    "import",
    "Create a new filesystem image from the contents of a tarball",
    async () => (await import("./commands/import.ts")).cmdImport,
  ),
  entry("info", "Display system-wide information", async () => (await import("./commands/info.ts")).cmdInfo),
  entry(
    "inspect",
    "Return low-level information on a container",
    async () => (await import("./commands/inspect.ts")).cmdInspect,
  ),
  entry("kill", "Kill a running container", async () => (await import("./commands/kill.ts")).cmdKill),
  entry("load", "Load an image from a tar archive", async () => (await import("./commands/load.ts")).cmdLoad),
  entry(
    "login",
    "Register or log in to a Docker registry server",
    async () => (await import("./commands/login.ts")).cmdLogin,
  ),
  entry(
    "logout",
    "Log out from a Docker registry server",
    async () => (await import("./commands/logout.ts")).cmdLogout,
  ),
  entry("logs", "Fetch the logs of a container", async () => (await import("./commands/logs.ts")).cmdLogs),
  entry(
    "port",
    "Lookup the public-facing port that is NAT-ed to PRIVATE_PORT",
    async () => (await import("./commands/port.ts")).cmdPort,
  ),
  entry("pause", "Pause all processes within a container", async () => (await import("./commands/pause.ts")).cmdPause),
  entry("ps", "List containers", async () => (await import("./commands/ps.ts")).cmdPs),
  entry(
    "pull",
    "Pull an image or a repository from a Docker registry server",
    async () => (await import("./commands/pull.ts")).cmdPull,
  ),
  entry(
    "push",
    "Push an image or a repository to a Docker registry server",
    async () => (await import("./commands/push.ts")).cmdPush,
  ),
  entry("restart", "Restart a running container", async () => (await import("./commands/restart.ts")).cmdRestart),
  entry("rm", "Remove one or more containers", async () => (await import("./commands/rm.ts")).cmdRm),
  entry("rmi", "Remove one or more images", async () => (await import("./commands/rmi.ts")).cmdRmi),
  entry("run", "Run a command in a new container", async () => (await import("./commands/run.ts")).cmdRun),
  entry("save", "Save an image to a tar archive", async () => (await import("./commands/save.ts")).cmdSave),
  entry(
    "search",
    "Search for an image on the Docker Hub",
    async () => (await import("./commands/search.ts")).cmdSearch,
  ),
  entry("start", "Start a stopped container", async () => (await import("./commands/start.ts")).cmdStart),
  entry("stop", "Stop a running container", async () => (await import("./commands/stop.ts")).cmdStop),
  entry("tag", "Tag an image into a repository", async () => (await import("./commands/tag.ts")).cmdTag),
  entry("top", "Lookup the running processes of a container", async () => (await import("./commands/top.ts")).cmdTop),
  entry("unpause", "Unpause a paused container", async () => (await import("./commands/pause.ts")).cmdUnpause),
  entry(
    "version",
    "Show the Docker version information",
    async () => (await import("./commands/version.ts")).cmdVersion,
  ),
  entry(
    "wait",
    "Block until a container stops, then print its exit code",
    async () => (await import("./commands/wait.ts")).cmdWait,
  ),
  entry("help", undefined, async () => (await import("./commands/help.ts")).cmdHelp),
];

function entry(name: string, description: string | undefined, load: () => Promise<Command>): CommandEntry {
  return { name, description, load };
}

/** By the name of the method, `CmdPull`, as 1.2.0 finds them by reflection. */
export const commands: ReadonlyMap<string, CommandEntry> = new Map(
  entries.map((each) => [`Cmd${each.name.slice(0, 1).toUpperCase()}${each.name.slice(1)}`, each]),
);
