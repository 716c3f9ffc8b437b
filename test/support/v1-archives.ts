/**
 * Images of 2014 with something in them, and the archives that `docker save` of 1.2.0 wrote of such.
 */

import { createHash } from "node:crypto";
import type { V1Image } from "../../chapters/lib/registry-v1.ts";
import { type LayerEntry, layer } from "./layers.ts";

/** Digits of a digest. */
export const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** A layer of some weight: large and small files. */
export function weight(name: string): Buffer {
  const files: LayerEntry[] = [{ name: `${name}/` }, { name: `${name}/big`, content: name.repeat(1 << 18) }];
  for (let i = 0; i < 20; i++) files.push({ name: `${name}/${i}`, content: `${name}${i}`.repeat(i) });
  return layer(...files);
}

/** A chain of images as 1.2.0 made them, the lowest first. @param salt - makes it differ from others */
export function chain(salt: string): V1Image[] {
  const images: V1Image[] = [];
  for (const name of ["a", "b", "c", "d"]) {
    const id = sha256(Buffer.from(`${salt} ${name}`));
    const parent = images.at(-1)?.id;
    const json = JSON.stringify({ id, ...(parent && { parent }), created: "2014-08-20T20:20:14Z", comment: name });
    images.push({ id, json, layer: weight(`${name}-${salt}`), ...(parent && { parent }) });
  }
  return images;
}

/** The archive of a chain as 1.2.0 wrote it. @param names - repository → tag → which of the chain */
export function archiveOf(images: readonly V1Image[], names: Record<string, Record<string, number>>): Buffer {
  const repositories = Object.entries(names).map(([repository, tags]) => [
    repository,
    Object.fromEntries(Object.entries(tags).map(([tag, which]) => [tag, images[which]?.id])),
  ]);
  return layer(
    ...images.flatMap(({ id, json, layer: tar }): LayerEntry[] => [
      { name: `${id}/json`, content: json },
      { name: `${id}/layer.tar`, content: tar.toString("latin1") },
    ]),
    { name: "repositories", content: JSON.stringify(Object.fromEntries(repositories)) },
  );
}
