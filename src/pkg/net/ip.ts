/**
 * IP addresses as Go's `net.ParseIP` reads and shows them.
 *
 * @module
 */

/**
 * The canonical text of an address: dotted for IPv4 (and for IPv4 inside IPv6), lower case and shortened for IPv6.
 *
 * @returns `undefined` for anything else: host names, zones, ports, leading zeros in dotted numbers
 */
export function parseIP(text: string): string | undefined {
  const v4 = parse4(text);
  if (v4 !== undefined) return v4.join(".");
  const groups = parse6(text);
  return groups === undefined ? undefined : format6(groups);
}

/** The four bytes of a dotted address. */
function parse4(text: string): number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1);
  if (parts.some((part) => part.length > 1 && part.startsWith("0"))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

/** Groups of 16 bits from colon separated text without `::`; a dotted tail counts for two. */
function groupsOf(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const words = text.split(":");
  for (const [i, word] of words.entries()) {
    const dotted = i === words.length - 1 ? parse4(word) : undefined;
    if (dotted !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = dotted;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^0*[0-9a-fA-F]{1,4}$/.test(word)) {
      groups.push(Number.parseInt(word, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function parse6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2 || (halves.length === 2 && (halves[0] ?? "").includes("."))) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  if (tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function format6(groups: number[]): string {
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  let start = -1;
  let length = 1; // one zero group alone is never shortened
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}
