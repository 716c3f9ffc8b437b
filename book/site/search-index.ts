/**
 * The search index of each language: every section of every page, and every name of the API.
 *
 * @module
 */

import MiniSearch from "minisearch";
import { indexTerms, SEARCH_OPTIONS } from "../theme/words-of-search.ts";
import type { ApiHit } from "./api.ts";
import type { Section } from "./prose-page.ts";

/** A page whose sections are found. */
export interface Searched {
  readonly url: string;
  readonly title: string;
  readonly sections: readonly Section[];
}

const LONGEST = 1200;

/** The index, as text. */
export function searchIndex(pages: readonly Searched[], api: readonly ApiHit[]): string {
  const index = new MiniSearch({ ...SEARCH_OPTIONS, tokenize: indexTerms });
  const seen = new Set<string>();
  const add = (hit: ApiHit) => {
    if (seen.has(hit.url)) return;
    seen.add(hit.url);
    index.add({ ...hit, text: hit.text.replaceAll("`", "").slice(0, LONGEST) });
  };
  for (const { url, title, sections } of pages) {
    for (const section of sections) {
      const at = section.id === "" ? url : `${url}#${encodeURIComponent(section.id)}`;
      add({ title: section.title, where: section.id === "" ? "" : title, url: at, text: section.text });
    }
  }
  for (const hit of api) add(hit);
  return JSON.stringify(index);
}
