/**
 * Who stands on whom, in a set of images.
 *
 * @module
 */

import type { Image } from "../image/image.ts";

/** The images whose ancestors are all there, sorted by id; a cycle leads nowhere. */
export function withAncestors(images: ReadonlyMap<string, Image>): Map<string, Image> {
  const whole = new Map<string, boolean>();
  const check = (image: Image): boolean => {
    const path: string[] = [];
    let current: Image | undefined = image;
    let good = false;
    while (current !== undefined) {
      const known = whole.get(current.id);
      if (known !== undefined || path.includes(current.id)) {
        good = known ?? false;
        break;
      }
      path.push(current.id);
      good = current.parent === "";
      current = good ? undefined : images.get(current.parent);
    }
    for (const id of path) whole.set(id, good);
    return good;
  };
  const sorted = [...images.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return new Map(sorted.filter(check).map((image) => [image.id, image]));
}

/** The children of each image that has some. */
export function childrenIn(images: ReadonlyMap<string, Image>): Map<string, Image[]> {
  const children = new Map<string, Image[]>();
  for (const image of images.values()) {
    if (!images.has(image.parent)) continue;
    const siblings = children.get(image.parent);
    if (siblings === undefined) children.set(image.parent, [image]);
    else siblings.push(image);
  }
  return children;
}
