/**
 * The image of the tour: three layers, of which the last hides a file of the second.
 *
 * @module
 */

import { type BuiltImage, buildImage, buildLayer } from "../tiny-image.ts";
import { tinyEcho } from "../tiny-program.ts";

/** Makes the image; the same bytes each time. */
export function tourImage(): BuiltImage {
  const base = buildLayer(
    [
      { name: "bin", type: "dir" },
      { name: "bin/echo", mode: 0o755, content: tinyEcho() },
      { name: "etc", type: "dir" },
      { name: "etc/passwd", content: "root:x:0:0:root:/:/bin/echo\n" },
    ],
    "ADD echo in /bin (a program of 225 bytes)",
  );
  const words = buildLayer(
    [
      { name: "words", type: "dir" },
      { name: "words/final", content: "ship it\n" },
      { name: "words/draft", content: "maybe later\n" },
    ],
    "ADD words in /",
  );
  const last = buildLayer(
    [{ name: "words", type: "dir" }, { name: "words/.wh.draft" }],
    "RUN rm /words/draft (a whiteout)",
  );
  return buildImage([base, words, last], { Env: ["PATH=/bin"], Cmd: ["echo", "hello"], WorkingDir: "/" });
}
