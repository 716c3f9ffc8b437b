/**
 * What the registry of this chapter holds: two images with the same lowest layer.
 *
 * ```text
 * app:1.0, app:latest   base + app      one image with two names
 * tools:1.0             base + tools
 * base:1.0              base
 * ```
 *
 * @module
 */

import type { HttpHandler } from "msw";
import type { Host } from "../../src/host/host.ts";
import { SeededRandom } from "../../src/host/memory/process.ts";
import { chainIds } from "../../src/registry/v2/config.ts";
import { registryV1Handlers, registryV2Handlers } from "../lib/msw.ts";
import { RegistryV1, v1Images } from "../lib/registry-v1.ts";
import { RegistryV2 } from "../lib/registry-v2.ts";
import { type BuiltImage, type BuiltLayer, buildImage, buildLayer } from "../lib/tiny-image.ts";

/** Where the registry is; `.test` names nobody. */
export const REGISTRY = "registry.test";

/** Which protocol it speaks. */
export type Version = "v1" | "v2";

/** The registry and what its long names mean. */
export interface Shelf {
  readonly handlers: readonly HttpHandler[];
  readonly registry: RegistryV1 | RegistryV2;
  /** `base`, `app`, `tools` by every id and digest that means one of them. */
  readonly roles: ReadonlyMap<string, string>;
  /** Image ids by name: `app:1.0`. */
  readonly ids: ReadonlyMap<string, string>;
}

const SIZES = { base: 24 << 10, app: 12 << 10, tools: 16 << 10 };

/** Compressing takes longer than all the rest, and what comes out is always the same. */
const made = new Map<string, BuiltLayer>();

function layer(role: keyof typeof SIZES, seed: number): BuiltLayer {
  const known = made.get(role);
  if (known !== undefined) return known;
  // Bytes without order, so that a compressed layer is as long as it says.
  const content = new SeededRandom(seed).bytes(SIZES[role] - 250);
  const built = buildLayer([{ name: `${role}.bin`, content }], `ADD ${role}.bin in /`);
  made.set(role, built);
  return built;
}

/** Fills a registry; the same bytes, and so the same ids, each time. */
export function fillShelf(version: Version, hash: Host["hash"]): Shelf {
  const [base, app, tools] = [layer("base", 1), layer("app", 2), layer("tools", 3)];
  const settings = (cmd: string) => ({ Cmd: [cmd] });
  const images: Record<string, BuiltImage> = {
    base: buildImage([base], settings("/base")),
    app: buildImage([base, app], settings("/app")),
    tools: buildImage([base, tools], settings("/tools")),
  };
  const names = [
    ["base", "1.0"],
    ["app", "1.0"],
    ["app", "latest"],
    ["tools", "1.0"],
  ] as const;
  const roles = new Map<string, string>();
  const ids = new Map<string, string>();
  if (version === "v1") {
    const registry = new RegistryV1();
    for (const [name, tag] of names) {
      const line = v1Images(images[name] as BuiltImage);
      registry.put(`library/${name}`, tag, line);
      for (const [i, { id }] of line.entries()) roles.set(id, i === 0 ? "base" : name);
      ids.set(`${name}:${tag}`, line.at(-1)?.id ?? "");
    }
    return { registry, handlers: registryV1Handlers(registry, `https://${REGISTRY}`), roles, ids };
  }
  const registry = new RegistryV2();
  for (const [name, tag] of names) {
    const image = images[name] as BuiltImage;
    registry.putImage(name, tag, image);
    const chains = chainIds(
      image.layers.map(({ diffId }) => diffId),
      hash,
    );
    roles.set(image.configDigest, `config of ${name}`);
    for (const [i, { digest }] of image.layers.entries()) {
      const role = i === 0 ? "base" : name;
      for (const known of [digest, chains[i] ?? "", (chains[i] ?? "").slice("sha256:".length)]) roles.set(known, role);
    }
    roles.set(image.configDigest.slice("sha256:".length), name);
    ids.set(`${name}:${tag}`, image.configDigest.slice("sha256:".length));
  }
  return { registry, handlers: registryV2Handlers(registry, `https://${REGISTRY}`), roles, ids };
}
