/**
 * Images for clients newer than 1.2.0.
 *
 * From 1.22 on ids are written `sha256:<hex>`; the jobs, which are told the version, add what came with it.
 *
 * @module
 */

import { imageId } from "../names.ts";
import { type JsonObject, listAt, objectAt, textAt } from "../services.ts";
import type { ApiVersion } from "../version.ts";

/** A row of the list. @param row - what the job `images` says */
export function shapeImageRow(row: JsonObject, version: ApiVersion): JsonObject {
  return {
    ...row,
    Id: imageId(textAt(row, "Id"), version),
    ParentId: imageId(textAt(row, "ParentId"), version),
    RepoTags: listAt(row, "RepoTags"),
    RepoDigests: listAt(row, "RepoDigests"),
    Labels: row["Labels"] ?? null,
  };
}

/** One image in full. @param image - what the job `image_inspect` says */
export function shapeImage(image: JsonObject, version: ApiVersion): JsonObject {
  return {
    ...image,
    Id: imageId(textAt(image, "Id"), version),
    Parent: imageId(textAt(image, "Parent"), version),
    Config: { ...objectAt(image, "Config"), Labels: objectAt(objectAt(image, "Config"), "Labels") },
    VirtualSize: image["VirtualSize"] ?? image["Size"],
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
