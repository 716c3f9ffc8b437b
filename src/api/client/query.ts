/**
 * Query strings as Go's `url.Values` writes them.
 *
 * @module
 */

/** Everything but letters, digits and `-_.~` becomes `%XX` of its UTF-8 bytes; a blank becomes `+`. */
function escaped(text: string): string {
  let out = "";
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(char)) out += char;
    else out += char === " " ? "+" : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

type Value = string | number | undefined;

/**
 * `?a=1&b=2`, sorted by name as Go does; several values of one name in their order. What is `undefined` is left out.
 * Nothing left: the empty text.
 */
export function query(values: Readonly<Record<string, Value | readonly Value[]>>): string {
  const pairs = Object.keys(values)
    .sort()
    .flatMap((name) => [values[name]].flat().map((value) => ({ name, value })))
    .filter(({ value }) => value !== undefined)
    .map(({ name, value }) => `${escaped(name)}=${escaped(String(value))}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
