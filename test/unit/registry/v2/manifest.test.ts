import fc from "fast-check";
import { expect, test } from "vitest";
import { EngineError } from "../../../../src/errdefs/errdefs.ts";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import { parseJson } from "../../../../src/registry/json.ts";
import { chainIds, parseConfig } from "../../../../src/registry/v2/config.ts";
import { parseDigest } from "../../../../src/registry/v2/digest.ts";
import { parseManifest } from "../../../../src/registry/v2/manifest.ts";

const TYPE = "application/vnd.docker.distribution.manifest.v2+json";

test("parseManifest() and parseConfig() answer any JSON with a result or an error of the engine", () => {
  const known = fc.dictionary(
    fc.constantFrom("schemaVersion", "mediaType", "config", "layers", "manifests", "rootfs", "history", "os"),
    fc.oneof(fc.jsonValue(), fc.constant(2), fc.constant(TYPE)),
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), known), (value) => {
      const bytes = Buffer.from(JSON.stringify(value));
      for (const parse of [
        () => parseManifest(bytes, TYPE, "x"),
        () => parseConfig(bytes, 1, { os: "linux", architecture: "amd64" }, "x"),
      ]) {
        try {
          parse();
        } catch (cause) {
          if (!(cause instanceof EngineError)) throw cause;
        }
      }
    }),
  );
});

test("parseJson() refuses what is nested deeper than any document, and no bracket in a text", () => {
  const parse = (text: string) => parseJson(Buffer.from(text), "x");
  const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
  for (const [open, close] of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    expect(parse(nested(open, close, 1000))).toBeDefined();
    expect(() => parse(nested(open, close, 1001))).toThrow("Cannot read x: it is nested too deeply");
    expect(() => parse(open.repeat(1 << 20))).toThrow("nested too deeply");
  }
  const text = `\\"${"[".repeat(2000)}\\`;
  expect(parse(JSON.stringify([text, text]))).toEqual([text, text]);
  expect(() => parse("[".repeat(10))).toThrow("it is no JSON");
});

test("parseManifest() refuses a document that calls itself something else than the registry does", () => {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPE, manifests: [] }));
  expect(() => parseManifest(bytes, "application/vnd.oci.image.index.v1+json", "x")).toThrow("the registry calls it");
});

test("parseDigest() takes sha256 and 64 digits, nothing else", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  expect(parseDigest(digest, "x")).toBe(digest);
  for (const bad of [
    digest.toUpperCase(),
    `${digest}a`,
    "sha256:../..",
    `sha512:${"a".repeat(128)}`,
    `${digest}\n`,
    null,
    1,
  ]) {
    expect(() => parseDigest(bad, "x")).toThrow("is no sha256 digest");
  }
});

// The two lines of https://github.com/opencontainers/image-spec/blob/v1.0.2/config.md#layer-chainid, computed by hand.
test("chainIds() names each stack of layers", () => {
  const { hash } = memoryHost();
  const [a, b] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
  expect(chainIds([a, b], hash)).toEqual([a, `sha256:${hash("sha256").update(`${a} ${b}`).hex()}`]);
  expect(chainIds([], hash)).toEqual([]);
});
