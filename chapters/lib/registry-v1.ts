/**
 * A small registry of version 1 with its index, in memory: none of the real ones is left.
 *
 * ```text
 * GET /v1/_ping
 * GET /v1/repositories/<name>/images   index: images, tokens, endpoints
 * GET /v1/repositories/<name>/tags     {"latest":"<id>"}
 * GET /v1/images/<id>/ancestry         ["<id>","<parent>",…]
 * GET /v1/images/<id>/json             the description; X-Docker-Size: bytes of the layer
 * GET /v1/images/<id>/layer            the layer; ranges allowed
 * GET /v1/search?q=<term>              index: {"results":[{"name":"library/x","star_count":1,…}]}
 * POST /v1/users/                      201: an account was made; 400: there is one of this name; 401: not here
 * PUT /v1/repositories/<name>/         index: what will be pushed; answers with token and endpoints
 * PUT /v1/repositories/<name>/images   index: it is there
 * PUT /v1/repositories/<name>/tags/<tag>   "<id>"
 * PUT /v1/images/<id>/json, layer, checksum
 * GET /v1/users/                       200: the password is right; 401: it is wrong; 403: the account waits
 * ```
 *
 * @module
 */

import { type Fault, Faults } from "./faults.ts";
import { type BuiltImage, digestOf } from "./tiny-image.ts";

/** An image as version 1 knows it. */
export interface V1Image {
  readonly id: string;
  readonly parent?: string;
  readonly json: string;
  readonly layer: Buffer;
}

/** How the registry behaves. */
export interface RegistryV1Options {
  readonly faults?: readonly Fault[];
  /** Name and password the index asks for. */
  readonly user?: { readonly username: string; readonly password: string };
  /** Images only with the token that the index gave. */
  readonly tokens?: boolean;
  /** Other places to get the images from, in the place of this one. */
  readonly endpoints?: readonly string[];
  readonly standalone?: boolean;
  /** What an offer of an account leads to; default `open`. */
  readonly accounts?: "open" | "closed" | "inactive";
  /** Name and password needed to write, where reading is free. */
  readonly writer?: { readonly username: string; readonly password: string };
}

/** What a search says of a repository. */
export interface V1Found {
  readonly name: string;
  readonly star_count: number;
  readonly is_official?: boolean;
  readonly is_trusted?: boolean;
  readonly description?: string;
}

const TOKEN = 'signature=cafebabe,repository="library/x",access=read';

/** Makes a line of images of 2014 out of layers: ids are digests, so that they are the same each time. */
export function v1Images(image: BuiltImage): V1Image[] {
  const images: V1Image[] = [];
  for (const layer of image.layers) {
    const parent = images.at(-1)?.id;
    const id = digestOf(Buffer.from(`${parent} ${layer.diffId}`)).slice("sha256:".length);
    const config = { Hostname: "", Image: parent ?? "", Cmd: ["/bin/sh"], Env: ["A=1"] };
    const json = JSON.stringify({
      id,
      ...(parent === undefined ? {} : { parent }),
      created: "2014-08-20T20:20:14.5Z",
      container_config: { Cmd: ["/bin/sh", "-c", layer.createdBy] },
      docker_version: "1.2.0",
      config,
      architecture: "amd64",
      os: "linux",
      Size: layer.tar.length,
    });
    images.push({ id, json, layer: layer.blob, ...(parent === undefined ? {} : { parent }) });
  }
  return images;
}

function basic(user: RegistryV1Options["user"]): string | undefined {
  return user && `Basic ${Buffer.from(`${user.username}:${user.password}`).toString("base64")}`;
}

/** The registry; {@link handle} answers requests. */
export class RegistryV1 {
  readonly faults: Faults;
  /** Every request so far: `GET /v1/…`. */
  readonly requests: string[] = [];
  readonly #options: RegistryV1Options;
  readonly #images = new Map<string, V1Image>();
  readonly #tags = new Map<string, Map<string, string>>();
  readonly #pushed = new Map<string, { json: string; layer?: Buffer }>();
  /** The bodies that the index got, in order. */
  readonly lists: string[] = [];
  /** The sums of the images that were pushed, as they were sent; wrong ones are refused. */
  readonly sums = new Map<string, { checksum: string; payload: string }>();
  /** What a search goes through. */
  readonly catalogue: V1Found[] = [];

  constructor(options: RegistryV1Options = {}) {
    this.#options = options;
    this.faults = new Faults(options.faults);
  }

  /** Stores images and tags the last one. @param repository - with its `library/` */
  put(repository: string, tag: string, images: readonly V1Image[]): void {
    for (const image of images) this.#images.set(image.id, image);
    const tags = this.#tags.get(repository) ?? new Map<string, string>();
    tags.set(tag, images.at(-1)?.id ?? "");
    this.#tags.set(repository, tags);
  }

  /** Answers a request. */
  handle = (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    this.requests.push(`${request.method} ${url.pathname}`);
    return this.faults.apply(request, async () => {
      if (url.pathname === "/v1/users/") return this.#users(request);
      if (request.method === "PUT") return this.#write(request, url);
      return url.pathname === "/v1/search" ? this.#search(url) : this.#answer(request, url);
    });
  };

  /** The images that are complete, by id. */
  get images(): ReadonlyMap<string, V1Image> {
    return this.#images;
  }

  async #write(request: Request, url: URL): Promise<Response> {
    const given = request.headers.get("authorization") ?? "";
    const index = /^\/v1\/repositories\/(.+)\/(images)?$/.exec(url.pathname);
    if (index !== null) {
      const expected = basic(this.#options.writer ?? this.#options.user);
      if (expected !== undefined && given !== expected) return new Response('"Wrong login"', { status: 401 });
      this.lists.push(await request.text());
      if (index[2] === "images") return new Response(null, { status: 204 });
      const endpoints = (this.#options.endpoints ?? [url.host]).join(", ");
      return new Response('""', { headers: { "X-Docker-Token": TOKEN, "X-Docker-Endpoints": endpoints } });
    }
    if (this.#options.tokens === true && given !== `Token ${TOKEN}`) return new Response("", { status: 401 });
    const tag = /^\/v1\/repositories\/(.+)\/tags\/([^/]+)$/.exec(url.pathname);
    if (tag !== null) return this.#setTag(tag[1] as string, tag[2] as string, (await request.json()) as string);
    const image = /^\/v1\/images\/([0-9a-f]{64})\/(json|layer|checksum)$/.exec(url.pathname);
    if (image === null) return new Response("", { status: 404 });
    const [, id = "", part] = image;
    if (part === "json") return this.#putJson(id, await request.text());
    const pushed = this.#pushed.get(id);
    if (pushed === undefined) return Response.json({ error: "Image not found" }, { status: 404 });
    if (part === "layer") {
      pushed.layer = Buffer.from(await request.arrayBuffer());
      return Response.json(true);
    }
    return this.#putChecksum(id, pushed, request.headers);
  }

  #putJson(id: string, json: string): Response {
    if (this.#images.has(id)) return Response.json({ error: "Image already exists" }, { status: 409 });
    const { id: named, parent } = JSON.parse(json) as { id?: string; parent?: string };
    if (named !== id) return Response.json({ error: "JSON data contains invalid id" }, { status: 400 });
    if (parent && !this.#images.has(parent)) {
      return Response.json({ error: "Image depends on a non existing parent" }, { status: 400 });
    }
    this.#pushed.set(id, { json });
    return Response.json(true);
  }

  /** The sum of description and archive must be right; the one of the files is kept for the test to look at. */
  #putChecksum(id: string, { json, layer }: { json: string; layer?: Buffer }, headers: Headers): Response {
    const payload = headers.get("x-docker-checksum-payload") ?? "";
    const checksum = headers.get("x-docker-checksum") ?? "";
    if (layer === undefined || payload !== digestOf(Buffer.concat([Buffer.from(`${json}\n`), layer]))) {
      return Response.json({ error: "Checksum mismatch, ignoring the layer" }, { status: 400 });
    }
    const { parent } = JSON.parse(json) as { parent?: string };
    this.#images.set(id, { id, json, layer, ...(parent ? { parent } : {}) });
    this.#pushed.delete(id);
    this.sums.set(id, { checksum, payload });
    return Response.json(true);
  }

  #setTag(repository: string, tag: string, id: string): Response {
    if (!this.#images.has(id)) return Response.json({ error: "Image not found" }, { status: 404 });
    const name = repository.includes("/") ? repository : `library/${repository}`;
    const tags = this.#tags.get(name) ?? new Map<string, string>();
    this.#tags.set(name, tags.set(tag, id));
    return Response.json(true);
  }

  async #users(request: Request): Promise<Response> {
    const { user, accounts = "open" } = this.#options;
    if (request.method === "POST") {
      if (accounts === "closed") return new Response("", { status: 401 });
      const { username } = (await request.json()) as { username?: string };
      return user?.username === username
        ? new Response('"Username or email already exists"', { status: 400 })
        : new Response('"User created"', { status: 201 });
    }
    if (request.headers.get("authorization") !== basic(user)) return new Response('"Wrong"', { status: 401 });
    return new Response('"OK"', { status: accounts === "inactive" ? 403 : 200 });
  }

  #search(url: URL): Response {
    const term = url.searchParams.get("q") ?? "";
    const results = this.catalogue.filter(({ name, description = "" }) => `${name} ${description}`.includes(term));
    return Response.json({ query: term, num_results: results.length, results });
  }

  #answer(request: Request, url: URL): Response {
    const { standalone = true, user, tokens, endpoints } = this.#options;
    if (url.pathname === "/v1/_ping") {
      return Response.json(true, { headers: { "X-Docker-Registry-Standalone": String(standalone) } });
    }
    const given = request.headers.get("authorization") ?? "";
    const repository = /^\/v1\/repositories\/(.+)\/(images|tags)$/.exec(url.pathname);
    if (repository?.[2] === "images") {
      const expected = basic(user);
      if (expected !== undefined && given !== expected) return new Response("", { status: 401 });
      return this.#index(repository[1] as string, url, endpoints);
    }
    if (tokens === true && given !== `Token ${TOKEN}`) return new Response("", { status: 401 });
    if (repository?.[2] === "tags") {
      const tags = this.#tags.get(repository[1] as string);
      return tags === undefined ? new Response("", { status: 404 }) : Response.json(Object.fromEntries(tags));
    }
    const image = /^\/v1\/images\/([^/]+)\/(ancestry|json|layer)$/.exec(url.pathname);
    const found = this.#images.get(image?.[1] ?? "");
    if (found === undefined) return new Response("", { status: 404 });
    if (image?.[2] === "ancestry") return Response.json(this.#ancestry(found));
    if (image?.[2] === "json") {
      return new Response(found.json, { headers: { "X-Docker-Size": String(found.layer.length) } });
    }
    return this.#layer(request, found.layer);
  }

  #index(repository: string, url: URL, endpoints: readonly string[] | undefined): Response {
    const tags = this.#tags.get(repository) ?? this.#tags.get(`library/${repository}`);
    if (tags === undefined) return new Response("", { status: 404 });
    const ids = new Set([...tags.values()].flatMap((id) => this.#ancestry(this.#images.get(id) as V1Image)));
    return Response.json(
      [...ids].map((id) => ({ id })),
      { headers: { "X-Docker-Token": TOKEN, "X-Docker-Endpoints": (endpoints ?? [url.host]).join(", ") } },
    );
  }

  #ancestry(image: V1Image): string[] {
    const ids: string[] = [];
    for (
      let current: V1Image | undefined = image;
      current !== undefined;
      current = this.#images.get(current.parent ?? "")
    ) {
      ids.push(current.id);
    }
    return ids;
  }

  #layer(request: Request, layer: Buffer): Response {
    const range = /^bytes=(\d+)-/.exec(request.headers.get("range") ?? "");
    const from = range === null ? 0 : Number(range[1]);
    const body = layer.subarray(from);
    const headers: Record<string, string> = { "Accept-Ranges": "bytes", "Content-Length": String(body.length) };
    if (range !== null) headers["Content-Range"] = `bytes ${from}-${layer.length - 1}/${layer.length}`;
    return new Response(body, { status: range === null ? 200 : 206, headers });
  }
}
