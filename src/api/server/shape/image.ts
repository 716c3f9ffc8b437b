/**
 * Images for clients newer than 1.2.0.
 *
 * From 1.22 on ids are written `sha256:<hex>` and `Size` is that of the whole image; 1.2.0 means the topmost layer.
 *
 * @module
 */

import { imageId } from "../names.ts";
import { type JsonObject, listAt, numberAt, objectAt, textAt } from "../services.ts";
import type { ApiVersion } from "../version.ts";

function wholeSize(row: JsonObject | undefined, version: ApiVersion): number {
  return numberAt(row, version.atLeast("1.22") ? "VirtualSize" : "Size");
}

/** A row of the list. @param row - what the job `images` says */
export function shapeImageRow(row: JsonObject, version: ApiVersion): JsonObject {
  return {
    ...row,
    Id: imageId(textAt(row, "Id"), version),
    ParentId: imageId(textAt(row, "ParentId"), version),
    RepoTags: listAt(row, "RepoTags"),
    RepoDigests: listAt(row, "RepoDigests"),
    Size: wholeSize(row, version),
    Labels: row["Labels"] ?? null,
    ...(version.atLeast("1.25") && { SharedSize: -1, Containers: -1 }),
  };
}

/** Names in a row that are no names. */
export const UNTAGGED = "<none>:<none>";

/**
 * One image in full.
 *
 * @param image - what the job `image_inspect` says
 * @param row - its row of the job `images`, which has names and sizes
 */
export function shapeImage(image: JsonObject, row: JsonObject | undefined, version: ApiVersion): JsonObject {
  const id = textAt(image, "Id");
  return {
    ...image,
    Id: imageId(id, version),
    RepoTags: listAt<string>(row, "RepoTags").filter((name) => name !== UNTAGGED),
    RepoDigests: listAt(row, "RepoDigests"),
    Parent: imageId(textAt(image, "Parent"), version),
    Config: { ...objectAt(image, "Config"), Labels: objectAt(objectAt(image, "Config"), "Labels") },
    Size: row ? wholeSize(row, version) : numberAt(image, "Size"),
    VirtualSize: row ? numberAt(row, "VirtualSize") : numberAt(image, "Size"),
    GraphDriver: { Name: textAt(image, "Driver"), Data: null },
    RootFS: image["RootFS"] ?? { Type: "layers", Layers: [] },
  };
}

/** A row of an image's history. */
export function shapeHistoryRow(row: JsonObject, version: ApiVersion): JsonObject {
  return { Comment: "", ...row, Id: imageId(textAt(row, "Id"), version), Tags: row["Tags"] ?? null };
}

/** What removing an image did. */
export function shapeDeleted(row: JsonObject, version: ApiVersion): JsonObject {
  const deleted = textAt(row, "Deleted");
  return deleted === "" ? row : { Deleted: imageId(deleted, version) };
}
