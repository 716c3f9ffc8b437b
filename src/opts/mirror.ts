/**
 * Registry mirrors.
 *
 * @since Docker 1.3
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";

/**
 * Takes the address of a mirror, `https://mirror.example.com`, and gives its API's base, with `/v1/`.
 *
 * @throws {BadRequestError} for other schemes than http and https, and for anything after the host
 * @since Docker 1.3
 */
export function validateMirror(text: string): string {
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/.exec(text);
  const scheme = (match?.[1] ?? "").toLowerCase();
  if (/[\x00-\x20\x7f]/.test(text) || text.startsWith(":")) throw new BadRequestError(`${text} is not a valid URI`);
  if (scheme !== "http" && scheme !== "https") throw new BadRequestError(`Unsupported scheme ${scheme}`);
  const [, host = "", rest = ""] = /^\/\/([^/?#]*)(.*)$/.exec(match?.[2] ?? "") ?? [];
  if (rest !== "") throw new BadRequestError("Unsupported path/query/fragment at end of the URI");
  if (!/^(?:[a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?$/.test(host)) {
    throw new BadRequestError(`${text} is not a valid URI`);
  }
  return `${scheme}://${host}/v1/`;
}
