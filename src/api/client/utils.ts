/**
 * Requests to the daemon: JSON commands, streams, and what several commands ask.
 *
 * @origin api/client/utils.go
 * @article 003/s8
 * @module
 */

import type { Duplex } from "node:stream";
import { VERSION } from "../../dockerversion/dockerversion.ts";
import { Env } from "../../engine/env.ts";
import { isErrno, messageOf } from "../../errdefs/errdefs.ts";
import { isSystemError } from "../../errdefs/errno-text.ts";
import { getWinsize } from "../../pkg/term/term.ts";
import { type Reader, readAll, type Writer } from "../../sync/io.ts";
import { goJson } from "../../utils/go-json.ts";
import { statusText } from "../../utils/status-text.ts";
import { stdCopy } from "../../utils/stdcopy.ts";
import { APIVERSION, matchesContentType } from "../common.ts";
import type { DockerCli } from "./cli.ts";
import {
  ConnectionRefusedError,
  DaemonError,
  DialError,
  isKeyPairFault,
  KeyPairError,
  RequestError,
  TlsError,
} from "./errors.ts";
import { type Request, type Response, roundTrip } from "./http.ts";

/** An answer whose status is a success: 200–399. */
export interface Answer {
  readonly status: number;
  readonly body: Reader;
}

/** Headers of every request. */
export const userAgent = ["User-Agent", `Docker-Client/${VERSION}`] as const;

/**
 * Opens a connection to the daemon.
 *
 * @throws {ConnectionRefusedError} when nobody listens
 * @throws {KeyPairError} when our own certificate cannot be used
 * @throws {DialError} when it cannot be opened for another reason
 * @origin api/client/hijack.go (*DockerCli).dial
 */
export async function dial(cli: DockerCli, tls: DockerCli["tls"]): Promise<Duplex> {
  const { proto, addr } = cli;
  if (proto !== "unix" && proto !== "tcp") throw new DialError(proto, "", `unknown network ${proto}`);
  try {
    return await cli.host.net.dial(proto, addr, tls);
  } catch (cause) {
    if (isErrno(cause, "ECONNREFUSED")) throw new ConnectionRefusedError({ cause });
    if (isKeyPairFault(cause)) throw new KeyPairError(cause);
    throw isSystemError(cause) || !tls ? new DialError(proto, addr, cause) : new TlsError(cause);
  }
}

/** The value of `Host` for requests that carry the address: a path is no host, so a socket has none. */
export function hostHeader(cli: DockerCli): string {
  return cli.proto === "unix" ? "" : cli.addr;
}

/** One request, one answer, failures in Go's words. @param path - with the version, as in the URL that is shown */
async function request(
  cli: DockerCli,
  path: string,
  parts: Omit<Request, "target">,
): Promise<Response & { url: string }> {
  const target = path.replace(/\?$/, "");
  const url = `${cli.scheme}://${cli.addr}${target}`;
  try {
    if (cli.addr === "") throw new Error("http: no Host in request URL");
    return { ...(await roundTrip(await dial(cli, cli.tls), { ...parts, target })), url };
  } catch (cause) {
    if (cause instanceof ConnectionRefusedError || cause instanceof KeyPairError) throw cause;
    throw new RequestError(parts.method, url, cause);
  }
}

/**
 * Asks the daemon, with a JSON body or none.
 *
 * @param path - from `/containers/…` on; names in it go out unescaped
 * @param data - the body; `undefined`: none
 * @param auth - value of `X-Registry-Auth`, for the requests that pass credentials
 * @throws {DaemonError} `Error response from daemon: …` when the status is no success
 * @throws {ConnectionRefusedError} when nobody listens
 * @origin api/client/utils.go (*DockerCli).call
 * @article 003/s8
 */
export async function call(
  cli: DockerCli,
  method: string,
  path: string,
  data?: unknown,
  auth?: string,
): Promise<Answer> {
  const headers: [string, string][] = [[...userAgent]];
  if (data !== undefined) headers.push(["Content-Type", "application/json"]);
  else if (method === "POST") headers.push(["Content-Type", "plain/text"]);
  if (auth !== undefined) headers.push(["X-Registry-Auth", auth]);
  const body = data === undefined ? undefined : data instanceof Env ? data.encode() : goJson(data);
  const answer = await request(cli, `/v${APIVERSION}${path}`, { method, hostHeader: hostHeader(cli), headers, body });
  if (answer.status >= 200 && answer.status < 400) return answer;
  const text = (await readAll(answer.body)).toString().trim();
  throw new DaemonError(
    answer.status,
    text === ""
      ? `Error: request returned ${statusText(answer.status)} for API route and version ${answer.url}, check if the server supports the requested API version`
      : `Error response from daemon: ${cli.show(text)}`,
  );
}

/** The whole body of an answer. @origin api/client/utils.go readBody */
export async function readBody(answer: Promise<Answer>): Promise<Buffer> {
  return readAll((await answer).body);
}

/** The body of an answer as a JSON object. */
export async function readEnv(answer: Promise<Answer>): Promise<Env> {
  const env = new Env();
  env.decode(await readBody(answer));
  return env;
}

/** A streamed request. */
export interface StreamOptions {
  /** The request's body, sent as it is read. */
  readonly in?: Reader | undefined;
  /** Gets the answer, or the progress it reports. */
  readonly out: Writer;
  /** Gets standard error of an answer that has two streams. */
  readonly err?: Writer | undefined;
  /** The answer has one stream: the container has a terminal, or it is no container's output. Default true. */
  readonly raw?: boolean;
  readonly headers?: readonly (readonly [string, string])[];
}

/**
 * Sends a request whose answer is shown while it arrives.
 *
 * The path goes out without a version, as in 1.2.0: the version ends up in the `Host` header.
 *
 * @throws {DaemonError} `Error: …` when the status is no success
 * @origin api/client/utils.go (*DockerCli).streamHelper
 * @article 003/s8
 */
export async function stream(cli: DockerCli, method: string, path: string, options: StreamOptions): Promise<void> {
  const headers: [string, string][] = [[...userAgent]];
  const given = options.headers ?? [];
  if (method === "POST" && !given.some(([name]) => name === "Content-Type"))
    headers.push(["Content-Type", "plain/text"]);
  for (const [name, value] of given) headers.push([name, value]);
  const parts = { method, hostHeader: `v${APIVERSION}`, headers, body: options.in };
  const answer = await request(cli, path, parts);
  if (answer.status < 200 || answer.status >= 400) {
    const text = (await readAll(answer.body)).toString().trim();
    const message = text === "" ? `Error :${statusText(answer.status)}` : `Error: ${cli.show(text)}`;
    throw new DaemonError(answer.status, message);
  }
  if (matchesContentType(answer.headers.get("content-type") ?? "", "application/json", cli.log)) {
    const { displayJSONMessagesStream } = await import("../../utils/json-message.ts");
    const terminalWidth = getWinsize(cli.host)?.width || undefined;
    const { isTerminal } = cli;
    await displayJSONMessagesStream(answer.body, options.out, {
      isTerminal,
      terminalWidth,
      now: () => cli.host.clock.now(),
    });
  } else if (options.raw ?? true) {
    for await (const chunk of answer.body) await options.out.write(chunk);
  } else {
    await stdCopy(options.out, options.err ?? options.out, answer.body);
  }
  cli.log.debug("utils.go:169", "[stream] End of stdout");
}

/**
 * Tells the daemon how large the terminal is.
 *
 * @origin api/client/utils.go (*DockerCli).resizeTty
 */
async function resizeTty(cli: DockerCli, id: string): Promise<void> {
  const size = getWinsize(cli.host);
  if (!size || (size.height === 0 && size.width === 0)) return;
  try {
    await readBody(call(cli, "POST", `/containers/${id}/resize?h=${size.height}&w=${size.width}`));
  } catch (cause) {
    cli.log.debug("utils.go:184", `Error resize: ${messageOf(cause)}`);
  }
}

/**
 * Keeps the container's terminal as large as ours. Returns what ends that.
 *
 * @origin api/client/utils.go (*DockerCli).monitorTtySize
 */
export async function monitorTtySize(cli: DockerCli, id: string): Promise<() => void> {
  // One request after the other: the last size has to be the last that arrives.
  let last = resizeTty(cli, id);
  const stop = cli.host.terminal.onResize(() => {
    last = last.then(() => resizeTty(cli, id));
  });
  await last;
  return stop;
}

/** Waits for the end of a container. Returns its exit code. @origin api/client/utils.go waitForExit */
export async function waitForExit(cli: DockerCli, id: string): Promise<number> {
  return (await readEnv(call(cli, "POST", `/containers/${id}/wait`))).getInt("StatusCode");
}

/**
 * Whether a container runs, and its exit code; −1 when the daemon is gone.
 *
 * @origin api/client/utils.go getExitCode
 */
export async function getExitCode(cli: DockerCli, id: string): Promise<{ running: boolean; code: number }> {
  try {
    const state = (await readEnv(call(cli, "GET", `/containers/${id}/json`))).getSubEnv("State") ?? new Env();
    return { running: state.getBool("Running"), code: state.getInt("ExitCode") };
  } catch (cause) {
    // If we can't connect, then the daemon probably died.
    if (!(cause instanceof ConnectionRefusedError)) throw cause;
    return { running: false, code: -1 };
  }
}
