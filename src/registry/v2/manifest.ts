/**
 * Manifests: which configuration and which layers make an image, and which image fits which machine.
 *
 * Everything here works on bytes whose digest was checked before, and reads them once: what was verified is what is
 * used (CVE-2014-8179).
 *
 * @since Docker 1.10
 * @module
 */

import { BadRequestError, NotFoundError } from "../../errdefs/errdefs.ts";
import { listOf, objectOf, parseJson } from "../json.ts";
import { parseDigest } from "./digest.ts";

/** The documents a registry is asked for, best first. */
export const MANIFEST_TYPES = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
] as const;

const IMAGE_TYPES = new Set<string>([MANIFEST_TYPES[0], MANIFEST_TYPES[2]]);
const LIST_TYPES = new Set<string>([MANIFEST_TYPES[1], MANIFEST_TYPES[3]]);
const CONFIG_TYPES = new Set([
  "application/vnd.docker.container.image.v1+json",
  "application/vnd.oci.image.config.v1+json",
]);
const LAYER_TYPES = new Set([
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
  "application/vnd.docker.image.rootfs.diff.tar",
  "application/vnd.oci.image.layer.v1.tar",
  "application/vnd.oci.image.layer.v1.tar+gzip",
  "application/vnd.oci.image.layer.v1.tar+zstd",
]);
/** A container stands on 125 layers at most: the two of its own come on top. */
const MAX_LAYERS = 125;

/** Where a blob is and how large. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** The manifest of one image. */
export interface ImageManifest {
  readonly kind: "image";
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
}

/** What an image runs on. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** The manifest of several images, one for each kind of machine. */
export interface ManifestList {
  readonly kind: "list";
  readonly entries: readonly (Descriptor & { readonly platform: Platform | undefined })[];
}

function descriptor(value: unknown, what: string): Descriptor {
  const fields = objectOf(value, what);
  const { mediaType, size } = fields;
  if (typeof mediaType !== "string") throw new BadRequestError(`Cannot read ${what}: it has no media type`);
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw new BadRequestError(`Cannot read ${what}: bad size`);
  return { mediaType, digest: parseDigest(fields["digest"], what), size: size as number };
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * Reads a manifest.
 *
 * @param contentType - what the registry says it is
 * @param verb - what cannot be done when it is refused
 * @throws {BadRequestError} when it is none, of an old or foreign kind, or ambiguous (CVE-2021-41190)
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string,
  what: string,
  verb: "pull" | "load" = "pull",
): ImageManifest | ManifestList {
  const fields = objectOf(parseJson(bytes, what), what);
  const declared = optionalText(fields["mediaType"]);
  const served = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (fields["schemaVersion"] === 1 || served.startsWith("application/vnd.docker.distribution.manifest.v1")) {
    throw new BadRequestError(
      `Cannot ${verb} ${what}: it has a manifest of the old schema 1, which cannot be verified; push it again with a newer client`,
    );
  }
  if (fields["schemaVersion"] !== 2) throw new BadRequestError(`Cannot read ${what}: unknown schema version`);
  const known = (type: string) => IMAGE_TYPES.has(type) || LIST_TYPES.has(type);
  if (declared !== undefined && known(served) && declared !== served) {
    throw new BadRequestError(`Cannot read ${what}: it calls itself ${declared}, the registry calls it ${served}`);
  }
  const type = declared ?? served;
  if (!known(type)) throw new BadRequestError(`Cannot read ${what}: unsupported media type ${JSON.stringify(type)}`);
  const isList = LIST_TYPES.has(type);
  for (const key of isList ? ["config", "layers", "fsLayers"] : ["manifests", "fsLayers"]) {
    if (Object.hasOwn(fields, key))
      throw new BadRequestError(`Cannot read ${what}: a ${type} with "${key}" is ambiguous`);
  }
  return isList ? parseList(fields, what) : parseImage(fields, what, verb);
}

function parseImage(fields: Record<string, unknown>, what: string, verb: "pull" | "load"): ImageManifest {
  const config = descriptor(fields["config"], `the configuration of ${what}`);
  if (!CONFIG_TYPES.has(config.mediaType)) {
    throw new BadRequestError(`Cannot ${verb} ${what}: it is no image but ${JSON.stringify(config.mediaType)}`);
  }
  const layers = listOf(fields["layers"], `the layers of ${what}`).map((layer) =>
    descriptor(layer, `a layer of ${what}`),
  );
  if (layers.length > MAX_LAYERS) throw new BadRequestError(`Cannot ${verb} ${what}: more than ${MAX_LAYERS} layers`);
  for (const layer of layers) {
    if (!LAYER_TYPES.has(layer.mediaType)) {
      throw new BadRequestError(`Cannot ${verb} ${what}: unsupported layer type ${JSON.stringify(layer.mediaType)}`);
    }
  }
  return { kind: "image", config, layers };
}

function parseList(fields: Record<string, unknown>, what: string): ManifestList {
  const entries = listOf(fields["manifests"], `the manifests of ${what}`).map((value) => {
    const entry = descriptor(value, `a manifest of ${what}`);
    const platform = objectOf(value, what)["platform"];
    if (platform === undefined || platform === null) return { ...entry, platform: undefined };
    const { os, architecture, variant } = objectOf(platform, `a platform of ${what}`);
    return {
      ...entry,
      platform: {
        os: optionalText(os) ?? "",
        architecture: optionalText(architecture) ?? "",
        variant: optionalText(variant),
      },
    };
  });
  return { kind: "list", entries };
}

/** The variants a processor can run, best first; the first is what it is when it does not say. */
const VARIANTS: Record<string, readonly string[]> = {
  arm: ["v7", "v6", "v5"],
  arm64: ["v8"],
  amd64: ["v1"],
};

/**
 * Chooses the manifest for a machine; of several that fit equally well the first.
 *
 * @throws {NotFoundError} when none fits
 */
export function choosePlatform(list: ManifestList, wanted: Platform): Descriptor {
  const order = VARIANTS[wanted.architecture] ?? [];
  const usual = wanted.variant ?? order[0];
  const usable = usual === undefined ? [] : order.includes(usual) ? order.slice(order.indexOf(usual)) : [usual];
  let best: { entry: Descriptor; rank: number } | undefined;
  for (const entry of list.entries) {
    const { platform } = entry;
    if (platform?.os !== wanted.os || platform.architecture !== wanted.architecture) continue;
    if (!IMAGE_TYPES.has(entry.mediaType)) continue;
    const variant = platform.variant ?? order[0];
    const rank = variant === undefined ? 0 : usable.indexOf(variant);
    if (rank >= 0 && (best === undefined || rank < best.rank)) best = { entry, rank };
  }
  if (best !== undefined) return best.entry;
  const name = [wanted.os, wanted.architecture, wanted.variant].filter((part) => part !== undefined).join("/");
  throw new NotFoundError(`no matching manifest for ${name} in the manifest list entries`);
}
