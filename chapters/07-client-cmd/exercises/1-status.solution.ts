/** An answer to exercise 1. @module */

/** 2: a usage screen; 1: an error; 0: everything that just returns, help included. */
export function predictions(): Record<string, number> {
  return {
    images: 0,
    IMAGES: 0,
    nope: 0,
    "nope pull": 2,
    "help pull": 2,
    pull: 2,
    "ps --nope": 2,
    "--nope ps": 2,
    // A pattern that nothing matches is a pattern like any other.
    "images nope": 0,
    "rmi nope": 1,
    "--tls ps": 1,
    // Too many hosts, before anybody sees that there is no command.
    "-H :1 -H :2": 1,
    // The authority is read before the command word, too.
    "--tlsverify": 1,
    "-v --tlsverify": 0,
  };
}
