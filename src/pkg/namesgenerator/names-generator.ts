/**
 * Names for containers that were given none: `dreamy_lovelace`.
 *
 * @origin pkg/namesgenerator/names-generator.go
 * @module
 */

import type { Host } from "../../host/host.ts";

// biome-ignore format: words, not code
/** @origin pkg/namesgenerator/names-generator.go left */
export const left: readonly string[] = [
  "happy", "jolly", "dreamy", "sad", "angry", "pensive", "focused", "sleepy", "grave", "distracted", "determined",
  "stoic", "stupefied", "sharp", "agitated", "cocky", "tender", "goofy", "furious", "desperate", "hopeful",
  "compassionate", "silly", "lonely", "condescending", "naughty", "kickass", "drunk", "boring", "nostalgic",
  "ecstatic", "insane", "cranky", "mad", "jovial", "sick", "hungry", "thirsty", "elegant", "backstabbing", "clever",
  "trusting", "loving", "suspicious", "berserk", "high", "romantic", "prickly", "evil",
];

// biome-ignore format: words, not code
/** @origin pkg/namesgenerator/names-generator.go right */
export const right: readonly string[] = [
  "albattani", "almeida", "archimedes", "ardinghelli", "babbage", "bardeen", "bartik", "bell", "blackwell", "bohr",
  "brattain", "brown", "carson", "colden", "curie", "darwin", "davinci", "einstein", "elion", "engelbart", "euclid",
  "fermat", "fermi", "feynman", "franklin", "galileo", "goldstine", "goodall", "hawking", "heisenberg", "hoover",
  "hopper", "hypatia", "jones", "kirch", "kowalevski", "lalande", "leakey", "lovelace", "lumiere", "mayer",
  "mccarthy", "mcclintock", "mclean", "meitner", "mestorf", "morse", "newton", "nobel", "pare", "pasteur",
  "perlman", "pike", "poincare", "ptolemy", "ritchie", "rosalind", "sammet", "shockley", "sinoussi", "stallman",
  "tesla", "thompson", "torvalds", "turing", "wilson", "wozniak", "wright", "yonath",
];

/** A number below `limit`, each as likely as the others. */
function below(limit: number, { random }: Pick<Host, "random">): number {
  // Bytes above the largest multiple of the limit would favour the first words.
  const fair = 256 - (256 % limit);
  for (;;) {
    const byte = random.bytes(1)[0] ?? 0;
    if (byte < fair) return byte % limit;
  }
}

/**
 * Draws a name. It may be taken: then ask again with the number of tries so far, which adds a digit.
 *
 * @origin pkg/namesgenerator/names-generator.go GetRandomName
 */
export function getRandomName(tries: number, host: Pick<Host, "random">): string {
  for (;;) {
    const name = `${left[below(left.length, host)]}_${right[below(right.length, host)]}`;
    if (name === "boring_wozniak") continue; // Steve Wozniak is not
    return tries > 0 ? `${name}${below(10, host)}` : name;
  }
}
