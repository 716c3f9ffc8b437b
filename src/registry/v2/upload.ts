/**
 * Uploads blobs, taking an upload up again where a connection broke.
 *
 * ```text
 * HEAD  blobs/<digest>                          200: it is there
 * POST  blobs/uploads/?mount=<digest>&from=<r>  201: mounted from <r>; 202: no, but an upload has begun
 * POST  blobs/uploads/                          202: an upload has begun, at Location
 * PATCH <location>                              202: more of it has come
 * GET   <location>                              204: so much has come: Range: 0-<last byte>
 * PUT   <location>?digest=<digest>              201: it is complete, and has this digest
 * ```
 *
 * @since Docker 1.6
 * @module
 */

import { EngineError, SystemError } from "../../errdefs/errdefs.ts";
import type { Reader } from "../../sync/io.ts";
import type { HttpResponse } from "../client.ts";
import { requestText, TransportError } from "../transport-error.ts";
import type { Conversation } from "./conversation.ts";
import type { Descriptor } from "./manifest.ts";
import { BusyError, backOffMs, isTransient, pauseMs } from "./retry.ts";

/** Failures without a byte in between before it gives up. */
const MAX_FAILURES = 5;
/** Failures in all. */
const MAX_FAILURES_IN_ALL = 20;
/** The size of a piece, where the registry does not take a blob in one. */
const PIECE_BYTES = 4 << 20;
const BYTES = { "Content-Type": "application/octet-stream" };

/** A blob to be sent; it may still be in the making. */
export interface UploadSource {
  /** Its bytes; `undefined`: nobody knows yet. */
  readonly size: number | undefined;
  /** What it is, when it is complete. @throws when it cannot be made */
  descriptor(): Promise<Descriptor>;
  /** The bytes from an offset on, up to an end or as they come; called again when a connection broke. */
  read(from: number, end?: number): Reader;
  /** Is told what went wrong and is tried again. */
  onRetry?(cause: unknown): void;
}

/** Writes blobs and manifests into one repository. */
export class Uploader {
  readonly #conversation: Conversation;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
  }

  /** Whether the repository has a blob. */
  async has(digest: string, signal?: AbortSignal): Promise<boolean> {
    const url = this.#conversation.url(`blobs/${digest}`);
    const response = await this.#conversation.patiently({ method: "HEAD", url, signal });
    await response.discard();
    if (response.status === 200) return true;
    if (response.status === 404) return false;
    return this.#conversation.refuse(response, "HEAD", url);
  }

  /**
   * Lets the repository have a blob of another one of the same registry.
   *
   * @param from - that repository, as the registry knows it
   * @returns `undefined` when it has it now; else the address of an upload that has begun, `""` where none has
   */
  async mount(digest: string, from: string, signal?: AbortSignal): Promise<string | undefined> {
    const query = new URLSearchParams({ mount: digest, from });
    const url = this.#conversation.url(`blobs/uploads/?${query}`);
    const headers = { "Content-Length": "0" };
    const response = await this.#conversation.patiently({ method: "POST", url, headers, alsoPull: from, signal });
    await response.discard();
    if (response.status === 201) return undefined;
    // Not to be mounted, for whatever reason, is no failure: it is sent then.
    return response.status === 202 ? this.#location(response, url) : "";
  }

  /** Gives up an upload that has begun; a registry that does not listen throws it away in its own time. */
  async cancel(begun: string, signal?: AbortSignal): Promise<void> {
    if (begun === "") return;
    try {
      const response = await this.#conversation.send({ method: "DELETE", url: begun, signal });
      await response.discard();
    } catch (cause) {
      signal?.throwIfAborted();
      if (!(cause instanceof EngineError)) throw cause;
    }
  }

  /**
   * Sends a blob.
   *
   * @param begun - an upload that has begun
   * @throws {SystemError} when the registry refuses it; {TransportError} when it keeps breaking off
   */
  async upload(source: UploadSource, begun = "", signal?: AbortSignal): Promise<void> {
    const upload: Upload = { source, location: begun, sent: 0, stream: source.size === undefined, pieces: false };
    const { clock } = this.#conversation.terms.host;
    let failures = 0;
    for (let failuresInAll = 1; ; failuresInAll++) {
      const start = upload.sent;
      try {
        await this.#attempt(upload, signal);
        return;
      } catch (cause) {
        signal?.throwIfAborted();
        if (!(cause instanceof TransportError)) throw cause;
        failures = upload.sent > start ? 1 : failures + 1;
        const pause = cause instanceof BusyError ? cause.pauseMs : 0;
        if (failures >= MAX_FAILURES || failuresInAll >= MAX_FAILURES_IN_ALL || !Number.isFinite(pause)) throw cause;
        // What cannot be made need not be tried again.
        const { digest } = await source.descriptor();
        source.onRetry?.(cause);
        await clock.sleep(backOffMs(failures, pause), signal);
        await this.#takeUp(upload, signal);
        // The answer may have got lost, not the blob.
        if (upload.location === "" && (await this.has(digest, signal))) return;
      }
    }
  }

  async #attempt(upload: Upload, signal: AbortSignal | undefined): Promise<void> {
    if (upload.location === "") {
      upload.sent = 0;
      upload.location = await this.#begin(signal);
    }
    if (upload.stream && upload.sent === 0) await this.#stream(upload, signal);
    const { size, digest } = await upload.source.descriptor();
    while (upload.sent < size) await this.#patch(upload, size, signal);
    const url = new URL(upload.location);
    url.searchParams.set("digest", digest);
    const response = await this.#send("PUT", url.href, { "Content-Length": "0" }, signal);
    if (response.status === 201) {
      await response.discard();
      return;
    }
    if (response.status === 404) upload.location = "";
    return this.#failed(response, "PUT", url.href);
  }

  async #begin(signal: AbortSignal | undefined): Promise<string> {
    const url = this.#conversation.url("blobs/uploads/");
    const response = await this.#send("POST", url, { "Content-Length": "0" }, signal);
    if (response.status !== 202) return this.#failed(response, "POST", url);
    await response.discard();
    const location = this.#location(response, url);
    if (location === "") throw new SystemError(`Post ${url}: the registry does not say where to send the blob`);
    return location;
  }

  /** Sends what is still being made, as it comes. Once: it has a length when it is tried again. */
  async #stream(upload: Upload, signal: AbortSignal | undefined): Promise<void> {
    const { source, location } = upload;
    upload.stream = false;
    let sent = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      sent = 0;
      for await (const chunk of source.read(0)) {
        sent += chunk.length;
        yield chunk;
      }
    }
    const response = await this.#conversation.send({
      method: "PATCH",
      url: location,
      signal,
      headers: BYTES,
      body: counted,
    });
    await this.#taken(upload, response, () => sent);
  }

  /** Sends the rest, or a piece of it. */
  async #patch(upload: Upload, size: number, signal: AbortSignal | undefined): Promise<void> {
    const { source, sent, location } = upload;
    const end = upload.pieces ? Math.min(size, sent + PIECE_BYTES) : size;
    const whole = sent === 0 && end === size;
    const response = await this.#conversation.send({
      method: "PATCH",
      url: location,
      signal,
      headers: {
        ...BYTES,
        "Content-Length": String(end - sent),
        ...(whole ? {} : { "Content-Range": `${sent}-${end - 1}` }),
      },
      body: () => source.read(sent, end),
    });
    await this.#taken(upload, response, () => end);
  }

  /** What a registry says to a part. @param end - how much it has when it took that */
  async #taken(upload: Upload, response: HttpResponse, end: () => number): Promise<void> {
    const { status } = response;
    const { location } = upload;
    if (status === 202 || status === 204 || status === 201) {
      await response.discard();
      upload.sent = end();
      upload.location = this.#location(response, location) || location;
      return;
    }
    if ((status === 413 && !upload.pieces) || status === 411) {
      // Something in between does not let large bodies pass, or such without a length.
      upload.pieces ||= status === 413;
      upload.location = "";
      upload.sent = 0;
      await response.discard();
      const why = status === 413 ? "too much at once" : "a length is wanted";
      throw new TransportError(`${requestText("PATCH", location)}: HTTP status ${status}: ${why}`);
    }
    if (status === 404) upload.location = "";
    if (status === 416) {
      await response.discard();
      throw new TransportError(
        `${requestText("PATCH", location)}: HTTP status 416: the registry has another part of it`,
      );
    }
    return this.#failed(response, "PATCH", location);
  }

  /** Asks how much has come; an upload that nobody knows any more begins anew. */
  async #takeUp(upload: Upload, signal: AbortSignal | undefined): Promise<void> {
    if (upload.location === "") return;
    try {
      const response = await this.#send("GET", upload.location, {}, signal);
      await response.discard();
      const range = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get("range") ?? "");
      // `0-0` is what a registry says that has nothing, and one that has a single byte.
      const got = range === null ? 0 : Number(range[1]) + (range[1] === "0" ? 0 : 1);
      if (response.status === 204 && got > 0 && got <= (upload.source.size ?? 0)) {
        upload.location = this.#location(response, upload.location) || upload.location;
        upload.sent = got;
        return;
      }
    } catch (cause) {
      signal?.throwIfAborted();
      if (!(cause instanceof EngineError)) throw cause;
    }
    upload.location = "";
    upload.sent = 0;
  }

  /**
   * Stores a manifest under a tag or a digest.
   *
   * @throws {SystemError} when it is refused, or stored under another digest
   */
  async putManifest(
    reference: string,
    document: Uint8Array,
    mediaType: string,
    digest: string,
    signal?: AbortSignal,
  ): Promise<void> {
    const url = this.#conversation.url(`manifests/${reference}`);
    const headers = { "Content-Type": mediaType };
    const response = await this.#conversation.patiently({ method: "PUT", url, headers, body: document, signal });
    if (response.status !== 201 && response.status !== 200) return this.#conversation.refuse(response, "PUT", url);
    await response.discard();
    const stated = response.headers.get("docker-content-digest");
    if (stated !== null && stated !== digest) {
      throw new SystemError(
        `Put ${url}: the registry stored ${JSON.stringify(stated).slice(0, 100)} in the place of ${digest}`,
      );
    }
  }

  #send(
    method: "POST" | "PUT" | "GET",
    url: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    return this.#conversation.send({ method, url, headers, signal });
  }

  /** What may be better next time becomes a {@link TransportError}. */
  async #failed(response: HttpResponse, method: string, url: string): Promise<never> {
    const { status } = response;
    const pause = pauseMs(response.headers, this.#conversation.terms.host.clock.now());
    try {
      return await this.#conversation.refuse(response, method, url);
    } catch (cause) {
      if (!(cause instanceof EngineError) || !(isTransient(status) || status === 404)) throw cause;
      throw new BusyError(cause.message, pause, { cause });
    }
  }

  /**
   * Where the answer sends us; `""` when it says nothing.
   *
   * @throws {SystemError} when what is sent could be read by others there
   */
  #location(response: HttpResponse, asked: string): string {
    const text = response.headers.get("location");
    if (text === null || text === "") return "";
    const from = new URL(asked);
    if (!URL.canParse(text, asked))
      throw new SystemError(`${requestText("POST", asked)}: bad address ${JSON.stringify(text)}`);
    const to = new URL(text, asked);
    to.username = "";
    to.password = "";
    // A registry behind a proxy that ends TLS may not know how it is reached.
    if (to.protocol === "http:" && from.protocol === "https:" && to.hostname === from.hostname) {
      to.protocol = from.protocol;
      to.host = from.host;
    }
    const { client } = this.#conversation.terms;
    const fine = to.protocol === "https:" || to.host === from.host || client.insecure(to.host);
    if (!fine || !/^https?:$/.test(to.protocol)) {
      throw new SystemError(`${requestText("POST", asked)}: refused to send the blob over plain http (${to.host})`);
    }
    return to.href;
  }
}

/** How far an upload has come. */
interface Upload {
  readonly source: UploadSource;
  /** `""`: not begun. */
  location: string;
  sent: number;
  /** To be sent while it is made, without a length. */
  stream: boolean;
  /** Sent in pieces, not in one. */
  pieces: boolean;
}
