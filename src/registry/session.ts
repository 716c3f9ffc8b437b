/**
 * A conversation with a registry of version 1 and its index.
 *
 * @origin registry/session.go
 * @article 004/e
 * @module
 */

import { messageOf, NotFoundError, SystemError, UnauthorizedError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { resumableRequestReader } from "../pkg/httputils/resumable-request-reader.ts";
import type { Logger } from "../pkg/log/log.ts";
import type { Reader } from "../sync/io.ts";
import { type AuthConfig, basicAuthorization } from "./auth.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "./client.ts";
import { pingRegistryEndpoint } from "./endpoint.ts";
import { listOf, MAX_DOCUMENT_BYTES, MAX_LIST_BYTES, objectOf, parseJson, readDocument, textOf } from "./json.ts";
import { indexServerAddress } from "./names.ts";
import { MAX_SEARCH_BYTES, parseSearchResults, type SearchResults } from "./search.ts";
import { checkId, checkTag, tokenAuth, tokensOf } from "./session-checks.ts";
import { TransportError } from "./transport-error.ts";

const MAX_ENDPOINTS = 32;
/** More than any container can stand on. */
const MAX_ANCESTORS = 1000;
const LAYER_TRIES = 5;
const PAUSE_MS = 5_000;

/** What the index knows of an image. @origin registry/types.go ImgData */
export interface ImgData {
  readonly id: string;
  readonly checksum: string;
  readonly tag: string;
}

/** @origin registry/types.go RepositoryData */
export interface RepositoryData {
  readonly imgList: ReadonlyMap<string, ImgData>;
  readonly endpoints: readonly string[];
  readonly tokens: readonly string[];
}

/** What a session is made of. */
export interface SessionTerms {
  readonly client: HttpClient;
  readonly host: Pick<Host, "clock">;
  readonly log: Logger;
  readonly auth: AuthConfig;
  /** `User-Agent`, `X-Meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends with `/v1/`. */
  readonly indexEndpoint: string;
}

/** Whether a place may see the password it was not meant for. @origin registry/registry.go trustedLocation */
export function trustedLocation(url: URL): boolean {
  if (url.protocol !== "https:") return false;
  return ["docker.com", "docker.io"].some((name) => url.hostname === name || url.hostname.endsWith(`.${name}`));
}

/** @origin registry/registry.go AddRequiredHeadersToRedirectedRequests */
function redirectHeaders(from: URL, to: URL): "all" | "no-authorization" {
  return trustedLocation(from) && trustedLocation(to) ? "all" : "no-authorization";
}

/** @origin registry/session.go Session */
export class Session {
  readonly #terms: SessionTerms;
  /** Sent with every request to a registry that keeps its users itself. */
  #basic: string | undefined;

  private constructor(terms: SessionTerms) {
    this.#terms = terms;
  }

  /** @origin registry/session.go NewSession */
  static async open(terms: SessionTerms): Promise<Session> {
    const session = new Session(terms);
    const { indexEndpoint, client, log, auth } = terms;
    if (indexEndpoint !== indexServerAddress() && indexEndpoint.startsWith("https://")) {
      const info = await pingRegistryEndpoint(client, log, indexEndpoint);
      if (info.standalone) {
        log.debug(
          "session.go:57",
          `Endpoint ${indexEndpoint} is eligible for private registry registry. Enabling decorator.`,
        );
        session.#basic = basicAuthorization(auth.username ?? "", auth.password ?? "");
      }
    }
    return session;
  }

  /** With whom, and where. */
  get terms(): SessionTerms {
    return this.#terms;
  }

  #get(url: string, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<HttpResponse> {
    return this.send({ url, headers, signal });
  }

  /** Sends a request with what is said of us, and the password where the registry keeps its users itself. */
  send(request: HttpRequest): Promise<HttpResponse> {
    const basic: Record<string, string> = this.#basic === undefined ? {} : { Authorization: this.#basic };
    return this.#terms.client.send({
      ...request,
      headers: { ...this.#terms.headers, ...request.headers, ...basic },
      onRedirect: request.onRedirect ?? redirectHeaders,
    });
  }

  #token(tokens: readonly string[]): Record<string, string> {
    return tokenAuth(tokens);
  }

  /**
   * Asks the index about a repository: its images, where they are, and the tokens to get them with.
   *
   * @throws {UnauthorizedError}; {NotFoundError} and {SystemError} `HTTP code: <n>`
   * @origin registry/session.go (*Session).GetRepositoryData
   */
  async getRepositoryData(remote: string, signal?: AbortSignal): Promise<RepositoryData> {
    const { indexEndpoint, auth } = this.#terms;
    const url = `${indexEndpoint}repositories/${remote}/images`;
    this.#terms.log.debug("session.go:259", `[registry] Calling GET ${url}`);
    const headers: Record<string, string> = { "X-Docker-Token": "true" };
    if (auth.username) headers["Authorization"] = basicAuthorization(auth.username, auth.password ?? "");
    const response = await this.#get(url, headers, signal);
    if (response.status !== 200) {
      await response.discard();
      if (response.status === 401) throw new UnauthorizedError("Authentication is required.");
      if (response.status === 404) throw new NotFoundError(`HTTP code: ${response.status}`);
      throw new SystemError(`HTTP code: ${response.status}`);
    }
    const named = response.headers.get("x-docker-endpoints") ?? "";
    const endpoints = named === "" ? [`${new URL(indexEndpoint).origin}/v1/`] : this.endpointsOf(named);
    const what = `the list of images of ${remote}`;
    const list = listOf(parseJson(await readDocument(response.body, MAX_LIST_BYTES, what), what), what);
    const imgList = new Map<string, ImgData>();
    for (const item of list) {
      const fields = objectOf(item, what);
      const id = textOf(fields["id"], what);
      const text = (key: string) => (typeof fields[key] === "string" ? (fields[key] as string) : "");
      imgList.set(id, { id, checksum: text("checksum"), tag: text("Tag") });
    }
    return { imgList, endpoints, tokens: tokensOf(response) };
  }

  /**
   * The addresses of the registries that an index names.
   *
   * @origin registry/session.go buildEndpointsList
   * @deviation A place that is not reached by https is refused, unless it is this machine or named by
   *   `--insecure-registry`.
   */
  endpointsOf(header: string): string[] {
    const { protocol } = new URL(this.#terms.indexEndpoint);
    const hosts = header.split(",").map((host) => host.trim());
    if (hosts.length > MAX_ENDPOINTS)
      throw new SystemError(`Cannot use the registry's list of endpoints: it is too long`);
    return hosts.map((host) => {
      if (!/^[A-Za-z0-9.\-[\]:]+$/.test(host) || !URL.canParse(`${protocol}//${host}/v1/`)) {
        throw new SystemError(`Cannot use the registry's list of endpoints: ${JSON.stringify(host)} is no host`);
      }
      if (protocol !== "https:" && !this.#terms.client.insecure(host)) {
        throw new SystemError(`Cannot use the registry's list of endpoints: ${host} is not reached by https`);
      }
      return `${protocol}//${host}/v1/`;
    });
  }

  /**
   * The tags of a repository: tag → image id. The first endpoint that answers decides.
   *
   * @origin registry/session.go (*Session).GetRemoteTags
   */
  async getRemoteTags(
    endpoints: readonly string[],
    remote: string,
    tokens: readonly string[],
    signal?: AbortSignal,
  ): Promise<Map<string, string>> {
    const repository = remote.includes("/") ? remote : `library/${remote}`;
    for (const endpoint of endpoints) {
      const url = `${endpoint}repositories/${repository}/tags`;
      const response = await this.#get(url, this.#token(tokens), signal);
      this.#terms.log.debug("session.go:213", `Got status code ${response.status} from ${url}`);
      if (response.status === 404) {
        await response.discard();
        throw new NotFoundError("Repository not found");
      }
      if (response.status !== 200) {
        await response.discard();
        continue;
      }
      const what = `the tags of ${remote}`;
      const fields = objectOf(parseJson(await readDocument(response.body, MAX_LIST_BYTES, what), what), what);
      return new Map(Object.entries(fields).map(([tag, id]) => [checkTag(tag, what), textOf(id, what)]));
    }
    throw new SystemError("Could not reach any registry endpoint");
  }

  /**
   * The ids of an image and everything below it, nearest first.
   *
   * @origin registry/session.go (*Session).GetRemoteHistory
   * @deviation A list that names an id twice, or something that is no id, or does not begin with the image is refused;
   *   1.2.0 waits for itself for ever. So is one of more than a thousand images, on which no container can stand.
   */
  async getRemoteHistory(
    id: string,
    endpoint: string,
    tokens: readonly string[],
    signal?: AbortSignal,
  ): Promise<string[]> {
    const response = await this.#get(`${endpoint}images/${checkId(id)}/ancestry`, this.#token(tokens), signal);
    if (response.status !== 200) {
      await response.discard();
      if (response.status === 401) throw new UnauthorizedError("Authentication is required.");
      throw new SystemError(`Server error: ${response.status} trying to fetch remote history for ${id}`);
    }
    const what = `the history of ${id}`;
    let bytes: Buffer;
    try {
      bytes = await readDocument(response.body, MAX_DOCUMENT_BYTES, what);
    } catch (cause) {
      if (!(cause instanceof TransportError)) throw cause;
      throw new SystemError(`Error while reading the http response: ${cause.message}`, { cause });
    }
    const ids = listOf(parseJson(bytes, what), what).map((item) => checkId(textOf(item, what)));
    if (ids.length > MAX_ANCESTORS) throw new SystemError(`Cannot use ${what}: more than ${MAX_ANCESTORS} images`);
    if (ids[0] !== id || new Set(ids).size !== ids.length)
      throw new SystemError(`Cannot use ${what}: it is no line of ancestors`);
    return ids;
  }

  /**
   * The description of an image, byte for byte, and the size of its layer (−1 when the registry does not say).
   *
   * @origin registry/session.go (*Session).GetRemoteImageJSON
   */
  async getRemoteImageJson(
    id: string,
    endpoint: string,
    tokens: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ json: Buffer; size: number }> {
    let response: HttpResponse;
    try {
      response = await this.#get(`${endpoint}images/${checkId(id)}/json`, this.#token(tokens), signal);
    } catch (cause) {
      if (!(cause instanceof TransportError)) throw cause;
      throw new SystemError(`Failed to download json: ${cause.message}`, { cause });
    }
    if (response.status !== 200) {
      await response.discard();
      throw new SystemError(`HTTP code ${response.status}`);
    }
    const header = response.headers.get("x-docker-size");
    const size = header === null || header === "" ? -1 : Number(header);
    if (!Number.isSafeInteger(size)) {
      await response.discard();
      throw new SystemError(`strconv.ParseInt: parsing ${JSON.stringify(header)}: invalid syntax`);
    }
    try {
      return { json: await readDocument(response.body, MAX_DOCUMENT_BYTES, `the description of ${id}`), size };
    } catch (cause) {
      throw new SystemError(`Failed to parse downloaded json: ${messageOf(cause)}`, { cause });
    }
  }

  /**
   * The layer of an image. Where the registry can, a broken connection is taken up again.
   *
   * @param size - as {@link getRemoteImageJson} said
   * @origin registry/session.go (*Session).GetRemoteImageLayer
   * @deviation A request that fails is tried five times, as was meant; 1.2.0 crashes at the first.
   */
  async getRemoteImageLayer(
    id: string,
    endpoint: string,
    tokens: readonly string[],
    size: number,
    signal?: AbortSignal,
  ): Promise<Reader> {
    const url = `${endpoint}images/${checkId(id)}/layer`;
    const ask = (headers: Record<string, string>) => this.#get(url, { ...headers, ...this.#token(tokens) }, signal);
    const response = await this.#persist(() => ask({}), signal);
    if (response.status !== 200) {
      await response.discard();
      throw new SystemError(`Server error: Status ${response.status} while fetching image layer (${id})`);
    }
    if (response.headers.get("accept-ranges") !== "bytes" || size <= 0) {
      this.#terms.log.debug("session.go:192", "server doesn't support resume");
      return response.body;
    }
    this.#terms.log.debug("session.go:189", "server supports resume");
    return resumableRequestReader({
      request: (range) => ask({ Range: range }),
      initial: response,
      maxFailures: LAYER_TRIES,
      totalSize: size,
      clock: this.#terms.host.clock,
      log: this.#terms.log,
      // A minute of silence is not taken up again here: the caller counts those.
      isTransient: (cause) => cause instanceof TransportError && !cause.timeout,
      signal,
    });
  }

  /**
   * Asks the index for repositories.
   *
   * @throws {SystemError} `Unexepected status code <n>`, spelt like that
   * @origin registry/session.go (*Session).SearchRepositories
   */
  async searchRepositories(term: string, signal?: AbortSignal): Promise<SearchResults> {
    const { indexEndpoint, auth, log } = this.#terms;
    log.debug("session.go:569", `Index server: ${indexEndpoint}`);
    const headers: Record<string, string> = { "X-Docker-Token": "true" };
    if (auth.username) headers["Authorization"] = basicAuthorization(auth.username, auth.password ?? "");
    // The term is a repository's name by now: there is nothing in it to escape but a slash.
    const response = await this.#get(`${indexEndpoint}search?q=${encodeURIComponent(term)}`, headers, signal);
    if (response.status !== 200) {
      await response.discard();
      throw new SystemError(`Unexepected status code ${response.status}`);
    }
    return parseSearchResults(await readDocument(response.body, MAX_SEARCH_BYTES, "the results of the search"));
  }

  async #persist(send: () => Promise<HttpResponse>, signal: AbortSignal | undefined): Promise<HttpResponse> {
    for (let tries = 1; ; tries++) {
      try {
        return await send();
      } catch (cause) {
        if (!(cause instanceof TransportError) || cause.timeout || tries >= LAYER_TRIES) throw cause;
        await this.#terms.host.clock.sleep(tries * PAUSE_MS, signal);
      }
    }
  }
}
