/**
 * The credentials a user has stored for registries, in `~/.dockercfg`.
 *
 * @origin registry/auth.go
 * @module
 */

import { isErrno } from "../errdefs/errdefs.ts";
import { pathErrorText } from "../errdefs/errno-text.ts";
import type { Host } from "../host/host.ts";
import { compareBytes, goJson } from "../utils/go-json.ts";
import type { AuthConfig } from "./auth.ts";
import { indexServerAddress } from "./names.ts";

/** Where credentials are stored, below the home directory. @origin registry/auth.go CONFIGFILE */
const CONFIGFILE = ".dockercfg";

/** Credentials by registry. @origin registry/auth.go ConfigFile */
export interface ConfigFile {
  readonly configs: Map<string, AuthConfig>;
  /** The directory it was read from, and is saved to. */
  readonly rootPath: string;
}

/**
 * Takes `user:password` in base64 apart; the name ends at the first colon.
 *
 * @throws Error with 1.2.0's text
 * @origin registry/auth.go decodeAuth
 */
export function decodeAuth(auth: string): { username: string; password: string } {
  const text = auth.replace(/[\r\n]/g, "");
  const wrong = /[^A-Za-z0-9+/=]/.exec(text);
  if (wrong || text.length % 4 !== 0 || !/^[^=]*={0,2}$/.test(text)) {
    throw new Error(`illegal base64 data at input byte ${wrong?.index ?? text.length - (text.length % 4)}`);
  }
  const decoded = Buffer.from(text, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 0) throw new Error("Invalid auth configuration file");
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/^\0+|\0+$/g, "") };
}

/**
 * Reads the stored credentials. A missing file is an empty one.
 *
 * @returns what could be read, and what was wrong with the rest
 * @origin registry/auth.go LoadConfig
 */
export async function loadConfig(
  host: Pick<Host, "fs">,
  rootPath: string,
): Promise<{ config: ConfigFile; error: Error | undefined }> {
  const config: ConfigFile = { configs: new Map(), rootPath };
  try {
    const text = await readConfig(host, rootPath);
    if (text !== undefined) parseConfig(text, config.configs);
    return { config, error: undefined };
  } catch (cause) {
    return { config, error: cause instanceof Error ? cause : new Error(String(cause)) };
  }
}

async function readConfig({ fs }: Pick<Host, "fs">, rootPath: string): Promise<string | undefined> {
  const path = pathOf(rootPath);
  try {
    return await fs.readFile(path, "utf8");
  } catch (cause) {
    if (isErrno(cause, "ENOENT", "ENOTDIR")) return undefined;
    throw new Error(pathErrorText("open", path, cause), { cause });
  }
}

function parseConfig(text: string, configs: ConfigFile["configs"]): void {
  const json = parseObject(text);
  if (json === undefined) {
    parseLegacy(text, configs);
    return;
  }
  for (const [server, stored] of Object.entries(json)) {
    const { auth, email } = (stored ?? {}) as Record<string, unknown>;
    const credentials = decodeAuth(typeof auth === "string" ? auth : "");
    configs.set(server, { ...credentials, email: typeof email === "string" ? email : "" });
  }
}

/** A JSON object, empty for `null`; `undefined` for anything else. */
function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (json === null) return {};
    return typeof json === "object" && !Array.isArray(json) ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The format of old: `auth = <base64>` and `email = <address>`, for the official index. */
function parseLegacy(text: string, configs: ConfigFile["configs"]): void {
  const [auth, email] = text.split("\n");
  if (auth === undefined || email === undefined) throw new Error("The Auth config file is empty");
  const [, encoded, more] = auth.split(" = ");
  if (encoded === undefined || more !== undefined) throw new Error("Invalid Auth config file");
  const credentials = decodeAuth(encoded);
  const [, address, rest] = email.split(" = ");
  if (address === undefined || rest !== undefined) throw new Error("Invalid Auth config file");
  const serveraddress = indexServerAddress();
  configs.set(serveraddress, { ...credentials, email: address, serveraddress });
}

/**
 * Writes the credentials, readable for their owner only; no file at all when there are none.
 *
 * @throws with the system's text
 * @origin registry/auth.go SaveConfig
 * @deviation A file that others can read is closed to them first; 1.2.0 leaves the mode of a file that exists.
 */
export async function saveConfig({ fs }: Pick<Host, "fs">, { configs, rootPath }: ConfigFile): Promise<void> {
  const path = pathOf(rootPath);
  if (configs.size === 0) {
    await fs.rm(path, { force: true });
    return;
  }
  const stored: Record<string, { auth: string; email: string }> = {};
  for (const server of [...configs.keys()].sort(compareBytes)) {
    const { username = "", password = "", email = "" } = configs.get(server) ?? {};
    stored[server] = { auth: Buffer.from(`${username}:${password}`).toString("base64"), email };
  }
  try {
    await fs.chmod(path, 0o600).catch((cause: unknown) => {
      if (!isErrno(cause, "ENOENT")) throw cause;
    });
    await fs.writeFile(path, goJson(stored), { mode: 0o600 });
  } catch (cause) {
    throw new Error(pathErrorText("open", path, cause), { cause });
  }
}

/** The file below a home directory; without one, in the working directory. */
function pathOf(rootPath: string): string {
  return rootPath === "" ? CONFIGFILE : `${rootPath.replace(/\/+$/, "")}/${CONFIGFILE}`;
}

/**
 * The credentials for a registry: its own, else those stored under another spelling of the same host.
 *
 * @param hostname - `host[:port]`, a URL, or `""` for the official index
 * @origin registry/auth.go (*ConfigFile).ResolveAuthConfig
 */
export function resolveAuthConfig({ configs }: ConfigFile, hostname: string): AuthConfig {
  if (hostname === "" || hostname === indexServerAddress()) return configs.get(indexServerAddress()) ?? {};
  const exact = configs.get(hostname);
  if (exact) return exact;
  const host = hostOf(hostname);
  for (const [server, config] of configs) if (hostOf(server) === host) return config;
  return {};
}

/** The host of a URL, or of an address that is none. */
function hostOf(address: string): string {
  return address.replace(/^https?:\/\//, "").split("/", 1)[0] as string;
}
