/**
 * Exercise 4: a command of your own.
 *
 * The daemon answers `GET /_ping` with `OK`, and no command of 1.2.0 asks for it. Write `docker ping`: it takes no
 * arguments, asks, prints the answer on a line of its own, and fails as every command fails when nobody listens.
 *
 * @module
 */

import type { DockerCli } from "../../../src/api/client/cli.ts";
import { yourTurn } from "../../lib/exercise.ts";

/** What is behind `CmdPing`. */
export async function cmdPing(cli: DockerCli, args: string[]): Promise<void> {
  yourTurn(cli, args);
}
