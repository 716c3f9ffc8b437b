/**
 * The official index and its registry as they were in 2014, as far as a small image needs them.
 *
 * @module
 */

import { pureHash } from "../../src/host/memory/hash.ts";
import type { Net } from "../../src/host/net.ts";
import { tar } from "../lib/tar.ts";

/** What there is: the tags of a repository, all of one layer. */
const repositories: Readonly<Record<string, readonly string[]>> = {
  busybox: ["latest"],
  ubuntu: ["12.04", "14.04"],
};

/** The id of a tag's image: the same each time. */
const idOf = (name: string, tag: string) => pureHash("sha256").update(`${name}:${tag}`).hex();

const descriptions = new Map<string, string>();
for (const [name, tags] of Object.entries(repositories)) {
  for (const tag of tags) {
    const id = idOf(name, tag);
    const created = "2014-08-19T20:20:14Z";
    descriptions.set(id, JSON.stringify({ id, created, docker_version: "1.2.0", architecture: "amd64", os: "linux" }));
  }
}

const layer = tar([
  { name: "etc", type: "dir" },
  { name: "etc/hostname", content: "image\n" },
]);

/** Who has an account. */
const account = `Basic ${btoa("me:s3cret")}`;

/** What a search finds: names that have the term in them. */
function found(term: string): Response {
  const names = Object.keys(repositories).filter((name) => name.includes(term));
  const results = names.map((name) => ({ name, description: "", star_count: 1, is_official: true, is_trusted: false }));
  return Response.json({ query: term, num_results: results.length, results });
}

/** Answers what a daemon asks of the network. */
export const fetchImages: Net["fetch"] = async (url, { method = "GET", headers = {} } = {}) => {
  const { hostname, pathname, searchParams } = new URL(url);
  const [, name = "", list] = /^\/v1\/repositories\/(?:library\/)?([^/]+)\/(images|tags)$/.exec(pathname) ?? [];
  const [, id = "", part] = /^\/v1\/images\/([0-9a-f]{64})\/(ancestry|json|layer)$/.exec(pathname) ?? [];
  const tags = repositories[name];
  const json = descriptions.get(id);
  if (hostname !== "index.docker.io") return new Response("404 page not found\n", { status: 404 });
  if (pathname === "/v1/search") return found(searchParams.get("q") ?? "");
  if (pathname === "/v1/users/") {
    if (method === "POST") return new Response('"Username or email already exists"', { status: 400 });
    return new Response("", { status: headers["Authorization"] === account ? 200 : 401 });
  }
  if (tags !== undefined && list === "images") {
    return Response.json(
      tags.map((tag) => ({ id: idOf(name, tag) })),
      { headers: { "X-Docker-Token": "t", "X-Docker-Endpoints": hostname } },
    );
  }
  if (tags !== undefined && list === "tags") {
    return Response.json(Object.fromEntries(tags.map((tag) => [tag, idOf(name, tag)])));
  }
  if (json !== undefined && part === "ancestry") return Response.json([id]);
  if (json !== undefined && part === "json")
    return new Response(json, { headers: { "X-Docker-Size": `${layer.length}` } });
  if (json !== undefined && part === "layer") return new Response(new Uint8Array(layer));
  return new Response("", { status: 404 });
};
