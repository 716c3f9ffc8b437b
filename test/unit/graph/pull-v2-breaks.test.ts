/** Pulls that are interrupted: by the connection, by the end of a token, by a tag that is broken. */

import { expect, test } from "vitest";
import { RegistryV2 } from "../../../chapters/lib/registry-v2.ts";
import { buildImage, buildLayer, tinyImage } from "../../../chapters/lib/tiny-image.ts";
import { type ImageStore, imageStore, runJob, type Served } from "../../support/image-store.ts";

const TODAY = { json: "1", apiVersion: "1.30" };

async function storeOf(serve: Served): Promise<ImageStore> {
  const images = await imageStore();
  images.network.set("http://localhost:5000", serve);
  return images;
}

const pull = (images: ImageStore, tag = "latest") => runJob(images, "pull", ["localhost:5000/app", tag], TODAY);

test.each([
  ["ignores the range", (blob: Buffer) => new Response(blob), 0],
  ["knows no range", () => new Response(null, { status: 416 }), 1],
  [
    "goes on at another byte",
    (blob: Buffer) => new Response(blob, { status: 206, headers: { "Content-Range": `bytes 0-1/${blob.length}` } }),
    1,
  ],
  ["says nothing of where it goes on", (blob: Buffer) => new Response(blob, { status: 206 }), 1],
] as const)("a registry that %s is pulled from all the same", async (_name, answer, again) => {
  const registry = new RegistryV2();
  const image = tinyImage();
  registry.putImage("app", "latest", image);
  const { digest, blob } = image.layers[1]!;
  const ranges: string[] = [];
  let whole = 0;
  const images = await storeOf(async (request) => {
    if (!request.url.endsWith(digest)) return registry.handle(request);
    const range = request.headers.get("range");
    if (range !== null) {
      ranges.push(range);
      return answer(blob);
    }
    return whole++ === 0 ? new Response(blob.subarray(0, 40)) : registry.handle(request);
  });
  const run = await pull(images);
  expect(run.error).toBeUndefined();
  expect(ranges).toEqual(["bytes=40-"]);
  expect(whole).toBe(1 + again);
  expect(images.graph.ids()).toHaveLength(3);
});

// A docker-registry in front of another one does so when that breaks off.
test("a registry that writes why it broke off into the document is asked for it anew", async () => {
  const registry = new RegistryV2();
  const image = tinyImage();
  registry.putImage("app", "latest", image);
  let tries = 0;
  const images = await storeOf(async (request) => {
    if (!request.url.endsWith(image.configDigest)) return registry.handle(request);
    const range = request.headers.get("range");
    if (range !== null) {
      const from = Number(/\d+/.exec(range)?.[0]);
      const headers = { "Content-Range": `bytes ${from}-${image.config.length - 1}/${image.config.length}` };
      return new Response(image.config.subarray(from), { status: 206, headers });
    }
    if (tries++ > 0) return registry.handle(request);
    return new Response(Buffer.concat([image.config.subarray(0, 50), Buffer.from('{"errors":[]}')]));
  });
  expect((await pull(images)).error).toBeUndefined();
  expect(tries).toBe(2);
});

test("a token that ends in the middle of a pull is renewed, also behind a broken connection", async () => {
  const realm = "http://localhost:5000/token";
  const registry = new RegistryV2({ auth: { kind: "bearer", realm, service: "s" } });
  const image = tinyImage();
  registry.putImage("app", "latest", image);
  const { digest } = image.layers[1]!;
  let [ended, broken] = [0, 0];
  const images = await storeOf(async (request) => {
    if (!request.url.endsWith(digest)) return registry.handle(request);
    if (broken++ === 0) return new Response(image.layers[1]!.blob.subarray(0, 40));
    if (request.headers.get("authorization") !== "Bearer token-1") return registry.handle(request);
    ended++;
    const headers = { "WWW-Authenticate": `Bearer realm="${realm}",service="s",error="invalid_token"` };
    return new Response(null, { status: 401, headers });
  });
  expect((await pull(images)).error).toBeUndefined();
  expect(ended).toBe(1);
  expect(registry.requests.filter((request) => request.startsWith("GET /token"))).toHaveLength(2);
});

// origin: dockerd 20.10, `pull -a`
test("a pull of all tags ends at one that is broken, and keeps those before it", async () => {
  const registry = new RegistryV2();
  const small = (name: string) => buildImage([buildLayer([{ name, content: name }], name)], {});
  for (const tag of ["a", "b", "c"]) registry.putImage("app", tag, small(tag));
  registry.faults.add({ match: /manifests\/b/, kind: { replace: '{"schemaVersion":2}', type: "text/plain" } });
  const images = await storeOf(registry.handle);
  const { error } = await pull(images, "");
  expect(error?.message).toMatch(
    /localhost:5000\/app:b: unsupported media type "text\/plain"|manifest verification failed/,
  );
  expect([...(images.store.get("localhost:5000/app")?.keys() ?? [])]).toEqual(["a"]);
  registry.faults.clear();
  expect((await pull(images, "")).error).toBeUndefined();
  expect([...(images.store.get("localhost:5000/app")?.keys() ?? [])].sort()).toEqual(["a", "b", "c"]);
});
