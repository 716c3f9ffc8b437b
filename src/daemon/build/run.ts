/**
 * RUN: a container that runs once, and what it leaves.
 *
 * @origin daemon/build.go
 * @module
 */

import { messageOf } from "../../errdefs/errdefs.ts";
import { newConfig } from "../../runconfig/from-json.ts";
import { merge } from "../../runconfig/merge.ts";
import type { Writer } from "../../sync/io.ts";
import { JSONStreamError } from "../../utils/json-message.ts";
import { truncateID } from "../../utils/utils.ts";
import type { Container } from "../container.ts";
import { startContainer } from "../start.ts";
import { killContainer } from "../stop.ts";
import type { BuildFile } from "./build-file.ts";
import { commandOf, goList } from "./dockerfile.ts";

/** A container that nothing is asked of: who is merged with it gives up port specifications of before Docker 0.6.5. */
const bare = newConfig({ ExposedPorts: {}, Volumes: {} });

/** @origin daemon/build.go (*buildFile).CmdRun */
export async function run(build: BuildFile, args: string): Promise<void> {
  build.wantImage("run");
  const words = commandOf(args);
  await build.withCommand(words?.length === 0 ? null : words, async (command) => {
    merge(build.config, bare);
    build.daemon.log.debug("build.go:292", `Command to be executed: ${goList(build.config.Cmd)}`);
    if (await build.probeCache()) return;
    const { limits, proxies } = build.settings;
    const env = proxies.length === 0 ? {} : { Env: [...(build.config.Env ?? []), ...proxies] };
    const container = await build.create({ ...limits, ...env });
    await build.streams.out.write(` ---> Running in ${truncateID(container.id)}\n`);
    // An entrypoint of the image is not for the commands of a build.
    [container.path = "", ...container.args] = build.config.Cmd ?? [];
    await runContainer(build, container);
    const { id } = container;
    await build.commitImage({ id, layer: build.daemon.driver.diff(id, `${id}-init`) }, command);
  });
}

/**
 * Starts a container and waits for its end.
 *
 * @throws {JSONStreamError} when its command failed
 * @origin daemon/build.go (*buildFile).run
 */
async function runContainer(build: BuildFile, container: Container): Promise<void> {
  const { daemon, signal, streams, settings } = build;
  const { stdout, stderr, state } = container;
  const writers = settings.verbose ? [new WholeCharacters(streams.out), new WholeCharacters(streams.err)] : [];
  const output = writers.map((writer, i) => (i === 0 ? stdout : stderr).addWriter(writer));
  const kill = () => {
    for (const subscription of output) subscription.cancel();
    void daemon.tasks.run(() =>
      killContainer(daemon, container).catch((cause: unknown) => {
        daemon.log.error("build.go:770", `Cannot kill the container ${container.id}: ${messageOf(cause)}`);
      }),
    );
  };
  signal.addEventListener("abort", kill, { once: true });
  try {
    await startContainer(daemon, container);
    if (signal.aborted) kill();
    await state.waitNotRunning();
    await Promise.all(output.map((subscription) => subscription.ended));
    for (const writer of writers) await writer.finish();
  } finally {
    signal.removeEventListener("abort", kill);
    for (const subscription of output) subscription.cancel();
  }
  signal.throwIfAborted();
  if (state.exitCode === 0) return;
  const text = `The command ${goList(build.config.Cmd)} returned a non-zero code: ${state.exitCode}`;
  throw new JSONStreamError(text, state.shellExitCode);
}

/** Keeps back the beginning of a character until its end has come: each write becomes a text of its own. */
class WholeCharacters implements Writer {
  readonly #out: Writer;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(out: Writer) {
    this.#out = out;
  }

  write(chunk: Uint8Array | string): void | Promise<void> {
    const text = typeof chunk === "string" ? chunk : this.#decoder.decode(chunk, { stream: true });
    return text === "" ? undefined : this.#out.write(text);
  }

  /** Writes the rest of a character that has no end. */
  async finish(): Promise<void> {
    const rest = this.#decoder.decode();
    if (rest !== "") await this.#out.write(rest);
  }
}
