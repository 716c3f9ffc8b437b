/**
 * From a path to a route.
 *
 * Paths without a variable are looked up, the others tried in order. `{name:.*}` takes anything, slashes and nothing
 * included: image names have slashes.
 *
 * @origin api/server/server.go createRouter
 * @module
 */

import type { Engine } from "../../engine/engine.ts";
import type { ApiRequest } from "./request.ts";
import type { ResponseWriter } from "./response.ts";
import type { ApiServices } from "./services.ts";
import { API_VERSION, ApiVersion } from "./version.ts";

/** @origin api/server/server.go HttpApiFunc */
export type ApiHandler = (api: ApiServices, request: ApiRequest, response: ResponseWriter) => Promise<void>;

/** A line of the table. */
export interface Route {
  readonly method: string;
  /** As 1.2.0 writes it. */
  readonly path: string;
  /** Jobs it cannot do without: the route exists as long as the engine has them. */
  readonly jobs: readonly string[];
  readonly handle: ApiHandler;
  /** Takes the connection over. */
  readonly hijacks?: boolean;
  /** The API version that it came with; requests of older ones do not find it. Default: it was always there. */
  readonly since?: string;
}

/** A route and what its variables stand for. */
export interface Match {
  readonly route: Route;
  readonly version: string | undefined;
  readonly name: string;
}

interface MethodTable {
  readonly exact: Map<string, Route>;
  readonly patterns: { readonly expression: RegExp; readonly route: Route }[];
}

/** Whether the route was there in a version of the API. */
function isKnownTo(version: string | undefined, { since }: Route): boolean {
  return since === undefined || new ApiVersion(version ?? API_VERSION).atLeast(since);
}

/** A table of routes that can be asked. */
export class Router {
  readonly #methods = new Map<string, MethodTable>();
  readonly #engine: Pick<Engine, "commands">;
  /** Routes whose jobs were all there once: handlers are never taken back. */
  readonly #served = new Set<Route>();
  readonly #routes: readonly Route[];

  constructor(routes: readonly Route[], engine: Pick<Engine, "commands">) {
    this.#engine = engine;
    this.#routes = routes;
    for (const route of routes) {
      let table = this.#methods.get(route.method);
      if (!table) this.#methods.set(route.method, (table = { exact: new Map(), patterns: [] }));
      if (!route.path.includes("{")) table.exact.set(route.path, route);
      else table.patterns.push({ expression: new RegExp(`^${route.path.replace("{name:.*}", "(.*)")}$`, "s"), route });
    }
  }

  /** The routes that are served now. */
  served(): Route[] {
    return this.#routes.filter((route) => this.#isServed(route));
  }

  /** Whether the path is one of those that take the connection over, served or not. */
  mayHijack(method: string, path: string): boolean {
    const rest = path.replace(/^\/v[0-9.]+(?=\/)/, "");
    const patterns = this.#methods.get(method)?.patterns ?? [];
    return patterns.some(({ expression, route }) => route.hijacks === true && expression.test(rest));
  }

  /** Finds the route of a clean, decoded path; `undefined`: there is none. */
  match(method: string, path: string): Match | undefined {
    const prefixed = /^\/v([0-9.]+)(\/.*)$/s.exec(path);
    const [version, rest] = prefixed ? [prefixed[1], prefixed[2] as string] : [undefined, path];
    const table = this.#methods.get(method);
    if (!table) return undefined;
    const everywhere = table.exact.get("");
    if (everywhere) return { route: everywhere, version: undefined, name: "" };
    const exact = table.exact.get(rest);
    if (exact) return this.#isServed(exact) ? { route: exact, version, name: "" } : undefined;
    for (const { expression, route } of table.patterns) {
      const found = expression.exec(rest);
      if (found && this.#isServed(route) && isKnownTo(version, route)) return { route, version, name: found[1] ?? "" };
    }
    return undefined;
  }

  #isServed(route: Route): boolean {
    if (this.#served.has(route)) return true;
    const known = this.#engine.commands();
    if (!route.jobs.every((job) => known.includes(job))) return false;
    this.#served.add(route);
    return true;
  }
}
