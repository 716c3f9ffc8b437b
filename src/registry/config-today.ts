/**
 * The credentials that today's client keeps, in `config.json`: read here, never written.
 *
 * ```text
 * {"auths":       {"<registry>":{"auth":"<base64>","identitytoken":"…"}},
 *  "credHelpers": {"<registry>":"<name>"},   the program docker-credential-<name> knows the password for this registry
 *  "credsStore":  "<name>"}                  the same, for all others
 * ```
 *
 * @since Docker 1.7
 * @module
 */

import { isErrno, messageOf } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { deferred } from "../sync/deferred.ts";
import { type AuthConfig, authConfigOf } from "./auth.ts";
import { type ConfigFile, decodeAuth, resolveAuthConfig } from "./config-file.ts";
import { indexServerAddress } from "./names.ts";

/** How long a program may take; it may have to ask the user. */
const HELPER_MS = 60_000;
const MAX_ANSWER_BYTES = 1 << 20;
/** A name that is no path: only programs of PATH are run. */
const HELPER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** What a program says that knows no password. */
const NOT_FOUND = "credentials not found";
/** The name of a user who has a token in the place of a password. */
const TOKEN_USER = "<token>";

/** What is in the file. */
export interface TodayConfig extends ConfigFile {
  /** The helper for all registries that have none of their own. */
  readonly credsStore: string | undefined;
  /** The helper by registry. */
  readonly credHelpers: ReadonlyMap<string, string>;
}

/**
 * Reads the file. A missing one is empty.
 *
 * @param directory - `~/.docker`
 * @throws Error when it cannot be read, or is no such file
 */
export async function loadTodayConfig({ fs }: Pick<Host, "fs">, directory: string): Promise<TodayConfig> {
  const path = `${directory}/config.json`;
  let text: string;
  try {
    text = await fs.readFile(path, "utf8");
  } catch (cause) {
    if (!isErrno(cause, "ENOENT", "ENOTDIR")) throw new Error(`Cannot read ${path}: ${messageOf(cause)}`, { cause });
    return { configs: new Map(), rootPath: directory, credsStore: undefined, credHelpers: new Map() };
  }
  try {
    const file = fieldsOf(JSON.parse(text));
    const configs = new Map(Object.entries(fieldsOf(file["auths"])).map(([server, entry]) => [server, entryOf(entry)]));
    const helpers = Object.entries(fieldsOf(file["credHelpers"])).filter((pair): pair is [string, string] =>
      isText(pair[1]),
    );
    const store = file["credsStore"];
    return {
      configs,
      rootPath: directory,
      credsStore: isText(store) ? store : undefined,
      credHelpers: new Map(helpers),
    };
  } catch (cause) {
    throw new Error(`Cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new Error("it is no object where one is expected");
}

function entryOf(value: unknown): AuthConfig {
  const { auth = "", ...entry } = authConfigOf(value);
  return { ...entry, ...(auth === "" ? {} : decodeAuth(auth)) };
}

/**
 * The credentials for a registry: from its helper where it has one, else from the file.
 *
 * @param hostname - `host[:port]`, or the official index
 * @throws Error when the helper cannot be asked
 */
export async function resolveTodayAuth(
  host: Pick<Host, "exec" | "env" | "clock">,
  config: TodayConfig,
  hostname: string,
): Promise<AuthConfig> {
  const server = hostname === "" ? indexServerAddress() : hostname;
  const helper = config.credHelpers.get(server) ?? config.credsStore;
  if (helper === undefined) return resolveAuthConfig(config, server);
  const answer = await askHelper(host, helper, server);
  if (answer === undefined) return {};
  const { username, secret } = answer;
  return username === TOKEN_USER ? { identitytoken: secret } : { username, password: secret };
}

/**
 * Runs `docker-credential-<name> get`.
 *
 * @returns `undefined` when it knows no password
 */
async function askHelper(
  host: Pick<Host, "exec" | "env" | "clock">,
  name: string,
  server: string,
): Promise<{ username: string; secret: string } | undefined> {
  if (!HELPER_NAME.test(name))
    throw new Error(`Cannot use the credential helper ${JSON.stringify(name)}: it is no name of a program`);
  const program = `docker-credential-${name}`;
  const stop = new AbortController();
  const late = new AbortController();
  const silent = deferred<never>();
  silent.promise.catch(() => undefined);
  const timer = host.clock.sleep(HELPER_MS, late.signal).then(
    () => {
      const cause = new Error(`no answer in ${HELPER_MS / 1000} seconds`);
      stop.abort(cause);
      // What the program has started may hold its output open for longer than the program lives.
      silent.reject(cause);
    },
    () => undefined,
  );
  try {
    const env = Object.entries(host.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const options = { env: Object.fromEntries(env), input: server, signal: stop.signal };
    const answer = host.exec.run(program, ["get"], options);
    const { code, stdout } = await Promise.race([answer, silent.promise]);
    if (stdout.length > MAX_ANSWER_BYTES) throw new Error("its answer is too long");
    if (code !== 0) {
      const said = stdout.toString("utf8").trim();
      if (said.startsWith(NOT_FOUND)) return undefined;
      throw new Error(said.slice(0, 200) || `exit status ${code}`);
    }
    const { Username: username, Secret: secret } = fieldsOf(JSON.parse(stdout.toString("utf8")));
    if (typeof username !== "string" || typeof secret !== "string")
      throw new Error("its answer has no name or no secret");
    return { username, secret };
  } catch (cause) {
    throw new Error(`Cannot get credentials from ${program}: ${messageOf(cause)}`, { cause });
  } finally {
    late.abort();
    await timer;
  }
}
