/**
 * Writes manifests.
 *
 * @since Docker 1.10
 * @module
 */

import { type Descriptor, MANIFEST_TYPES } from "./manifest.ts";

const DOCKER = {
  manifest: MANIFEST_TYPES[0],
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar",
  gzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

const OCI = {
  manifest: MANIFEST_TYPES[2],
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

/** What a layer is called that was compressed here. */
export const LAYER_TYPE: string = DOCKER.gzip;

/** A document and what it is. */
export interface EncodedManifest {
  readonly mediaType: string;
  readonly document: Buffer;
}

/**
 * Makes the manifest of an image, in Docker's own form where that has names for all layers (it has none for zstd).
 *
 * The text is as `dockerd` writes it: the same image has the same digest, whoever pushed it.
 *
 * @param config - digest and size of the configuration
 * @param layers - lowest first
 */
export function encodeManifest(config: Omit<Descriptor, "mediaType">, layers: readonly Descriptor[]): EncodedManifest {
  const types = layers.some(({ mediaType }) => mediaType.endsWith("zstd")) ? OCI : DOCKER;
  const typeOf = (type: string) => (/gzip$/.test(type) ? types.gzip : /zstd$/.test(type) ? type : types.layer);
  const line = (mediaType: string, { size, digest }: Omit<Descriptor, "mediaType">) => ({ mediaType, size, digest });
  const document = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: line(types.config, config),
    layers: layers.map((layer) => line(typeOf(layer.mediaType), layer)),
  };
  // Nothing in it needs one of Go's escapes: numbers, digests and names of types.
  return { mediaType: types.manifest, document: Buffer.from(JSON.stringify(document, null, 3)) };
}
