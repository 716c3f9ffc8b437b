/**
 * `docker info`
 *
 * @module
 */

import type { Env } from "../../../engine/env.ts";
import type { DockerCli } from "../cli.ts";
import { loadConfigFile } from "../config-file.ts";
import { call, readEnv } from "../utils.ts";

/**
 * Shows what the daemon says about itself.
 *
 * @origin api/client/commands.go (*DockerCli).CmdInfo
 */
export async function cmdInfo(cli: DockerCli, args: string[]): Promise<void> {
  const cmd = cli.subcmd("info", "", "Display system-wide information");
  cmd.parse(args);
  if (cmd.nArg() > 0) cmd.usage();
  const info = await readEnv(call(cli, "GET", "/info"));
  const pairs = info.getJson<[string, string][]>("DriverStatus") ?? [];
  const lines = [
    `Containers: ${info.getInt("Containers")}`,
    `Images: ${info.getInt("Images")}`,
    `Storage Driver: ${info.get("Driver")}`,
    ...pairs.map(([key, value]) => ` ${key}: ${value}`),
    `Execution Driver: ${info.get("ExecutionDriver")}`,
    `Kernel Version: ${info.get("KernelVersion")}`,
    `Operating System: ${info.get("OperatingSystem")}`,
    ...debugLines(cli, info),
    ...(await loginLines(cli, info)),
  ];
  await cli.out.write(cli.show(`${lines.join("\n")}\n`));
  if (!info.getBool("MemoryLimit")) await cli.err.write("WARNING: No memory limit support\n");
  if (!info.getBool("SwapLimit")) await cli.err.write("WARNING: No swap limit support\n");
  if (!info.getBool("IPv4Forwarding")) await cli.err.write("WARNING: IPv4 forwarding is disabled.\n");
}

function debugLines(cli: DockerCli, info: Env): string[] {
  const clientDebug = Boolean(cli.host.env["DEBUG"]);
  if (!info.getBool("Debug") && !clientDebug) return [];
  const lines = [
    `Debug mode (server): ${info.getBool("Debug")}`,
    `Debug mode (client): ${clientDebug}`,
    `Fds: ${info.getInt("NFd")}`,
    `Goroutines: ${info.getInt("NGoroutines")}`,
    `EventsListeners: ${info.getInt("NEventsListener")}`,
  ];
  if (info.get("InitSha1") !== "") lines.push(`Init SHA1: ${info.get("InitSha1")}`);
  if (info.get("InitPath") !== "") lines.push(`Init Path: ${info.get("InitPath")}`);
  return lines;
}

async function loginLines(cli: DockerCli, info: Env): Promise<string[]> {
  const registries = info.getList("IndexServerAddress") ?? [];
  if (registries.length === 0) return [];
  const config = await loadConfigFile(cli);
  const user = config.configs.get(info.get("IndexServerAddress"))?.username;
  return user ? [`Username: ${user}`, `Registry: [${registries.join(" ")}]`] : [];
}
