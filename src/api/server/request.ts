/**
 * A request as the handlers see it.
 *
 * @module
 */

import type { IncomingHttpHeaders } from "node:http";
import type { Job } from "../../engine/job.ts";
import { BadRequestError, messageOf } from "../../errdefs/errdefs.ts";
import { type Reader, readAll } from "../../sync/io.ts";
import type { Hijacked } from "./hijack.ts";
import { Query } from "./query.ts";
import type { ApiVersion } from "./version.ts";

/** Longest body that is read as a whole: JSON and forms. */
const MAX_BODY_BYTES = 4 << 20;

/** What a request is made of, apart from its body. */
export interface RequestHead {
  readonly method: string;
  /** As received, with its query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly version: ApiVersion;
  /** What stands for `{name}` in the route. */
  readonly name: string;
}

/** One request. */
export class ApiRequest {
  readonly head: RequestHead;
  readonly version: ApiVersion;
  readonly name: string;
  /** The bytes of the body; can be read once. */
  readonly body: Reader;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** The bare connection, for routes that take it over. */
  readonly connection: Hijacked | undefined;
  #form: Query | undefined;

  constructor(head: RequestHead, body: Reader, signal: AbortSignal, connection?: Hijacked) {
    this.head = head;
    this.version = head.version;
    this.name = head.name;
    this.body = body;
    this.signal = signal;
    this.connection = connection;
  }

  /** A header, or the empty string. Several of one name are joined, as HTTP says. */
  header(name: string): string {
    return String(this.head.headers[name.toLowerCase()] ?? "");
  }

  /** Media type of the body, without parameters. */
  get contentType(): string {
    return (this.header("Content-Type").split(";")[0] ?? "").trim().toLowerCase();
  }

  /** The query only. */
  query(): Query {
    const at = this.head.url.indexOf("?");
    return new Query(at < 0 ? "" : this.head.url.slice(at + 1));
  }

  /**
   * The query and, before it, the fields of a body that is a form. Such a body is used up by this.
   *
   * @origin api/server/server.go parseForm
   */
  async form(): Promise<Query> {
    if (this.#form) return this.#form;
    const query = this.query();
    if (this.head.method !== "GET" && this.contentType === "application/x-www-form-urlencoded") {
      const form = new Query((await this.text()).trim());
      const at = this.head.url.indexOf("?");
      if (at >= 0) form.add(this.head.url.slice(at + 1));
      this.#form = form;
      return form;
    }
    this.#form = query;
    return query;
  }

  /** Whether a body of a known size is announced; a chunked one has none. */
  get contentLength(): number {
    return Number(this.head.headers["content-length"] ?? 0) || 0;
  }

  /**
   * The whole body.
   *
   * @throws {BadRequestError} when it is longer than 4 MiB, or ends before its announced length
   * @deviation 1.2.0 takes a body of any length, until the machine has no memory left.
   */
  async text(): Promise<string> {
    try {
      return (await readAll(this.body, MAX_BODY_BYTES)).toString("utf8");
    } catch (cause) {
      if (cause instanceof RangeError) throw new BadRequestError("Bad parameter: the body is too long", { cause });
      throw new BadRequestError(`unexpected EOF: ${messageOf(cause)}`, { cause });
    }
  }

  /** Runs a job that ends early when the client goes away. */
  run(job: Job): Promise<void> {
    return job.run({ signal: this.signal });
  }
}
