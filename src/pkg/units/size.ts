/**
 * Sizes for people: `44 kB`, and back.
 *
 * @origin pkg/units/size.go
 * @module
 */

import { BadRequestError } from "../../errdefs/errdefs.ts";
import { parseInteger } from "../strconv/strconv.ts";

const letters = "kmgtp";
const abbreviations = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/** A float with `digits` significant digits and no trailing zeros: Go's `%.4g`. */
export function formatG(value: number, digits: number): string {
  const [mantissa = "", exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  const trim = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (power >= -4 && power < digits) return trim(value.toFixed(digits - 1 - power));
  return `${trim(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/**
 * A size in bytes with four significant digits and a decimal unit.
 *
 * @origin pkg/units/size.go HumanSize
 */
export function humanSize(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < abbreviations.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${formatG(size, 4)} ${abbreviations[unit]}`;
}

/** Bytes in `32kb`, 1 kB being 1000 bytes. @origin pkg/units/size.go FromHumanSize */
export function fromHumanSize(text: string): number {
  return parseSize(text, 1000);
}

/** Bytes in `32k`, 1 k being 1024 bytes: what `docker run -m` takes. @origin pkg/units/size.go RAMInBytes */
export function ramInBytes(text: string): number {
  return parseSize(text, 1024);
}

/**
 * @throws {BadRequestError} for anything but digits, one unit letter and a `b`
 * @deviation A size that 64 bits cannot hold is refused; 1.2.0 wraps around when it multiplies.
 */
function parseSize(text: string, base: number): number {
  const match = /^([0-9]+)([kKmMgGtTpP])?[bB]?$/.exec(text);
  if (match === null || text.endsWith("\n")) throw new BadRequestError(`Invalid size: '${text}'`);
  const count = parseInteger(match[1] ?? "");
  const size = count * base ** (letters.indexOf((match[2] ?? "").toLowerCase() || "-") + 1);
  if (size >= 2 ** 63) throw new BadRequestError(`Invalid size: '${text}'`);
  return size;
}
