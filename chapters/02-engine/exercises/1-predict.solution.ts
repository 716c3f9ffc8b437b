/** An answer to exercise 1. @module */

import type { Prediction } from "./1-predict.ts";

const usage = "Usage: echo WORD...";

/**
 * A job without a handler has no status in the log: it never ended. An error is the last line only. And an error that a
 * handler passes on is in the log twice, once for each job that wrote it.
 */
export function predictions(): Record<string, Prediction> {
  return {
    "nope x": { log: ["+job nope(x)", "nope: command not found", "-job nope(x)"], error: "nope: command not found" },
    echo: { log: ["+job echo()", usage, "-job echo() = ERR (1)"], error: usage },
    "VERBOSE=1 echo": { log: ["+job echo()", "echo: words: 0", usage, "-job echo() = ERR (1)"], error: usage },
    shout: {
      log: [
        "+job shout()",
        "+job echo()",
        usage,
        "+job upper()",
        "-job echo() = ERR (1)",
        "-job upper() = OK (0)",
        usage,
        "-job shout() = ERR (1)",
      ],
      error: usage,
    },
  };
}
