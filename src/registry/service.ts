/**
 * What the engine can do at a registry without a daemon: try a password, and search.
 *
 * @origin registry/service.go
 * @article 001/5.4.5
 * @module
 */

import type { Engine, Installer } from "../engine/engine.ts";
import { Env } from "../engine/env.ts";
import type { Job } from "../engine/job.ts";
import { Table } from "../engine/table.ts";
import { BadRequestError, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { Logger } from "../pkg/log/log.ts";
import type { AuthConfig } from "./auth.ts";
import { HttpClient } from "./client.ts";
import { expandAndVerifyRegistryUrl } from "./endpoint.ts";
import { metaHeaders, userAgent } from "./http-factory.ts";
import { insecurePolicy } from "./insecure.ts";
import { authOf, metaHeadersOf } from "./job-request.ts";
import { login } from "./login.ts";
import { indexServerAddress, resolveRepositoryName } from "./names.ts";
import type { SearchResult } from "./search.ts";
import { Session } from "./session.ts";
import { findV2Endpoint } from "./v2/endpoint.ts";
import { type LoginV2Result, loginV2 } from "./v2/login.ts";

/** What of the daemon's configuration matters here. */
export interface ServiceOptions {
  /** `--insecure-registry`. */
  readonly insecureRegistries?: readonly string[];
  /** Certificates by host; default /etc/docker/certs.d. */
  readonly certsDir?: string;
}

/**
 * The jobs `auth` and `search`.
 *
 * @origin registry/service.go Service
 */
export class Service implements Installer {
  readonly #host: Host;
  readonly #log: Logger;
  readonly #options: ServiceOptions;

  /** Asks nobody anything before a job runs. @origin registry/service.go NewService */
  constructor(host: Host, log: Logger, options: ServiceOptions = {}) {
    this.#host = host;
    this.#log = log;
    this.#options = options;
  }

  /**
   * Registers both.
   *
   * @throws when a name is taken
   * @origin registry/service.go (*Service).Install
   * @deviation 1.2.0 drops what its two registrations return: where a name is taken, the other handler stays and nobody
   *   is told.
   */
  install(eng: Engine): void {
    eng.register("auth", (job) => this.#auth(job));
    eng.register("search", (job) => this.#search(job));
  }

  /** Cookies live as long as a client does: one for each job. */
  #client(): HttpClient {
    const { insecureRegistries = [], certsDir = "/etc/docker/certs.d" } = this.#options;
    return new HttpClient(this.#host, { insecure: insecurePolicy(insecureRegistries), certsDir });
  }

  /**
   * Says whether a registry knows a name and a password. As for a pull, version 2 is tried first.
   *
   * Environment: `authConfig`; since API 1.22 `apiVersion`. Output: one line; with `apiVersion` an object of `Status` and
   * `IdentityToken`, which is to be kept in the place of the password.
   *
   * @origin registry/service.go (*Service).Auth
   * @article 001/5.4.5
   * @deviation A password does not leave in plain text: an address with `http:` is refused, but for this machine and what
   *   `--insecure-registry` names. Nor does an address with a name, a question or a mark in it lead anywhere.
   */
  async #auth(job: Job): Promise<void> {
    const auth = authOf(job);
    const client = this.#client();
    let server = auth.serveraddress ?? "";
    if (server === "") server = indexServerAddress();
    if (server !== indexServerAddress()) checkAddress(server, client);
    const today = job.getenv("apiVersion") !== "";
    const known = await this.#tryV2(client, auth, server, { refresh: today, signal: job.signal });
    const status = known?.status ?? (await this.#tryV1(client, auth, server, job.signal));
    const answer = new Env();
    answer.set("Status", status);
    answer.set("IdentityToken", known?.identityToken ?? "");
    if (today) await answer.writeTo(job.stdout);
    else await job.printf(`${status}\n`);
  }

  async #tryV1(client: HttpClient, auth: AuthConfig, named: string, signal: AbortSignal): Promise<string> {
    let server = named;
    if (server !== indexServerAddress()) {
      server = await expandAndVerifyRegistryUrl(client, this.#log, server);
      if (!server.endsWith("/")) server += "/";
    }
    return login({ client, machine: this.#host.machine, auth, server, signal });
  }

  /** `undefined`: nobody there speaks version 2. @since Docker 1.6 */
  async #tryV2(
    client: HttpClient,
    auth: AuthConfig,
    server: string,
    options: { refresh: boolean; signal: AbortSignal },
  ): Promise<LoginV2Result | undefined> {
    const hostname = server === indexServerAddress() ? server : hostOf(server);
    if (hostname === undefined) return undefined;
    const endpoint = await findV2Endpoint(client, this.#log, hostname, options.signal);
    return endpoint && loginV2({ client, clock: this.#host.clock, auth, endpoint, ...options });
  }

  /**
   * Searches an index, the official one or that of the registry the term begins with. Most stars first.
   *
   * Environment: `authConfig`, `metaHeaders`. Output: a list of {@link SearchResult}.
   *
   * @origin registry/service.go (*Service).Search
   * @article 001/5.4.5
   * @deviation A name stays a text, also where it reads like a number; 1.2.0 turns the repository `1984` into a number.
   */
  async #search(job: Job): Promise<void> {
    if (job.args.length !== 1) throw new BadRequestError(`Usage: ${job.name} TERM`);
    const { hostname, remoteName } = resolveRepositoryName(job.args[0] as string);
    const [host, log, client] = [this.#host, this.#log, this.#client()];
    const indexEndpoint = await expandAndVerifyRegistryUrl(client, log, hostname);
    const headers = { "User-Agent": userAgent(host.machine), ...metaHeaders(metaHeadersOf(job)) };
    const auth = authOf(job);
    const session = await Session.open({ client, host, log, auth, headers, indexEndpoint });
    const found = await session.searchRepositories(remoteName, job.signal);
    const table = new Table("star_count");
    for (const result of found.results) table.add(rowOf(result));
    table.reverseSort();
    await table.writeListTo(job.stdout);
  }
}

function rowOf(result: SearchResult): Env {
  const row = new Env();
  for (const [key, value] of Object.entries(result)) row.setJson(key, value);
  return row;
}

/** The host of an address that names nothing below it but a version. */
function hostOf(server: string): string | undefined {
  const { host, pathname } = new URL(/^https?:/.test(server) ? server : `https://${server}`);
  return /^\/(?:v[12]\/?)?$/.test(pathname) ? host : undefined;
}

/** @throws {SystemError} unless a password may be sent there */
function checkAddress(server: string, client: HttpClient): void {
  const address = /^https?:/.test(server) ? server : `https://${server}/v1/`;
  const refuse = (why: string) => new SystemError(`Invalid Registry endpoint: ${why}`);
  if (!URL.canParse(address) || !/^https?:\/\/[^/]/.test(address))
    throw refuse(`${JSON.stringify(server)} is no address`);
  const { protocol, host, username, password, search, hash } = new URL(address);
  if (username !== "" || password !== "" || search !== "" || hash !== "" || /[?#]/.test(server))
    throw refuse("only a host and a path can be given");
  if (protocol === "http:" && !client.insecure(host))
    throw refuse(`${host} would get the password over plain http; add \`--insecure-registry ${host}\` to allow it`);
}
