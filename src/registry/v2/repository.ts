/**
 * One repository of a registry that speaks version 2.
 *
 * @since Docker 1.6
 * @module
 */

import { NotFoundError, SystemError } from "../../errdefs/errdefs.ts";
import type { FetchHeaders } from "../../host/net.ts";
import type { Reader } from "../../sync/io.ts";
import type { HttpResponse } from "../client.ts";
import { listOf, MAX_DOCUMENT_BYTES, MAX_LIST_BYTES, objectOf, parseJson, readDocument, textOf } from "../json.ts";
import { isTag } from "../names.ts";
import { type BlobSource, downloadBlob } from "./blob.ts";
import { Conversation, errorText, type RepositoryTerms } from "./conversation.ts";
import { DIGEST } from "./digest.ts";
import {
  choosePlatform,
  type Descriptor,
  type ImageManifest,
  MANIFEST_TYPES,
  type ManifestList,
  type Platform,
  parseManifest,
} from "./manifest.ts";

/** More pages than any repository needs, … */
const MAX_TAG_PAGES = 1000;
/** … and more tags than anybody can want at once. */
const MAX_TAGS = 100_000;

/** The manifest of one image, and the digest by which it can be asked for again. */
export interface FoundManifest {
  /** Of the document that was asked for: the list, when there is one. */
  readonly digest: string;
  readonly manifest: ImageManifest;
  /** The image's own document, and what it is. */
  readonly document: { readonly bytes: Buffer; readonly type: string };
}

/** Reads manifests and blobs; never writes. */
export class Repository {
  readonly name: string;
  readonly base: string;
  /** What is written goes the same way. */
  readonly conversation: Conversation;
  readonly #terms: RepositoryTerms;

  constructor(terms: RepositoryTerms) {
    this.#terms = terms;
    this.name = terms.name;
    this.base = terms.base;
    this.conversation = new Conversation(terms);
  }

  /** Takes the challenge that came with the first contact, which saves a round trip. */
  challenged(headers: FetchHeaders): void {
    this.conversation.authorizer.challenged(headers);
  }

  #refuse(response: HttpResponse, url: string): Promise<never> {
    return this.conversation.refuse(response, "GET", url);
  }

  async #document(
    reference: string,
    signal: AbortSignal | undefined,
  ): Promise<{ bytes: Buffer; digest: string; type: string }> {
    const url = `${this.base}${this.name}/manifests/${reference}`;
    const headers = { Accept: MANIFEST_TYPES.join(", ") };
    const response = await this.conversation.patiently({ url, headers, signal });
    const label = `${this.#terms.localName}${DIGEST.test(reference) ? "@" : ":"}${reference}`;
    if (response.status === 404) {
      const detail = (await errorText(response)) || "manifest unknown: manifest unknown";
      throw new NotFoundError(`manifest for ${label} not found: ${detail}`);
    }
    if (response.status !== 200) return this.#refuse(response, url);
    const bytes = await readDocument(response.body, MAX_DOCUMENT_BYTES, `the manifest of ${label}`);
    const digest = `sha256:${this.#terms.host.hash("sha256").update(bytes).hex()}`;
    const stated = response.headers.get("docker-content-digest");
    const expected = DIGEST.test(reference) ? reference : stated !== null && DIGEST.test(stated) ? stated : digest;
    if (digest !== expected) {
      throw new SystemError(`manifest verification failed for ${label}: expected ${expected}, got ${digest}`);
    }
    return { bytes, digest, type: response.headers.get("content-type") ?? "" };
  }

  /**
   * Finds the manifest for a machine.
   *
   * @param reference - tag or digest
   * @throws {NotFoundError} when there is none
   */
  async manifest(reference: string, platform: Platform, signal?: AbortSignal): Promise<FoundManifest> {
    const label = `${this.#terms.localName}${DIGEST.test(reference) ? "@" : ":"}${reference}`;
    const asked = await this.#document(reference, signal);
    const document: ImageManifest | ManifestList = parseManifest(asked.bytes, asked.type, label);
    if (document.kind === "image") return { digest: asked.digest, manifest: document, document: asked };
    const chosen = choosePlatform(document, platform);
    const found = await this.#document(chosen.digest, signal);
    const manifest = parseManifest(found.bytes, found.type, `${label} (${chosen.digest})`);
    if (manifest.kind !== "image") throw new SystemError(`Cannot read ${label}: a list inside a list`);
    return { digest: asked.digest, manifest, document: found };
  }

  /** Reads a small blob whole. @throws {SystemError} when its digest or size is another */
  async document(descriptor: Descriptor, what: string, signal?: AbortSignal): Promise<Buffer> {
    if (descriptor.size > MAX_DOCUMENT_BYTES) {
      throw new SystemError(`Cannot read ${what}: it is longer than ${MAX_DOCUMENT_BYTES} bytes`);
    }
    let resumed = false;
    const read = async (onRetry?: BlobSource["onRetry"]) => {
      const bytes = await readDocument(
        this.blob(descriptor, onRetry ? { onRetry } : {}, signal),
        MAX_DOCUMENT_BYTES,
        what,
      );
      const digest = `sha256:${this.#terms.host.hash("sha256").update(bytes).hex()}`;
      if (digest === descriptor.digest) return bytes;
      throw new SystemError(`Cannot use ${what}: expected digest ${descriptor.digest}, got ${digest}`);
    };
    try {
      return await read((_, got) => {
        resumed ||= got > 0;
      });
    } catch (cause) {
      // Where it broke off, a registry may have written why: what came in two parts is no good then.
      if (!resumed || signal?.aborted || !(cause instanceof SystemError)) throw cause;
      return read();
    }
  }

  /**
   * Streams a blob, taking a broken connection up again. The caller checks the digest.
   *
   * @param events - `onRetry`: the connection broke: what happened, and how many bytes had come before
   */
  blob(descriptor: Descriptor, events: Pick<BlobSource, "onRetry">, signal?: AbortSignal): Reader {
    const url = `${this.base}${this.name}/blobs/${descriptor.digest}`;
    return downloadBlob(
      {
        get: (headers) => this.conversation.send({ url, headers, signal }),
        refuse: (response) =>
          response.status === 404
            ? response.discard().then(() => {
                throw new NotFoundError(
                  `blob ${descriptor.digest} of ${this.#terms.localName} not found: blob unknown to registry`,
                );
              })
            : this.#refuse(response, url),
        clock: this.#terms.host.clock,
        ...events,
      },
      descriptor,
      signal,
    );
  }

  /** The names of all tags, in the registry's order. */
  async tags(signal?: AbortSignal): Promise<string[]> {
    const what = `the tags of ${this.#terms.localName}`;
    const tags = new Set<string>();
    let url = `${this.base}${this.name}/tags/list`;
    for (let page = 0; page < MAX_TAG_PAGES; page++) {
      const response = await this.conversation.patiently({ url, signal });
      if (response.status === 404) {
        await response.discard();
        throw new NotFoundError(`Error: image ${this.#terms.localName} not found`);
      }
      if (response.status !== 200) return this.#refuse(response, url);
      const body = objectOf(parseJson(await readDocument(response.body, MAX_LIST_BYTES, what), what), what);
      if (tags.size > MAX_TAGS) break;
      const before = tags.size;
      for (const tag of listOf(body["tags"] ?? [], what)) tags.add(checkTag(textOf(tag, what), what));
      const next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
      // A page that brings nothing new would go on for ever.
      if (next === undefined || tags.size === before) return [...tags];
      const address = new URL(next, url);
      if (address.origin !== new URL(url).origin)
        throw new SystemError(`Cannot read ${what}: they continue at another host`);
      url = address.href;
    }
    throw new SystemError(`Cannot read ${what}: there are more than ${MAX_TAGS}; ask for the ones you want by name`);
  }
}

/** A tag becomes part of an address, and of a name here. */
function checkTag(tag: string, what: string): string {
  if (isTag(tag)) return tag;
  throw new SystemError(`Cannot use ${what}: ${JSON.stringify(tag).slice(0, 140)} is no tag`);
}
