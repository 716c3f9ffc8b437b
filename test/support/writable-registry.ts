/**
 * The small registry of version 2, with what a push needs: uploads in one or in pieces, mounts, manifests.
 */

import { RegistryV2 } from "../../chapters/lib/registry-v2.ts";
import { digestOf } from "../../chapters/lib/tiny-image.ts";

const VERSION = { "Docker-Distribution-Api-Version": "registry/2.0" };

function refusal(status: number, code: string, message: string): Response {
  return Response.json({ errors: [{ code, message }] }, { status, headers: VERSION });
}

/** How it takes what is sent. */
export interface WritableOptions extends NonNullable<ConstructorParameters<typeof RegistryV2>[0]> {
  /** Bodies longer than this meet 413. */
  readonly maxBody?: number;
  /** Blobs are in all repositories, or have to be mounted. */
  readonly mounts?: boolean;
}

/** The registry; {@link handle} answers requests. */
export class WritableRegistry {
  readonly registry: RegistryV2;
  readonly #options: WritableOptions;
  readonly #uploads = new Map<string, Buffer>();
  /** `repository@digest` of what is there. */
  readonly blobs = new Set<string>();
  /** `repository:reference` → what was stored. */
  readonly manifests = new Map<string, { bytes: Buffer; type: string; digest: string }>();
  /** Every request: `PUT /v2/…`. */
  readonly requests: string[] = [];
  #serial = 0;

  constructor(options: WritableOptions = {}) {
    this.#options = options;
    this.registry = new RegistryV2(options);
  }

  /** Answers a request. */
  handle = (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    this.requests.push(`${request.method} ${url.pathname}${url.search}`);
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(url.pathname);
    if (upload !== null) return this.registry.faults.apply(request, () => this.#upload(request, url, upload));
    const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(url.pathname);
    if (manifest !== null && request.method === "PUT") {
      return this.registry.faults.apply(request, () => this.#manifest(request, manifest));
    }
    const blob = /^\/v2\/(.+)\/blobs\/(sha256:[0-9a-f]+)$/.exec(url.pathname);
    if (blob !== null && request.method === "HEAD" && !this.blobs.has(`${blob[1]}@${blob[2]}`)) {
      return this.registry.faults.apply(request, async () => new Response(null, { status: 404, headers: VERSION }));
    }
    return this.registry.handle(request);
  };

  async #upload(request: Request, url: URL, [, repository = "", id = ""]: RegExpExecArray): Promise<Response> {
    const body = Buffer.from(await request.arrayBuffer());
    if (request.method === "POST") return this.#begin(repository, url);
    const before = this.#uploads.get(id);
    if (before === undefined) return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    const where = (size: number) => ({
      ...VERSION,
      Location: `/v2/${repository}/blobs/uploads/${id}?_state=${size}`,
      Range: `0-${Math.max(0, size - 1)}`,
    });
    if (request.method === "GET") return new Response(null, { status: 204, headers: where(before.length) });
    if (body.length > (this.#options.maxBody ?? Number.POSITIVE_INFINITY))
      return new Response("large", { status: 413 });
    const range = /^(\d+)-(\d+)$/.exec(request.headers.get("content-range") ?? "");
    if (range !== null && Number(range[1]) !== before.length) return refusal(416, "RANGE_INVALID", "wrong offset");
    const now = Buffer.concat([before, body]);
    this.#uploads.set(id, now);
    if (request.method === "PATCH") return new Response(null, { status: 202, headers: where(now.length) });
    const digest = url.searchParams.get("digest") ?? "";
    if (digestOf(now) !== digest)
      return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
    this.#uploads.delete(id);
    this.registry.putBlob(now);
    this.blobs.add(`${repository}@${digest}`);
    return new Response(null, { status: 201, headers: { ...VERSION, "Docker-Content-Digest": digest } });
  }

  #begin(repository: string, url: URL): Response {
    const [mount, from] = [url.searchParams.get("mount"), url.searchParams.get("from")];
    if (this.#options.mounts !== false && mount !== null && this.blobs.has(`${from}@${mount}`)) {
      this.blobs.add(`${repository}@${mount}`);
      return new Response(null, { status: 201, headers: VERSION });
    }
    const id = `upload-${++this.#serial}`;
    this.#uploads.set(id, Buffer.alloc(0));
    return new Response(null, {
      status: 202,
      headers: { ...VERSION, Location: `${url.origin}/v2/${repository}/blobs/uploads/${id}` },
    });
  }

  async #manifest(request: Request, [, repository = "", reference = ""]: RegExpExecArray): Promise<Response> {
    const bytes = Buffer.from(await request.arrayBuffer());
    const type = request.headers.get("content-type") ?? "";
    const { config, layers } = JSON.parse(bytes.toString()) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    for (const { digest } of [config, ...layers]) {
      if (!this.blobs.has(`${repository}@${digest}`)) return refusal(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown");
    }
    const digest = this.registry.putManifest(repository, reference, bytes.toString(), type);
    this.manifests.set(`${repository}:${reference}`, { bytes, type, digest });
    return new Response(null, { status: 201, headers: { ...VERSION, "Docker-Content-Digest": digest } });
  }

  /** Puts an image there, as if it had been pushed. @returns the manifest's digest */
  putImage(
    repository: string,
    tag: string,
    ...rest: [Parameters<RegistryV2["putImage"]>[2], ("docker" | "oci")?]
  ): string {
    const [image] = rest;
    for (const { digest } of image.layers) this.blobs.add(`${repository}@${digest}`);
    this.blobs.add(`${repository}@${image.configDigest}`);
    return this.registry.putImage(repository, tag, ...rest);
  }
}
