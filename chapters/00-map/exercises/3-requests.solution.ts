/** An answer to exercise 3. @module */

/**
 * A run is create, attach, start, wait. Without the image the first create fails, and behind the pull comes another.
 * Nobody attaches to or waits for a detached one. `--rm` asks how it ended, then deletes.
 */
export function requests() {
  return { pull: 1, run: 4, runAndPull: 6, detached: 2, andRemove: 6, removeTwo: 2 };
}
