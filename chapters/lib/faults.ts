/**
 * What can go wrong with a registry, on demand.
 *
 * @module
 */

/** One fault: for requests whose method and path fit, so many times. */
export interface Fault {
  /** Tested against `GET /v2/app/blobs/…`. */
  readonly match: RegExp;
  /** How often; default: always. */
  readonly times?: number;
  readonly kind:
    | { readonly status: number; readonly body?: string }
    /** The connection breaks after so many bytes of the body. */
    | { readonly truncateAt: number }
    /** So many bytes come, then nothing more. */
    | { readonly stallAt: number }
    /** One byte of the body is another. */
    | "corrupt"
    /** The body is this. */
    | { readonly replace: string | Uint8Array; readonly type?: string }
    /** The client is sent to another place. */
    | { readonly redirect: string }
    /** The request waits for this. */
    | { readonly after: Promise<void> };
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}

function streamOf(bytes: Uint8Array, end: "error" | "never"): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!sent && bytes.length > 0) {
        sent = true;
        controller.enqueue(bytes);
      } else if (end === "error") {
        controller.error(new Error("terminated"));
      } else {
        await new Promise(() => undefined);
      }
    },
  });
}

/** Counts faults down as they happen. */
export class Faults {
  readonly #left = new Map<Fault, number>();
  readonly #faults: Fault[];

  constructor(faults: readonly Fault[] = []) {
    this.#faults = [...faults];
  }

  /** Adds a fault. */
  add(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** Nothing goes wrong any more. */
  clear(): void {
    this.#faults.length = 0;
  }

  #take(request: Request): Fault | undefined {
    const line = `${request.method} ${new URL(request.url).pathname}`;
    for (const fault of this.#faults) {
      const left = this.#left.get(fault) ?? fault.times ?? Number.POSITIVE_INFINITY;
      if (left <= 0 || !fault.match.test(line)) continue;
      this.#left.set(fault, left - 1);
      return fault;
    }
    return undefined;
  }

  /** Answers a request through `serve`, or wrongly. */
  async apply(request: Request, serve: () => Promise<Response>): Promise<Response> {
    const kind = this.#take(request)?.kind;
    if (kind === undefined) return serve();
    if (kind === "corrupt") {
      const response = await serve();
      const bytes = await bytesOf(response);
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
      return new Response(bytes, { status: response.status, headers: response.headers });
    }
    if ("status" in kind) return new Response(kind.body ?? "", { status: kind.status });
    if ("redirect" in kind) return new Response(null, { status: 302, headers: { Location: kind.redirect } });
    if ("after" in kind) {
      await kind.after;
      return serve();
    }
    const response = await serve();
    if ("replace" in kind) {
      const headers = new Headers(response.headers);
      if (kind.type !== undefined) headers.set("Content-Type", kind.type);
      headers.delete("Content-Length");
      headers.delete("Docker-Content-Digest");
      return new Response(kind.replace, { status: response.status, headers });
    }
    const bytes = await bytesOf(response);
    const [at, end] = "truncateAt" in kind ? [kind.truncateAt, "error" as const] : [kind.stallAt, "never" as const];
    return new Response(streamOf(bytes.subarray(0, at), end), { status: response.status, headers: response.headers });
  }
}
