/** An answer to exercise 2. @module */

/** Who waits at a name asks for nothing; at an image, for all that comes before it; at a layer, for all but the layer. */
export function predictions(): Record<string, readonly ["well" | "error", number]> {
  return {
    "app:1.0 app:1.0": ["well", 0],
    "--fail layer=404 app:1.0 app:1.0": ["error", 0],
    // Three pings, images, tags: then img: is taken.
    "app:1.0 app:latest": ["well", 5],
    // The one failure was the first client's, while the second one waited for the same layer.
    "--fail layer=404:1 app:1.0 tools:1.0": ["error", 6],
    // The work belongs to whoever still waits for it.
    "--leave 1=200 app:1.0 app:1.0": ["well", 0],
    "--registry v2 app:1.0 tools:1.0": ["well", 4],
  };
}
