/**
 * Proves to a registry of version 2 who is asking: with a password, or with a token from the service it names.
 *
 * @since Docker 1.6
 * @module
 */

import { SystemError, UnauthorizedError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import type { FetchHeaders } from "../../host/net.ts";
import { type AuthConfig, basicAuthorization } from "../auth.ts";
import type { HttpClient } from "../client.ts";
import { objectOf, parseJson, readDocument } from "../json.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { patiently } from "./retry.ts";

const MAX_TOKEN_BYTES = 1 << 20;
/** What a token without a life time is good for. */
const DEFAULT_LIFE_SECONDS = 60;
/** Renewed this long before its end: it has to last for the request too. */
const MARGIN_MS = 5_000;

interface Token {
  readonly header: string;
  /** Milliseconds since 1970. */
  readonly goodUntil: number;
}

/** Makes `Authorization` headers for one repository, or for none. */
export class Authorizer {
  readonly #client: HttpClient;
  readonly #clock: Pick<Host["clock"], "now" | "sleep">;
  readonly #auth: AuthConfig;
  readonly #scopes: readonly string[];
  readonly #wantsRefresh: boolean;
  /** What the token service gave to be used in the place of the password. */
  refreshToken: string | undefined;
  #challenge: Challenge | undefined;
  /** By what they allow beside {@link #scopes}. */
  readonly #tokens = new Map<string, Token>();
  readonly #fetching = new Map<string, Promise<string>>();

  /**
   * @param scopes - `repository:library/busybox:pull`; none: only the password matters
   * @param options - `refresh`: ask for a token to be used in the place of the password
   */
  constructor(
    client: HttpClient,
    clock: Pick<Host["clock"], "now" | "sleep">,
    auth: AuthConfig,
    scopes: readonly string[] = [],
    options: { readonly refresh?: boolean } = {},
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#auth = auth;
    this.#scopes = scopes;
    this.#wantsRefresh = options.refresh ?? false;
  }

  /**
   * Takes the challenge of a 401.
   *
   * @returns whether another try makes sense
   */
  challenged(headers: FetchHeaders): boolean {
    const challenges = parseChallenges(headers.get("www-authenticate") ?? "");
    const challenge =
      challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find(({ scheme }) => scheme === "basic");
    if (challenge === undefined) return false;
    this.#challenge = challenge;
    this.#tokens.clear();
    return true;
  }

  /**
   * The header to send; `undefined` before the first challenge.
   *
   * @param more - scopes that this request needs beside those of all
   * @throws {UnauthorizedError} without a name to give
   */
  async header(signal?: AbortSignal, more: readonly string[] = []): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === "basic") {
      if (!this.#auth.username) throw new UnauthorizedError("no basic auth credentials");
      return basicAuthorization(this.#auth.username, this.#auth.password ?? "");
    }
    if (this.#auth.registrytoken) return `Bearer ${this.#auth.registrytoken}`;
    const key = more.join(" ");
    const token = this.#tokens.get(key);
    if (token !== undefined && this.#clock.now() < token.goodUntil) return token.header;
    // Layers are fetched side by side: one token for all of them.
    let fetching = this.#fetching.get(key);
    if (fetching === undefined) {
      fetching = this.#fetchToken(challenge, key, more, signal).finally(() => this.#fetching.delete(key));
      this.#fetching.set(key, fetching);
    }
    return fetching;
  }

  async #fetchToken(
    challenge: Challenge,
    key: string,
    more: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const realm = this.#realm(challenge.parameters.get("realm"));
    const service = challenge.parameters.get("service");
    const parameters = new URLSearchParams();
    if (service !== undefined) parameters.set("service", service);
    const scopes = [...this.#scopes, ...more];
    const { identitytoken } = this.#auth;
    const ask = () =>
      identitytoken
        ? this.#refresh(realm, parameters, scopes, identitytoken, signal)
        : this.#ask(realm, parameters, scopes, signal);
    const response = await patiently(this.#clock, ask, signal);
    if (response.status !== 200) {
      await response.discard();
      if (response.status === 401 || response.status === 403) {
        throw new UnauthorizedError(
          `Get ${realm.href}: unauthorized: incorrect username or password (Status ${response.status})`,
        );
      }
      throw new SystemError(`Get ${realm.href}: the token service answered with HTTP status ${response.status}`);
    }
    const what = `the token of ${realm.host}`;
    const answer = objectOf(parseJson(await readDocument(response.body, MAX_TOKEN_BYTES, what), what), what);
    const token = answer["token"] ?? answer["access_token"];
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
      throw new SystemError(`Cannot use ${what}: there is none in the answer`);
    }
    const refresh = answer["refresh_token"];
    if (this.#wantsRefresh && typeof refresh === "string" && refresh !== "") this.refreshToken = refresh;
    const life = typeof answer["expires_in"] === "number" ? answer["expires_in"] : DEFAULT_LIFE_SECONDS;
    const header = `Bearer ${token}`;
    this.#tokens.set(key, { header, goodUntil: this.#clock.now() + Math.max(0, life * 1000 - MARGIN_MS) });
    return header;
  }

  /** The token service's address. It gets the password, so it is held to the same rule as the registry. */
  #realm(text: string | undefined): URL {
    let realm: URL;
    try {
      realm = new URL(text ?? "");
    } catch (cause) {
      throw new SystemError(`Cannot log in: the registry names no token service`, { cause });
    }
    if (realm.protocol !== "https:" && !(realm.protocol === "http:" && this.#client.insecure(realm.host))) {
      throw new SystemError(`Cannot log in: the token service ${realm.href} is not reached by https`);
    }
    realm.username = "";
    realm.password = "";
    return realm;
  }

  #ask(realm: URL, parameters: URLSearchParams, scopes: readonly string[], signal: AbortSignal | undefined) {
    const url = new URL(realm);
    for (const [key, value] of parameters) url.searchParams.set(key, value);
    for (const scope of scopes) url.searchParams.append("scope", scope);
    const headers: Record<string, string> = {};
    if (this.#wantsRefresh) {
      url.searchParams.set("offline_token", "true");
      url.searchParams.set("client_id", "docker");
    }
    if (this.#auth.username) {
      url.searchParams.set("account", this.#auth.username);
      headers["Authorization"] = basicAuthorization(this.#auth.username, this.#auth.password ?? "");
    }
    return this.#client.send({ url: url.href, headers, signal });
  }

  #refresh(
    realm: URL,
    parameters: URLSearchParams,
    scopes: readonly string[],
    refreshToken: string,
    signal: AbortSignal | undefined,
  ) {
    if (scopes.length > 0) parameters.set("scope", scopes.join(" "));
    parameters.set("grant_type", "refresh_token");
    parameters.set("refresh_token", refreshToken);
    parameters.set("client_id", "docker");
    return this.#client.send({
      method: "POST",
      url: realm.href,
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: parameters.toString(),
      signal,
    });
  }
}
