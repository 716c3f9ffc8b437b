/**
 * Archives that hold an image layout of the OCI, as skopeo, podman and buildkit write it.
 *
 * ```text
 * oci-layout           {"imageLayoutVersion":"1.0.0"}
 * index.json           the images: descriptors of manifests, or of lists of manifests, and their names
 * blobs/sha256/<hex>   manifests, configurations, layers
 * ```
 *
 * Of a list the image for this machine is taken.
 *
 * @since Docker 25.0
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import { listOf, objectOf, parseJson, textOf } from "../registry/json.ts";
import { digestHex, parseDigest } from "../registry/v2/digest.ts";
import {
  choosePlatform,
  type ImageManifest,
  type ManifestList,
  type Platform,
  parseManifest,
} from "../registry/v2/manifest.ts";
import { type Bundle, MAX_LIST_BYTES } from "./bundle.ts";
import { type Item, planItems } from "./load-manifest.ts";
import { type LoadedName, type LoadPlan, loadedName, MAX_IMAGES } from "./load-plan.ts";
import type { ProgressSink } from "./progress-sink.ts";
import type { TagStore } from "./tags.ts";

/** Where the name of an image is: containerd's is a whole one, that of the OCI may be a tag alone. */
const NAMES = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/** Finds out what is in the archive. @throws {EngineError} when an image of it cannot be loaded */
export async function planLayout(
  store: TagStore,
  bundle: Bundle,
  progress: ProgressSink | undefined,
  signal: AbortSignal,
): Promise<LoadPlan> {
  const { os, arch } = store.host.machine;
  const layout = objectOf(parseJson(await bundle.document("oci-layout"), "oci-layout"), "oci-layout");
  const version = layout["imageLayoutVersion"];
  if (typeof version !== "string" || !version.startsWith("1.")) {
    throw new BadRequestError(
      `Cannot load the archive: unknown version of its layout ${JSON.stringify(version)?.slice(0, 100)}`,
    );
  }
  const index = parseJson(await bundle.document("index.json", MAX_LIST_BYTES), "index.json");
  const entries = listOf(objectOf(index, "index.json")["manifests"] ?? [], "the manifests of index.json");
  if (entries.length > MAX_IMAGES) throw new BadRequestError(`Cannot load the archive: more than ${MAX_IMAGES} images`);
  const items = new Map<string, Item>();
  for (const value of entries) {
    signal.throwIfAborted();
    const entry = objectOf(value, "a manifest of index.json");
    const manifest = await readImage(store, bundle, entry, { os, architecture: arch });
    const config = fileOf(manifest.config.digest);
    const names = [...(items.get(config)?.names ?? []), ...nameOf(entry)];
    items.set(config, { config, names, layers: manifest.layers.map((layer) => fileOf(layer.digest)) });
  }
  return planItems(store, bundle, [...items.values()], progress, signal);
}

function fileOf(digest: string): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

/** The name of an entry: none when there is only a tag. @throws {BadRequestError} when it is none */
function nameOf(entry: Readonly<Record<string, unknown>>): LoadedName[] {
  const annotations = objectOf(entry["annotations"] ?? {}, "the annotations of index.json");
  const name = NAMES.map((key) => annotations[key]).find((text) => typeof text === "string" && /[:/]/.test(text));
  return typeof name === "string" ? [loadedName(name)] : [];
}

/** Reads the manifest of an image, by way of a list or not. */
async function readImage(
  store: TagStore,
  bundle: Bundle,
  entry: Readonly<Record<string, unknown>>,
  platform: Platform,
): Promise<ImageManifest> {
  const digest = parseDigest(entry["digest"], "a manifest of index.json");
  const found = await readManifest(store, bundle, digest, textOf(entry["mediaType"], "a media type of index.json"));
  if (found.kind === "image") return found;
  const { digest: own, mediaType } = choosePlatform(found, platform);
  const chosen = await readManifest(store, bundle, own, mediaType);
  if (chosen.kind === "image") return chosen;
  throw new BadRequestError(`Cannot load ${fileOf(own)}: a list inside a list`);
}

async function readManifest(
  { graph }: TagStore,
  bundle: Bundle,
  digest: string,
  mediaType: string,
): Promise<ImageManifest | ManifestList> {
  const name = fileOf(digest);
  const bytes = await bundle.document(name);
  const own = `sha256:${graph.host.hash("sha256").update(bytes).hex()}`;
  if (own !== digest) throw new BadRequestError(`Cannot load ${name}: its digest is ${own}`);
  return parseManifest(bytes, mediaType, name, "load");
}
