/**
 * A request whose connection becomes the container's standard streams.
 *
 * @origin api/client/hijack.go
 * @module
 */

import type { Duplex } from "node:stream";
import { isErrno, messageOf } from "../../errdefs/errdefs.ts";
import { type State, setRawTerminal } from "../../pkg/term/term.ts";
import { type Reader, readAll, type Writer } from "../../sync/io.ts";
import { StdDemux } from "../../utils/stdcopy.ts";
import { APIVERSION } from "../common.ts";
import { ByteSource } from "./byte-source.ts";
import type { DockerCli } from "./cli.ts";
import { DaemonError } from "./errors.ts";
import { readHead, send, writeRequest } from "./http.ts";
import { dial, hostHeader, userAgent } from "./utils.ts";

/** Which streams go where. */
export interface HijackOptions {
  /** The container has a terminal: one stream of output, unframed. */
  readonly tty: boolean;
  /** Sent to the container until it ends. */
  readonly in?: Reader | undefined;
  readonly out?: Writer | undefined;
  readonly err?: Writer | undefined;
  /** Called when the connection is ours, before anything is copied. */
  readonly started?: () => void;
  /** Gives the connection up; the call then resolves as if the output had ended. */
  readonly signal?: AbortSignal;
}

const nowhere: Writer = { write() {} };

/**
 * Attaches our streams to the container's; resolves when its output ended.
 *
 * With a terminal on both sides ours is in raw mode meanwhile, unless the environment says `NORAW`.
 *
 * @throws {DaemonError} when the daemon answers with a failure
 * @origin api/client/hijack.go (*DockerCli).hijack
 * @deviation A failure of the daemon is reported; 1.2.0 takes its text for output. When the output has ended, input
 *   that is still open is given up; 1.2.0 waits for its end when standard output is no terminal. A connection that is
 *   reset has ended.
 */
export async function hijack(cli: DockerCli, method: string, path: string, options: HijackOptions): Promise<void> {
  // A socket file needs no TLS, whatever the flags say.
  const socket = await dial(cli, cli.proto === "unix" ? undefined : cli.tls);
  // Errors are seen where the socket is read or written; between the two nobody listens.
  socket.on("error", () => {});
  const giveUp = () => socket.destroy();
  options.signal?.addEventListener("abort", giveUp);
  try {
    const source = new ByteSource(socket);
    const headers = [userAgent, ["Content-Type", "plain/text"]] as const;
    await writeRequest(socket, { method, target: `/v${APIVERSION}${path}`, hostHeader: hostHeader(cli), headers });
    await checkHead(cli, source, socket);
    options.started?.();
    await copyStreams(cli, socket, source, options);
  } catch (cause) {
    if (!options.signal?.aborted) throw cause;
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
    socket.destroy();
  }
}

async function checkHead(cli: DockerCli, source: ByteSource, socket: Duplex): Promise<void> {
  const head = await readHead(source, socket);
  if (head.status === 101 || (head.status >= 200 && head.status < 400)) return;
  const length = Number(head.headers.get("content-length") ?? 0);
  const text = (await readAll(source.rest()).catch(() => Buffer.alloc(0)))
    .subarray(0, length || undefined)
    .toString()
    .trim();
  throw new DaemonError(head.status, `Error response from daemon: ${cli.show(text)}`);
}

async function copyStreams(cli: DockerCli, socket: Duplex, source: ByteSource, options: HijackOptions): Promise<void> {
  const { tty, in: input, out, err } = options;
  let state: State | undefined;
  if (input && tty && cli.isTerminal && !cli.host.env["NORAW"]) state = await setRawTerminal(cli.host);
  try {
    const sendStdin = pumpInput(cli, socket, input);
    if (out || err)
      await receiveOutput(cli, source, tty ? (out ?? err ?? nowhere) : new StdDemux(out ?? nowhere, err ?? nowhere));
    else if (!cli.isTerminal) await sendStdin;
  } finally {
    state?.restore();
  }
}

async function receiveOutput(cli: DockerCli, source: ByteSource, sink: Writer): Promise<void> {
  for (;;) {
    let piece: Buffer | undefined;
    try {
      piece = await source.next();
    } catch (cause) {
      if (!isErrno(cause, "ECONNRESET")) throw cause;
    }
    if (piece === undefined) break;
    await sink.write(piece);
  }
  cli.log.debug("hijack.go:93", "[hijack] End of stdout");
}

/** Sends our input, then says that no more comes. Never fails: a container that is gone needs no input. */
async function pumpInput(cli: DockerCli, socket: Duplex, input: Reader | undefined): Promise<void> {
  try {
    if (input) {
      for await (const chunk of input) await send(socket, chunk);
      cli.log.debug("hijack.go:101", "[hijack] End of stdin");
    }
  } catch (cause) {
    cli.log.debug("hijack.go:101", `Couldn't send input: ${messageOf(cause)}`);
  }
  socket.end();
}
