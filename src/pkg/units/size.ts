/**
 * Sizes as people read and write them.
 *
 * @origin pkg/units/size.go
 * @module
 */

const ABBREVIATIONS = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/**
 * A size in decimal units with at most four digits that mean something: `1.982 MB`.
 *
 * @param size - bytes
 * @origin pkg/units/size.go HumanSize
 */
export function humanSize(size: number): string {
  let rest = size;
  let unit = 0;
  while (rest >= 1000 && unit < ABBREVIATIONS.length - 1) {
    rest /= 1000;
    unit++;
  }
  // Go's %.4g: four significant digits, no trailing zeros. 999.99 becomes 1000 and keeps its unit.
  return `${Number(rest.toPrecision(4))} ${ABBREVIATIONS[unit]}`;
}

const DECIMAL: Record<string, number> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 };
const BINARY: Record<string, number> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/**
 * Reads `44kB`, `17MB`.
 *
 * @returns bytes
 * @throws RangeError `Invalid size: '…'`
 * @origin pkg/units/size.go FromHumanSize
 */
export function fromHumanSize(size: string): number {
  return parseSize(size, DECIMAL);
}

/**
 * Reads an amount of memory: `512m`, `2g`, in powers of 1024.
 *
 * @returns bytes
 * @throws RangeError `Invalid size: '…'`
 * @origin pkg/units/size.go RAMInBytes
 */
export function ramInBytes(size: string): number {
  return parseSize(size, BINARY);
}

function parseSize(text: string, units: Record<string, number>): number {
  const match = /^(\d+)([kKmMgGtTpP])?[bB]?$/.exec(text);
  if (!match) throw new RangeError(`Invalid size: '${text}'`);
  return Number(match[1]) * (units[(match[2] ?? "").toLowerCase()] ?? 1);
}
