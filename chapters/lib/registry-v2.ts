/**
 * A small registry of version 2, in memory: what `docker pull` needs of it, and what can go wrong.
 *
 * @module
 */

import { type Fault, Faults } from "./faults.ts";
import { type BuiltImage, digestOf } from "./tiny-image.ts";

export { tinyImage } from "./tiny-image.ts";

/** Types of documents and blobs. */
export const TYPES = {
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    list: "application/vnd.docker.distribution.manifest.list.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    list: "application/vnd.oci.image.index.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
} as const;

/** Who may pull. */
export type RegistryAuth =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** Tokens from `<realm>`, which this registry answers too when it is one of its own addresses. */
  | {
      readonly kind: "bearer";
      readonly realm: string;
      readonly service: string;
      readonly username?: string;
      readonly password?: string;
    };

interface Document {
  readonly bytes: Buffer;
  readonly type: string;
}

/** A platform entry of a list. */
export interface PlatformImage {
  readonly image: BuiltImage;
  readonly platform: { os: string; architecture: string; variant?: string };
}

/** The registry; {@link handle} answers requests. */
export class RegistryV2 {
  readonly faults = new Faults();
  /** Every request so far: `GET /v2/…`. */
  readonly requests: string[] = [];
  readonly #blobs = new Map<string, Buffer>();
  readonly #manifests = new Map<string, Document>();
  readonly #auth: RegistryAuth | undefined;
  #tokens = 0;

  constructor(options: { auth?: RegistryAuth; faults?: readonly Fault[] } = {}) {
    this.#auth = options.auth;
    for (const fault of options.faults ?? []) this.faults.add(fault);
  }

  /** Stores a blob. @returns its digest */
  putBlob(bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.#blobs.set(digest, bytes);
    return digest;
  }

  /** Stores a manifest under its digest and, if given, a tag. @returns its digest */
  putManifest(repository: string, tag: string | undefined, document: string, type: string): string {
    const bytes = Buffer.from(document);
    const digest = digestOf(bytes);
    this.#manifests.set(`${repository}@${digest}`, { bytes, type });
    if (tag !== undefined) this.#manifests.set(`${repository}@${tag}`, { bytes, type });
    return digest;
  }

  /** The manifest of an image, as an object to be changed or sent. */
  manifestOf(image: BuiltImage, format: "docker" | "oci" = "docker"): Record<string, unknown> {
    const types = TYPES[format];
    return {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, size: image.config.length, digest: image.configDigest },
      layers: image.layers.map((layer) => ({ mediaType: types.layer, size: layer.blob.length, digest: layer.digest })),
    };
  }

  /** Stores an image with everything it consists of. @returns the manifest's digest */
  putImage(
    repository: string,
    tag: string | undefined,
    image: BuiltImage,
    format: "docker" | "oci" = "docker",
  ): string {
    this.putBlob(image.config);
    for (const layer of image.layers) this.putBlob(layer.blob);
    return this.putManifest(repository, tag, JSON.stringify(this.manifestOf(image, format)), TYPES[format].manifest);
  }

  /** Stores a list of images for several platforms. @returns the list's digest */
  putList(
    repository: string,
    tag: string,
    images: readonly PlatformImage[],
    format: "docker" | "oci" = "docker",
  ): string {
    const manifests = images.map(({ image, platform }) => ({
      mediaType: TYPES[format].manifest,
      digest: this.putImage(repository, undefined, image, format),
      size: JSON.stringify(this.manifestOf(image, format)).length,
      platform,
    }));
    const document = JSON.stringify({ schemaVersion: 2, mediaType: TYPES[format].list, manifests });
    return this.putManifest(repository, tag, document, TYPES[format].list);
  }

  /** Answers a request. */
  handle = (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    return this.faults.apply(request, async () => this.#answer(request, url));
  };

  #answer(request: Request, url: URL): Response {
    if (url.pathname === "/token") return this.#token(request);
    if (!url.pathname.startsWith("/v2/")) return new Response("404 page not found\n", { status: 404 });
    const refusal = this.#refuse(request, url);
    if (refusal !== undefined) return refusal;
    if (url.pathname === "/v2/") return json({});
    const found = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(url.pathname);
    if (found === null) return error(404, "UNSUPPORTED", "unknown path");
    const [, repository = "", kind, reference = ""] = found;
    if (kind === "manifests") return this.#manifest(repository, reference);
    if (kind === "tags") return this.#tags(repository, url);
    return this.#blob(request, reference);
  }

  #tags(repository: string, url: URL): Response {
    const prefix = `${repository}@`;
    const keys = [...this.#manifests.keys()].filter((key) => key.startsWith(prefix) && !key.includes("@sha256:"));
    if (keys.length === 0) return error(404, "NAME_UNKNOWN", "repository name not known to registry");
    const tags = keys.map((key) => key.slice(prefix.length)).sort();
    const last = url.searchParams.get("last");
    const size = 2;
    const page = tags.filter((tag) => last === null || tag > last).slice(0, size);
    const more = tags.at(-1) !== page.at(-1) && page.length > 0;
    const link: Record<string, string> = more
      ? { Link: `</v2/${repository}/tags/list?last=${page.at(-1)}&n=${size}>; rel="next"` }
      : {};
    return json({ name: repository, tags: page }, link);
  }

  #manifest(repository: string, reference: string): Response {
    const document = this.#manifests.get(`${repository}@${reference}`);
    if (document === undefined) return error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    return new Response(document.bytes, {
      headers: {
        ...VERSION,
        "Content-Type": document.type,
        "Content-Length": String(document.bytes.length),
        "Docker-Content-Digest": digestOf(document.bytes),
      },
    });
  }

  #blob(request: Request, digest: string): Response {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) return error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    const range = /^bytes=(\d+)-/.exec(request.headers.get("range") ?? "");
    const from = range === null ? 0 : Number(range[1]);
    const body = blob.subarray(from);
    const headers: Record<string, string> = {
      ...VERSION,
      "Content-Type": "application/octet-stream",
      "Content-Length": String(body.length),
      "Docker-Content-Digest": digest,
    };
    if (from > 0) headers["Content-Range"] = `bytes ${from}-${blob.length - 1}/${blob.length}`;
    return new Response(body, { status: from > 0 ? 206 : 200, headers });
  }

  #refuse(request: Request, url: URL): Response | undefined {
    const auth = this.#auth;
    const given = request.headers.get("authorization") ?? "";
    if (auth === undefined) return undefined;
    if (auth.kind === "basic") {
      if (given === basic(auth.username, auth.password)) return undefined;
      return error(401, "UNAUTHORIZED", "authentication required", { "WWW-Authenticate": 'Basic realm="Registry"' });
    }
    if (/^Bearer token-[1-9]\d*$/.test(given)) return undefined;
    const repository = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1];
    const scope = repository === undefined ? "" : `,scope="repository:${repository}:pull"`;
    return error(401, "UNAUTHORIZED", "authentication required", {
      "WWW-Authenticate": `Bearer realm="${auth.realm}",service="${auth.service}"${scope}`,
    });
  }

  #token(request: Request): Response {
    const auth = this.#auth;
    if (auth?.kind !== "bearer") return new Response("", { status: 404 });
    const given = request.headers.get("authorization") ?? "";
    if (auth.username !== undefined && given !== basic(auth.username, auth.password ?? "")) {
      return json({ details: "incorrect username or password" }, {}, 401);
    }
    this.#tokens++;
    return json({ token: `token-${this.#tokens}`, expires_in: 300 });
  }
}

const VERSION = { "Docker-Distribution-Api-Version": "registry/2.0" };

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function json(value: unknown, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { ...VERSION, "Content-Type": "application/json", ...headers },
  });
}

function error(status: number, code: string, message: string, headers: Record<string, string> = {}): Response {
  return json({ errors: [{ code, message, detail: {} }] }, headers, status);
}
