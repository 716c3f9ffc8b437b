/**
 * A chapter's tests: one for each claim of the articles, with the place where the chapter treats it.
 *
 * @module
 */

import { onTestFailed, test } from "vitest";
import { claimOf, sectionOf } from "../../book/links.ts";

/** Where a claim is treated, as a failing test prints it. */
export function placeOf(id: string): string {
  const claim = claimOf(id);
  if (claim === undefined) throw new Error(`There is no claim ${id} in book/data/series-links.json`);
  const section = sectionOf(claim);
  return [
    `chapter  ${claim.chapter ?? "none"}`,
    `section  ${section.id} ${section.title} (${section.gloss})`,
    `claim    ${claim.claim} [${claim.verdict}]`,
    `holds    ${claim.holds || "what the claim says"}`,
    `Go       ${claim.go.join(", ") || "none"} at v1.2.0`,
  ].join("\n");
}

/**
 * Tests what is true about a claim. When it fails, chapter and section are printed with it.
 *
 * @param id - `001/5.2/3`: the article, its section, the claim's number there
 * @param fact - what holds, in the present tense
 */
export function claim(id: string, fact: string, body: () => void | Promise<void>): void {
  const place = placeOf(id);
  test(`${id} ${fact}`, async () => {
    onTestFailed(() => console.error(`${id} ${fact}\n${place}`));
    await body();
  });
}
