/**
 * What the client knows about registries: the stored credentials, and which of them a name needs.
 *
 * @module
 */

import { messageOf } from "../../errdefs/errdefs.ts";
import type { AuthConfig } from "../../registry/auth.ts";
import { type ConfigFile, loadConfig, resolveAuthConfig } from "../../registry/config-file.ts";
import { loadTodayConfig, resolveTodayAuth, type TodayConfig } from "../../registry/config-today.ts";
import { compareBytes, goJson } from "../../utils/go-json.ts";
import type { DockerCli } from "./cli.ts";

/**
 * Reads `~/.dockercfg`; what is wrong with it is said once, and what could be read is used.
 *
 * @origin api/client/cli.go (*DockerCli).LoadConfigFile
 */
export async function loadConfigFile(cli: DockerCli): Promise<ConfigFile> {
  const { config, error } = await loadConfig(cli.host, cli.host.env["HOME"] ?? "");
  if (error !== undefined) await cli.err.write(`WARNING: ${messageOf(error)}\n`);
  return config;
}

/**
 * The value of `X-Registry-Auth` for the registry at `hostname`.
 *
 * @deviation What `~/.dockercfg` does not know is looked for where today's client keeps it.
 */
export async function registryAuth(cli: DockerCli, hostname: string): Promise<string> {
  const own = resolveAuthConfig(await loadConfigFile(cli), hostname);
  return encodeAuthHeader(own.username ? own : await todayAuth(cli, hostname));
}

/** The credentials in `config.json`, or of the program that it names; what is wrong is said, and nothing is known then. */
async function todayAuth(cli: DockerCli, hostname: string): Promise<AuthConfig> {
  const answer = async () => resolveTodayAuth(cli.host, await todayConfig(cli), hostname);
  return (await orWarning(cli, answer)) ?? {};
}

function todayConfig(cli: DockerCli): Promise<TodayConfig> {
  const { env } = cli.host;
  return loadTodayConfig(cli.host, env["DOCKER_CONFIG"] || `${env["HOME"] ?? ""}/.docker`);
}

async function orWarning<T>(cli: DockerCli, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (cause) {
    await cli.err.write(`WARNING: ${cli.show(messageOf(cause))}\n`);
    return undefined;
  }
}

/**
 * The value of `X-Registry-Config`: all stored credentials, sorted by registry, for a build that may pull from any.
 *
 * @origin api/client/commands.go (*DockerCli).CmdBuild
 * @deviation What `~/.dockercfg` does not know is looked for where today's client keeps it.
 */
export async function registryConfig(cli: DockerCli): Promise<string> {
  const configs = new Map((await loadConfigFile(cli)).configs);
  const today = await orWarning(cli, () => todayConfig(cli));
  for (const name of [...(today?.configs.keys() ?? []), ...(today?.credHelpers.keys() ?? [])]) {
    if (configs.has(name) || today === undefined) continue;
    const auth = await orWarning(cli, () => resolveTodayAuth(cli.host, today, name));
    if (auth?.username || auth?.identitytoken) configs.set(name, auth);
  }
  const sorted = [...configs].sort(([a], [b]) => compareBytes(a, b)).map(([name, auth]) => [name, authFields(auth)]);
  return base64Url(goJson({ configs: configs.size === 0 ? undefined : Object.fromEntries(sorted) }));
}

/** Credentials as a header carries them: JSON in Go's order, in base64 for URLs. */
export function encodeAuthHeader(auth: AuthConfig): string {
  return base64Url(goJson(authFields(auth)));
}

function base64Url(text: string): string {
  return Buffer.from(text).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

function authFields(auth: AuthConfig): Record<string, string | undefined> {
  const { username, password, auth: encoded, email, serveraddress, identitytoken, registrytoken } = auth;
  return {
    username: username || undefined,
    password: password || undefined,
    auth: encoded ?? "",
    email: email ?? "",
    serveraddress: serveraddress || undefined,
    identitytoken: identitytoken || undefined,
    registrytoken: registrytoken || undefined,
  };
}
