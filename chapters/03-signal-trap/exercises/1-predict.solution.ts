/** An answer to exercise 1. @module */

/** Three of these end by themselves with 0, and the last QUIT comes too late to matter. */
export function predictions(): Record<string, readonly [status: number, seconds: number]> {
  return {
    "TERM@0 --handler 3s": [0, 3],
    "INT@0 INT@1s INT@2s INT@3s --job never": [130, 3],
    "QUIT@1s --job 3s": [131, 1],
    "QUIT@1s --job 3s --debug": [2, 1],
    "TERM@0 --job never --handler 12s": [0, 15],
    "TERM@0 INT@1s TERM@2s --job 4s --handler 4s": [0, 8],
    "TERM@0 QUIT@6s --job 2s --handler 3s": [0, 5],
    "HUP@1s --job 3s": [129, 1],
  };
}
