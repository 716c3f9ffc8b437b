/**
 * The writing half of a conversation with a registry of version 1.
 *
 * ```text
 * PUT <index>repositories/<name>/          the images; answered with a token and the places to send them to
 * PUT <registry>images/<id>/json           a description
 * PUT <registry>images/<id>/layer          its layer
 * PUT <registry>images/<id>/checksum       the sums of both
 * PUT <registry>repositories/<name>/tags/<tag>
 * PUT <index>repositories/<name>/images    all of them are there
 * ```
 *
 * @origin registry/session.go
 * @module
 */

import { EngineError, messageOf, SystemError, UnauthorizedError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { TarSum } from "../pkg/tarsum/tarsum.ts";
import type { Reader } from "../sync/io.ts";
import { goJson } from "../utils/go-json.ts";
import { unmarshal } from "../utils/go-json-decode.ts";
import { basicAuthorization } from "./auth.ts";
import type { HttpBody, HttpResponse } from "./client.ts";
import { readDocument } from "./json.ts";
import type { RepositoryData, Session } from "./session.ts";
import { tokenAuth, tokensOf } from "./session-checks.ts";
import { TransportError } from "./transport-error.ts";

const MAX_ERROR_BYTES = 64 << 10;
const JSON_TYPE = { "Content-Type": "application/json" };

/** An entry of the list that the index gets. @origin registry/types.go ImgData */
export interface PushedImage {
  readonly id: string;
  readonly checksum?: string;
  /** Several entries for an image of several tags; none: `undefined`. */
  readonly tag?: string | undefined;
}

/** Where an image goes, and with which proof. */
export interface Shelf {
  /** Ends with `/v1/`. */
  readonly endpoint: string;
  readonly tokens: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** An image, by its two checksums. */
export interface LayerSums {
  /** `tarsum+sha256:…` of description and files. */
  readonly checksum: string;
  /** `sha256:…` of description and archive, as it was sent. */
  readonly payload: string;
}

function put(
  session: Session,
  url: string,
  headers: Record<string, string>,
  body: HttpBody | undefined,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  session.terms.log.debug("session.go:330", `[registry] Calling PUT ${url}`);
  const length: Record<string, string> = body === undefined ? { "Content-Length": "0" } : {};
  return session.send({ method: "PUT", url, headers: { ...length, ...headers }, signal, ...(body && { body }) });
}

/** The words of an answer; no more than is read, and nothing that drives a terminal. */
async function textOf(response: HttpResponse): Promise<string> {
  const bytes = await readDocument(response.body, MAX_ERROR_BYTES, "the answer of the registry");
  return bytes.toString("utf8").replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (c) => JSON.stringify(c).slice(1, -1));
}

/**
 * Tells the index which images a repository has.
 *
 * @param options - `validate`: they are there now; otherwise they are announced
 * @returns where they go, and with which tokens; both empty after `validate`
 * @throws {SystemError}; {UnauthorizedError} with `Status 401` in its text
 * @origin registry/session.go (*Session).PushImageJSONIndex
 * @deviation A redirect is followed at most ten times, and the password stays where it belongs; 1.2.0 asks the first
 *   address for ever.
 */
export async function pushImageJsonIndex(
  session: Session,
  remote: string,
  images: readonly PushedImage[],
  options: { validate: boolean; endpoints?: readonly string[]; signal?: AbortSignal },
): Promise<Pick<RepositoryData, "endpoints" | "tokens">> {
  const { indexEndpoint, auth, log } = session.terms;
  const { validate, endpoints = [], signal } = options;
  const list = images.filter((image) => !validate || (image.checksum ?? "") !== "");
  const body = goJson(
    list.map(({ id, checksum, tag }) => ({ id, checksum: checksum || undefined, Tag: tag || undefined })),
  );
  const url = `${indexEndpoint}repositories/${remote}/${validate ? "images" : ""}`;
  log.debug("session.go:486", `[registry] PUT ${url}`);
  log.debug("session.go:487", `Image list pushed to index:\n${body}`);
  const response = await session.send({
    method: "PUT",
    url,
    body,
    follow: "every",
    // The password was meant for this place, wherever in it the request is sent.
    onRedirect: (from, to) => (from.origin === to.origin ? "all" : "no-authorization"),
    headers: {
      ...JSON_TYPE,
      Authorization: basicAuthorization(auth.username ?? "", auth.password ?? ""),
      "X-Docker-Token": "true",
      ...(validate ? { "X-Docker-Endpoints": endpoints.join(", ") } : {}),
    },
    ...(signal && { signal }),
  });
  const { status } = response;
  const good = validate ? status === 204 : status === 200 || status === 201;
  if (!good) {
    const what = validate ? "checksums" : "repository";
    const text = `Error: Status ${status} trying to push ${what} ${remote}: ${await textOf(response)}`;
    throw status === 401 ? new UnauthorizedError(text) : new SystemError(text);
  }
  await response.discard();
  if (validate) return { endpoints: [], tokens: [] };
  const tokens = tokensOf(response);
  if (tokens.length === 0) throw new SystemError("Index response didn't contain an access token");
  const named = response.headers.get("x-docker-endpoints") ?? "";
  if (named === "") throw new SystemError("Index response didn't contain any endpoints");
  return { endpoints: session.endpointsOf(named), tokens };
}

/** Whether a registry has an image. @origin registry/session.go (*Session).LookupRemoteImage */
export async function lookupRemoteImage(session: Session, id: string, shelf: Shelf): Promise<boolean> {
  try {
    const url = `${shelf.endpoint}images/${id}/json`;
    const response = await session.send({ url, headers: tokenAuth(shelf.tokens), signal: shelf.signal });
    await response.discard();
    return response.status === 200;
  } catch (cause) {
    shelf.signal?.throwIfAborted();
    if (!(cause instanceof EngineError)) throw cause;
    session.terms.log.error("session.go:112", `Error in LookupRemoteImage ${cause.message}`);
    return false;
  }
}

/**
 * Sends the description of an image, byte for byte.
 *
 * @returns `false` when the registry has the image already
 * @origin registry/session.go (*Session).PushImageJSONRegistry
 */
export async function pushImageJsonRegistry(
  session: Session,
  id: string,
  json: Uint8Array,
  shelf: Shelf,
): Promise<boolean> {
  const { endpoint, tokens, signal } = shelf;
  const headers = { ...JSON_TYPE, ...tokenAuth(tokens) };
  const response = await uploading("metadata", signal, () =>
    put(session, `${endpoint}images/${id}/json`, headers, json, signal),
  );
  if (response.status === 401 && endpoint.startsWith("http://")) {
    await response.discard();
    throw new UnauthorizedError("HTTP code 401, Docker will not send auth headers over HTTP.");
  }
  return checkMetadata(response);
}

/** Sends the sums of an image. @origin registry/session.go (*Session).PushImageChecksumRegistry */
export async function pushImageChecksumRegistry(
  session: Session,
  id: string,
  { checksum, payload }: LayerSums,
  { endpoint, tokens, signal }: Shelf,
): Promise<void> {
  const headers = { ...tokenAuth(tokens), "X-Docker-Checksum": checksum, "X-Docker-Checksum-Payload": payload };
  const response = await uploading("metadata", signal, () =>
    put(session, `${endpoint}images/${id}/checksum`, headers, undefined, signal),
  );
  if (!(await checkMetadata(response))) throw new SystemError("Image already exists");
}

async function uploading<T>(what: string, signal: AbortSignal | undefined, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (cause) {
    signal?.throwIfAborted();
    if (!(cause instanceof TransportError)) throw cause;
    throw new SystemError(`Failed to upload ${what}: ${cause.message}`, { cause });
  }
}

async function checkMetadata(response: HttpResponse): Promise<boolean> {
  const { status } = response;
  if (status === 200) {
    await response.discard();
    return true;
  }
  let text = await textOf(response);
  try {
    const answer = unmarshal(text) as { error?: unknown } | null;
    if (answer?.error === "Image already exists") return false;
  } catch (cause) {
    text = messageOf(cause);
  }
  throw new SystemError(`HTTP code ${status} while uploading metadata: ${text}`);
}

/**
 * Sends the layer of an image, compressed on the way.
 *
 * @param layer - an archive without compression
 * @origin registry/session.go (*Session).PushImageLayerRegistry
 */
export async function pushImageLayerRegistry(
  session: Session,
  host: Pick<Host, "hash" | "machine">,
  image: { readonly id: string; readonly json: Uint8Array; readonly layer: Reader },
  { endpoint, tokens, signal }: Shelf,
): Promise<LayerSums> {
  const { id, json, layer } = image;
  const sum = new TarSum(host, layer);
  const payload = host.hash("sha256").update(json).update("\n");
  async function* summed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of sum) {
      payload.update(chunk);
      yield chunk;
    }
  }
  const headers = { "Content-Type": "application/octet-stream", ...tokenAuth(tokens) };
  const response = await uploading("layer", signal, () =>
    put(session, `${endpoint}images/${id}/layer`, headers, summed, signal),
  );
  if (response.status !== 200) {
    throw new SystemError(`Received HTTP code ${response.status} while uploading layer: ${await textOf(response)}`);
  }
  await response.discard();
  return { checksum: sum.sum(json), payload: `sha256:${payload.hex()}` };
}

/** Gives an image a name at the registry. @origin registry/session.go (*Session).PushRegistryTag */
export async function pushRegistryTag(
  session: Session,
  remote: string,
  tag: string,
  id: string,
  { endpoint, tokens, signal }: Shelf,
): Promise<void> {
  const url = `${endpoint}repositories/${remote}/tags/${tag}`;
  const response = await put(session, url, { ...JSON_TYPE, ...tokenAuth(tokens) }, JSON.stringify(id), signal);
  await response.discard();
  if (response.status !== 200 && response.status !== 201) {
    throw new SystemError(`Internal server error: ${response.status} trying to push tag ${tag} on ${remote}`);
  }
}
