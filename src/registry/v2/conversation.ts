/**
 * Requests to one repository of a registry of version 2, with proof of who asks.
 *
 * @since Docker 1.6
 * @module
 */

import { EngineError, SystemError, UnauthorizedError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import type { AuthConfig } from "../auth.ts";
import type { HttpBody, HttpClient, HttpRequest, HttpResponse } from "../client.ts";
import { readDocument } from "../json.ts";
import { requestText } from "../transport-error.ts";
import { Authorizer } from "./authorizer.ts";
import { patiently } from "./retry.ts";

const MAX_ERROR_BYTES = 64 << 10;

/** What requests to a repository need. */
export interface RepositoryTerms {
  readonly client: HttpClient;
  readonly host: Pick<Host, "clock" | "hash">;
  /** `https://registry-1.docker.io/v2/` */
  readonly base: string;
  /** As the registry knows it: `library/busybox`. */
  readonly name: string;
  /** As the user wrote it. */
  readonly localName: string;
  readonly auth: AuthConfig;
  /** `User-Agent`, `X-Meta-*`. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a token has to allow; default `pull`. */
  readonly actions?: "pull" | "pull,push";
}

/** One request. */
export interface RepositoryRequest {
  readonly method?: NonNullable<HttpRequest["method"]>;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** Another repository that the token has to let us read. */
  readonly alsoPull?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests and answers the registry's questions. */
export class Conversation {
  readonly terms: RepositoryTerms;
  readonly authorizer: Authorizer;

  constructor(terms: RepositoryTerms) {
    this.terms = terms;
    const scope = `repository:${terms.name}:${terms.actions ?? "pull"}`;
    this.authorizer = new Authorizer(terms.client, terms.host.clock, terms.auth, [scope]);
  }

  /** The address of something in the repository. @param path - `blobs/sha256:…` */
  url(path: string): string {
    return `${this.terms.base}${this.terms.name}/${path}`;
  }

  /** Sends a request; a 401 is answered once. Another host gets no password and no token. */
  async send(request: RepositoryRequest): Promise<HttpResponse> {
    const { url, alsoPull, signal, headers, ...rest } = request;
    const ours = new URL(url).origin === new URL(this.terms.base).origin;
    for (let tries = 0; ; tries++) {
      const authorization = ours
        ? await this.#authorization(request.method ?? "GET", url, alsoPull, signal)
        : undefined;
      const response = await this.terms.client.send({
        ...rest,
        url,
        signal,
        follow: "same-method",
        headers: {
          ...this.terms.headers,
          ...headers,
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
      });
      if (response.status !== 401 || !ours || tries > 0 || !this.authorizer.challenged(response.headers))
        return response;
      await response.discard();
    }
  }

  /** Sends a small request, again when the registry is not well or the connection breaks. */
  patiently(request: RepositoryRequest): Promise<HttpResponse> {
    return patiently(this.terms.host.clock, () => this.send(request), request.signal);
  }

  async #authorization(method: string, url: string, alsoPull: string | undefined, signal: AbortSignal | undefined) {
    try {
      const more = alsoPull === undefined ? [] : [`repository:${alsoPull}:pull`];
      return await this.authorizer.header(signal, more);
    } catch (cause) {
      if (!(cause instanceof UnauthorizedError) || cause.message.startsWith("Get ")) throw cause;
      throw new SystemError(`${requestText(method, url)}: ${cause.message}`, { cause });
    }
  }

  /** Throws what an answer that is no success means. */
  async refuse(response: HttpResponse, method: string, url: string): Promise<never> {
    const detail = await errorText(response);
    const more = detail === "" ? "" : ` (${detail})`;
    const text = `${requestText(method, url)}: the registry answered with HTTP status ${response.status}${more}`;
    if (response.status === 401) throw new SystemError(`unauthorized: authentication required (${text})`);
    if (response.status === 403) throw new SystemError(`denied: access to the resource is denied (${text})`);
    throw new SystemError(text);
  }
}

/** `code: message` of the first error a registry reports; printable characters only. */
export async function errorText(response: HttpResponse): Promise<string> {
  try {
    const body = JSON.parse(
      (await readDocument(response.body, MAX_ERROR_BYTES, "the error")).toString("utf8"),
    ) as unknown;
    const errors = typeof body === "object" && body !== null ? (body as { errors?: unknown }).errors : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    if (typeof first !== "object" || first === null) return "";
    const { code, message } = first as { code?: unknown; message?: unknown };
    const words = [code, message].filter((word) => typeof word === "string" && word !== "") as string[];
    const name = words[0]?.toLowerCase().replaceAll("_", " ");
    return [name, ...words.slice(1)]
      .join(": ")
      .replace(/[^\x20-\x7e]/g, "?")
      .slice(0, 300);
  } catch (cause) {
    if (cause instanceof EngineError || cause instanceof SyntaxError) return "";
    throw cause;
  }
}
