/**
 * Files from anywhere in the web: archives to import, files to add to an image.
 *
 * @origin utils/utils.go
 * @module
 */

import { BadRequestError, SystemError } from "../errdefs/errdefs.ts";
import { statusText } from "../utils/status-text.ts";
import { HttpClient, type HttpResponse } from "./client.ts";

/** Where certificates for servers are, as for registries. */
const CERTS_DIR = "/etc/docker/certs.d";

/**
 * Asks for what is behind an address.
 *
 * @param url - http or https
 * @returns an answer whose body must be read or discarded
 * @throws {BadRequestError} when it is no such address; {SystemError} `Got HTTP status code >= 400: 404 Not Found`
 * @origin utils/utils.go Download
 */
export async function download(
  host: ConstructorParameters<typeof HttpClient>[0],
  url: string,
  signal?: AbortSignal,
): Promise<HttpResponse> {
  const client = new HttpClient(host, { insecure: () => false, certsDir: CERTS_DIR });
  const response = await client.send({ url: checked(url), signal });
  if (response.status < 400) return response;
  await response.discard();
  const { status } = response;
  throw new SystemError(`Got HTTP status code >= 400: ${status} ${statusText(status)}`.trimEnd());
}

function checked(text: string): string {
  const noHost = (cause?: unknown) => new BadRequestError(`Get ${text}: http: no Host in request URL`, { cause });
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw noHost(cause);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new BadRequestError(`Get ${text}: unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  }
  // A browser's address may do with fewer or more slashes, and finds a host in the path.
  if (!/^https?:\/\/[^/?#\\]/i.test(text)) throw noHost();
  return text;
}
