/**
 * Exercise 4: which doors does a command line open?
 *
 * The machine has the groups root, docker and ops, no certificates, and an init that passes sockets only to a daemon
 * that asks for them. Write down how each daemon ends up: `serves`, or the text it ends with.
 *
 * @module
 */

import { yourTurn } from "../../lib/exercise.ts";

/** The command lines, by a letter. */
export const lines = {
  a: ["-H", "tcp://127.0.0.1:2375", "-H", "unix:///var/run/docker.sock"],
  b: ["-H", "tcp://127.0.0.1:2375", "-H", "tcp://127.0.0.1:2375"],
  c: ["-H", "fd://", "--tls"],
  d: ["-H", "unix:///var/run/docker.sock", "--tlsverify"],
  e: ["-H", "tcp://127.0.0.1:2376", "--tls"],
  f: ["-G", "wheel"],
  g: ["-G", "1001"],
} as const;

/** Your predictions. */
export function predictions(): Record<keyof typeof lines, string> {
  return yourTurn();
}
