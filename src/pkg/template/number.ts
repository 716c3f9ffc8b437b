/**
 * Go's number literals.
 *
 * @module
 */

const WHOLE = /^[+-]?(?:0[xX](_?[0-9a-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+|0(_?[0-7])*|[1-9](_?[0-9])*)$/;
const FRACTION =
  /^[+-]?(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?$/;
const HEX_FRACTION = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]+)$/;

/**
 * What a literal stands for: `0x1f`, `1_000`, `017`, `2.5e3`, `0x1p-2`.
 *
 * @returns a bigint for a whole number, a number for a floating point one, `undefined` when it is not well formed.
 *   Imaginary numbers are not known.
 */
export function parseNumber(text: string): bigint | number | undefined {
  const digits = text.replace(/^[+-]/, "").replaceAll("_", "");
  if (WHOLE.test(text)) {
    const octal = /^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits;
    return text.startsWith("-") ? -BigInt(octal) : BigInt(octal);
  }
  if (FRACTION.test(text)) return (text.startsWith("-") ? -1 : 1) * Number(digits);
  const [, sign, whole = "", part = "", power] = HEX_FRACTION.exec(text.replaceAll("_", "")) ?? [];
  if (whole + part === "") return undefined;
  return (sign === "-" ? -1 : 1) * Number.parseInt(whole + part, 16) * 2 ** (Number(power) - 4 * part.length);
}
