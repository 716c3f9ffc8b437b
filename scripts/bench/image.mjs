/**
 * The image that the pull is measured with: 150 MB in 8 layers, 20,000 of its files small. Made anew each time, the same
 * every time.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

const SMALL_FILES = 20_000;
const LAYERS = 8;
const TOTAL_BYTES = 150 * 1000 * 1000;

function header(name, size, type) {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100, "latin1");
  block.write(type === "5" ? "0000755\0" : "0000644\0", 100, "latin1");
  block.write("0000000\0".repeat(2), 108, "latin1");
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  block.write("14000000000\0", 136, "latin1");
  block.write("        ", 148, "latin1");
  block.write(type, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Bytes that compress about as well as programs do: half of them noise. */
function content(size, seed) {
  const data = Buffer.alloc(size);
  let x = (seed * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < size; i += 8) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    data.writeUInt32LE(x, Math.min(i, size - 4));
  }
  return data;
}

function layer(index, base) {
  const parts = [];
  const file = (name, data) =>
    parts.push(header(name, data.length, "0"), data, Buffer.alloc((512 - (data.length % 512)) % 512));
  for (const [name, data] of base) file(name, data);
  const small = SMALL_FILES / LAYERS;
  let bytes = 0;
  for (let i = 0; i < small; i++) {
    if (i % 100 === 0) parts.push(header(`usr/l${index}/d${i / 100}/`, 0, "5"));
    const data = content(200 + ((i * 37) % 1800), index * small + i + 1);
    bytes += data.length;
    file(`usr/l${index}/d${Math.floor(i / 100)}/f${i}`, data);
  }
  const rest = Math.floor(TOTAL_BYTES / LAYERS) - bytes;
  file(`usr/l${index}/big`, content(rest, 7777 + index));
  parts.push(Buffer.alloc(1024));
  return Buffer.concat(parts);
}

const digestOf = (data) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

async function upload(registry, name, data) {
  const digest = digestOf(data);
  const start = await fetch(`${registry}/v2/${name}/blobs/uploads/`, { method: "POST" });
  const location = start.headers.get("location");
  const url = new URL(location, registry);
  url.searchParams.set("digest", digest);
  const done = await fetch(url, { method: "PUT", body: data, headers: { "content-type": "application/octet-stream" } });
  if (done.status !== 201) throw new Error(`Cannot upload a layer: the registry answered ${done.status}`);
  return { digest, size: data.length };
}

/**
 * Makes an image and puts it into a registry.
 *
 * @param registry - `http://127.0.0.1:5000`
 * @param name - repository
 * @param layers - uncompressed tars, lowest first
 */
async function push(registry, name, layers, cmd) {
  const descriptors = [];
  for (const tar of layers) {
    const blob = await upload(registry, name, gzipSync(tar, { level: 6 }));
    descriptors.push({ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", ...blob });
  }
  const config = Buffer.from(
    JSON.stringify({
      created: "2014-08-20T20:20:14Z",
      architecture: "amd64",
      os: "linux",
      config: { Cmd: cmd, Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
      rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
      history: layers.map((_, i) => ({ created: "2014-08-20T20:20:14Z", created_by: `layer ${i}` })),
    }),
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { mediaType: "application/vnd.docker.container.image.v1+json", ...(await upload(registry, name, config)) },
    layers: descriptors,
  });
  const answer = await fetch(`${registry}/v2/${name}/manifests/latest`, {
    method: "PUT",
    body: manifest,
    headers: { "content-type": "application/vnd.docker.distribution.manifest.v2+json" },
  });
  if (answer.status !== 201) throw new Error(`Cannot upload the manifest: the registry answered ${answer.status}`);
}

/** Puts `bench` (the big one) and `tiny` (busybox alone) into a registry. @param busybox - a static busybox */
export async function pushBenchImages(registry, busybox) {
  const base = [
    ["bin/busybox", busybox],
    ["bin/true", busybox],
    ["bin/sh", busybox],
  ];
  const executable = (tar) => {
    // The three programs stand first: make their mode 755 and mend the checksums.
    let at = 0;
    for (const [, data] of base) {
      const block = tar.subarray(at, at + 512);
      block.write("0000755\0", 100, "latin1");
      block.write("        ", 148, "latin1");
      let sum = 0;
      for (const byte of block) sum += byte;
      block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
      at += 512 + data.length + ((512 - (data.length % 512)) % 512);
    }
    return tar;
  };
  await push(
    registry,
    "bench",
    Array.from({ length: LAYERS }, (_, i) => (i === 0 ? executable(layer(0, base)) : layer(i, []))),
    ["/bin/true"],
  );
  const only = [];
  for (const [name, data] of base)
    only.push(header(name, data.length, "0"), data, Buffer.alloc((512 - (data.length % 512)) % 512));
  only.push(Buffer.alloc(1024));
  await push(registry, "tiny", [executable(Buffer.concat(only))], ["/bin/true"]);
}
