import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { digestOf, tinyImage } from "../../../chapters/lib/tiny-image.ts";

test("tinyImage() is what its digests say, and the same each time", () => {
  const image = tinyImage();
  for (const layer of image.layers) {
    const hex = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    expect([layer.digest, layer.diffId]).toEqual([hex(layer.blob), hex(layer.tar)]);
    expect(gunzipSync(layer.blob)).toEqual(layer.tar);
    expect(layer.blob.length).toBeLessThan(layer.tar.length / 4);
  }
  expect(tinyImage().configDigest).toBe(image.configDigest);
  expect(image.configDigest).toBe(digestOf(image.config));
});

test.each(["tiny-image", "registry-v1", "registry-v2", "msw"])(
  "chapters/lib/%s.ts asks for nothing that a page does not have",
  async (name) => {
    const { metafile } = await build({
      entryPoints: [`chapters/lib/${name}.ts`],
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "browser",
      logLevel: "silent",
    });
    const asked = Object.values(metafile.inputs).flatMap((input) => input.imports.map((imported) => imported.path));
    expect(asked.filter((path) => path.startsWith("node:"))).toEqual([]);
  },
);
