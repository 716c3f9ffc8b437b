/**
 * An answer that does not end.
 */

import type { ServerResponse } from "node:http";

const CHUNK = Buffer.alloc(64 << 10, "no end, and no archive ");

/** Sends until the other side has enough. @returns how many bytes it took */
export function endless(response: ServerResponse): Promise<number> {
  let sent = 0;
  const more = () => {
    do sent += CHUNK.length;
    while (response.write(CHUNK));
  };
  response.on("drain", more);
  return new Promise((resolve) => {
    response.on("close", () => resolve(sent));
    more();
  });
}
