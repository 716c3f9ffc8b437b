/**
 * Signals to the client, passed on to the container.
 *
 * @module
 */

import { messageOf } from "../../errdefs/errdefs.ts";
import { catchAll } from "../../pkg/signal/signal.ts";
import type { DockerCli } from "./cli.ts";
import { call, readBody } from "./utils.ts";

/**
 * Sends every signal that arrives to the container, in order. Returns what ends that.
 *
 * @origin api/client/commands.go (*DockerCli).forwardAllSignals
 * @deviation A broken pipe of ours (`docker run … | head`) is not passed on.
 */
export function forwardAllSignals(cli: DockerCli, id: string): () => void {
  let last = Promise.resolve();
  const forward = async (name: string) => {
    try {
      await readBody(call(cli, "POST", `/containers/${id}/kill?signal=${name}`));
    } catch (cause) {
      cli.log.debug("commands.go:604", `Error sending signal: ${messageOf(cause)}`);
    }
  };
  return catchAll(cli.host, (name) => {
    if (name === "CHLD" || name === "PIPE") return;
    last = last.then(() => forward(name));
  });
}
