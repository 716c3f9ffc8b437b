/**
 * Containers' streams: logs, attach, wait.
 *
 * @origin api/server/server.go
 * @module
 */

import { BadRequestError, messageOf, SystemError } from "../../errdefs/errdefs.ts";
import { deferred } from "../../sync/deferred.ts";
import type { Writer } from "../../sync/io.ts";
import { goJson } from "../../utils/go-json.ts";
import { stdWriter } from "../../utils/stdcopy.ts";
import type { Hijacked } from "./hijack.ts";
import { Query } from "./query.ts";
import type { ApiRequest } from "./request.ts";
import { type ResponseWriter, rawHead } from "./response.ts";
import { type ApiServices, type JsonObject, jsonOf, lastLineOf, objectAt } from "./services.ts";
import { WebSocketConnection } from "./websocket/connection.ts";
import { CLOSE } from "./websocket/frames.ts";
import { type Refusal, readHandshake } from "./websocket/handshake.ts";

const RAW_STREAM = "application/vnd.docker.raw-stream";

/** Where a container's two outputs go: framed, unless it has a terminal or the client is older than 1.6. */
async function outputs(
  api: ApiServices,
  request: ApiRequest,
  out: Writer,
): Promise<{ stdout: Writer; stderr: Writer }> {
  const container = await jsonOf<JsonObject>(request, api.engine.job("container_inspect", request.name));
  const plain = objectAt(container, "Config")["Tty"] === true || request.version.before("1.6");
  return plain ? { stdout: out, stderr: out } : { stdout: stdWriter(out, 1), stderr: stdWriter(out, 2) };
}

/** @origin api/server/server.go getContainersLogs */
export async function getContainersLogs(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const form = await request.form();
  const job = api.engine.job("logs", request.name);
  for (const key of ["follow", "tail", "stdout", "stderr", "timestamps"]) job.setenv(key, form.get(key));
  if (!form.bool("stdout") && !form.bool("stderr")) {
    throw new BadRequestError("Bad parameters: you must choose at least one stream");
  }
  const { stdout, stderr } = await outputs(api, request, response.flushing());
  if (request.version.modern) {
    job.setenvBool("strict", true);
    for (const key of ["since", "until"]) if (form.get(key) !== "") job.setenv(key, form.get(key));
    response.set("Content-Type", RAW_STREAM);
    await response.flush();
  }
  job.stdout.add(stdout);
  await job.stderr.set(stderr);
  try {
    await request.run(job);
  } catch (cause) {
    await stdout.write(`Error running logs job: ${messageOf(cause)}\n`);
  }
}

/** Holds writes back until `open` resolves. */
function gated(out: Writer, open: Promise<void>): Writer {
  return { write: (chunk) => open.then(() => out.write(chunk)) };
}

/**
 * Joins a container's streams to the client's connection.
 *
 * The job runs before the client is told, so that a client that starts the container next misses nothing.
 *
 * @origin api/server/server.go postContainersAttach
 */
export async function postContainersAttach(api: ApiServices, request: ApiRequest): Promise<void> {
  const { connection } = request;
  if (!connection) throw new SystemError("Cannot attach: the connection cannot be taken over");
  const form = new Query(request.head.url.split("?")[1] ?? "");
  const told = deferred();
  const { stdout, stderr } = await outputs(api, request, gated(connection, told.promise));

  const job = api.engine.job("attach", request.name);
  for (const key of ["logs", "stream", "stdin", "stdout", "stderr"]) job.setenv(key, form.get(key));
  if (request.version.modern && form.get("detachKeys") !== "") job.setenv("detachKeys", form.get("detachKeys"));
  if (form.bool("stdin")) job.stdin.add(connection.reader);
  else connection.discard();
  job.stdout.add(stdout);
  await job.stderr.set(stderr);

  const ended = job.run({ signal: connection.gone }).catch((cause: unknown) => messageOf(cause));
  await api.host.clock.sleep(0);
  connection.socket.write(
    request.header("Upgrade") === ""
      ? rawHead(200, [["Content-Type", RAW_STREAM]])
      : `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${RAW_STREAM}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
  );
  told.resolve();
  const failure = await ended;
  // A client that is gone has no use for the reason.
  if (failure !== undefined)
    await Promise.resolve(stdout.write(`Error attaching: ${failure}\n`)).catch(() => undefined);
  connection.end();
}

/** The streams of an attachment. A client that came after 1.2.0, and speaks of none, wants them all. */
function wanted(request: ApiRequest, form: Query, stream: "stdin" | "stdout" | "stderr"): string {
  return request.version.modern && !form.has(stream) ? "1" : form.get(stream);
}

/**
 * Joins a container's streams to a WebSocket: what the client sends is input, output and errors are messages, without
 * a mark of which they are.
 *
 * @origin api/server/server.go wsContainersAttach
 * @deviation The job runs before the handshake is answered, as with {@link postContainersAttach}; and a client is
 *   told why it failed when the connection is closed.
 */
export async function wsContainersAttach(api: ApiServices, request: ApiRequest): Promise<void> {
  const { connection } = request;
  if (!connection) throw new SystemError("Cannot attach: the connection cannot be taken over");
  const form = await request.form();
  const container = await jsonOf<JsonObject>(request, api.engine.job("container_inspect", request.name));
  const handshake = readHandshake(request, api.host);
  if (handshake.status !== 101) return refuse(handshake, connection);

  const socket = new WebSocketConnection(connection, request.version.atLeast("1.28") ? "binary" : "text");
  const told = deferred();
  const job = api.engine.job("attach", request.name);
  for (const key of ["logs", "stream"]) job.setenv(key, form.get(key));
  for (const key of ["stdin", "stdout", "stderr"] as const) job.setenv(key, wanted(request, form, key));
  if (request.version.modern && form.get("detachKeys") !== "") job.setenv("detachKeys", form.get("detachKeys"));
  job.stdin.add(socket.reader);
  job.stdout.add(gated(socket.writer(), told.promise));
  await job.stderr.set(gated(socket.writer(), told.promise));

  const ended = job.run({ signal: connection.gone }).then(
    () => undefined,
    (cause: unknown) => messageOf(cause),
  );
  await api.host.clock.sleep(0);
  connection.socket.write(handshake.head);
  told.resolve();
  // Of a container without input nobody would take it, and the client's close would wait behind it.
  const received = socket.receive(job.getenvBool("stdin") && objectAt(container, "Config")["OpenStdin"] === true);
  const failure = await ended;
  if (failure !== undefined && !connection.gone.aborted) {
    api.log.error("server.go:881", `Error attaching websocket: ${failure}`);
  }
  socket.close(failure === undefined ? CLOSE.normal : CLOSE.internalError, failure);
  await received;
}

function refuse({ status, text, headers }: Refusal, connection: Hijacked): void {
  connection.socket.write(rawHead(status, headers) + text);
  connection.end();
}

/** What `condition` may be. */
const CONDITIONS = ["", "not-running", "next-exit", "removed"];

/**
 * Waits for a container's end.
 *
 * Since 1.30 the head of the answer is sent as soon as the daemon waits: `docker run` starts the container only then.
 *
 * @origin api/server/server.go postContainersWait
 */
export async function postContainersWait(
  api: ApiServices,
  request: ApiRequest,
  response: ResponseWriter,
): Promise<void> {
  const { version } = request;
  const job = api.engine.job("wait", request.name);
  if (!version.modern) {
    const code = await lastLineOf(request, job);
    await response.json(200, `${goJson({ StatusCode: Number(code) })}\n`);
    return;
  }
  const condition = (await request.form()).get("condition");
  if (!CONDITIONS.includes(condition)) throw new BadRequestError(`Invalid condition: ${JSON.stringify(condition)}`);
  job.setenv("exitFormat", "shell");
  if (condition !== "") job.setenv("condition", condition);
  // An unknown container has to be noticed while there is still time for a status.
  await jsonOf(request, api.engine.job("container_inspect", request.name));
  const ended = lastLineOf(request, job).then(
    (code) => goJson({ Error: null, StatusCode: Number(code) }),
    (cause: unknown) => goJson({ Error: { Message: messageOf(cause) }, StatusCode: -1 }),
  );
  if (version.atLeast("1.30")) {
    await api.host.clock.sleep(0);
    response.set("Content-Type", "application/json");
    await response.flush();
  }
  await response.json(200, `${await ended}\n`);
}
