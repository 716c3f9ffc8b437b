/**
 * The small registries under msw: no socket is opened, `fetch` is answered in the process.
 *
 * @module
 */

import { type HttpHandler, http } from "msw";
import type { RegistryV1 } from "./registry-v1.ts";
import type { RegistryV2 } from "./registry-v2.ts";

function handlers(registry: { handle(request: Request): Promise<Response> }, base: string): HttpHandler[] {
  return [http.all(`${base}/*`, ({ request }) => registry.handle(request))];
}

/** A registry of version 2 at `base` (`https://registry.test`). */
export function registryV2Handlers(registry: RegistryV2, base: string): HttpHandler[] {
  return handlers(registry, base);
}

/** A registry of version 1 at `base`. */
export function registryV1Handlers(registry: RegistryV1, base: string): HttpHandler[] {
  return handlers(registry, base);
}
