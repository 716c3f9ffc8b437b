/**
 * How texts become search terms: Latin words as they are, Chinese in pairs of characters, which need no dictionary.
 *
 * @module
 */

/** The terms of a text. */
export function terms(text: string): string[] {
  const found: string[] = [];
  for (const word of text.toLowerCase().split(/[\s\p{P}\p{S}]+/u)) {
    for (const run of word.match(/\p{Script=Han}+|[^\p{Script=Han}]+/gu) ?? []) {
      if (!/\p{Script=Han}/u.test(run) || run.length === 1) found.push(run);
      else for (let i = 0; i + 1 < run.length; i++) found.push(run.slice(i, i + 2));
    }
  }
  return found;
}

/** The parts of a name: `parseDuration` is also found by "duration". */
export function indexTerms(text: string): string[] {
  const parts = [...text.matchAll(/[a-z]+(?=[A-Z])|[A-Z][a-z]+/g)].map(([part]) => part.toLowerCase());
  return [...new Set([...terms(text), ...parts])];
}

/** What the index stores; shared by the one who writes it and the one who reads it. */
export const SEARCH_OPTIONS = {
  fields: ["title", "where", "text"],
  storeFields: ["title", "where", "text", "url"],
  idField: "url",
};
