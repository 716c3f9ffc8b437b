/**
 * The job `pull`: who waits for whom, and which version the registry speaks.
 *
 * @origin graph/pull.go
 * @article 004/e
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError, isErrno, messageOf } from "../errdefs/errdefs.ts";
import type { AuthConfig } from "../registry/auth.ts";
import { HttpClient } from "../registry/client.ts";
import { expandAndVerifyRegistryUrl } from "../registry/endpoint.ts";
import { metaHeaders, userAgent } from "../registry/http-factory.ts";
import { insecurePolicy } from "../registry/insecure.ts";
import { authOf, metaHeadersOf } from "../registry/job-request.ts";
import {
  familiarName,
  isRepositoryPath,
  type ResolvedName,
  resolveRepositoryName,
  resolveRepositoryPath,
} from "../registry/names.ts";
import { Session } from "../registry/session.ts";
import { DIGEST, parseDigest } from "../registry/v2/digest.ts";
import { v2Endpoints } from "../registry/v2/endpoint.ts";
import type { Platform } from "../registry/v2/manifest.ts";
import { Repository } from "../registry/v2/repository.ts";
import { StreamFormatter } from "../utils/stream-formatter.ts";
import { PoolBusyError } from "./pool-busy-error.ts";
import { ProgressSink } from "./progress-sink.ts";
import { pullRepositoryV1 } from "./pull-v1.ts";
import { pullV2, remotePath } from "./pull-v2.ts";
import { raceAbort, type SharedWork } from "./shared-work.ts";
import type { TagStore } from "./tags.ts";

/** Everything a pull was asked for. */
interface Wanted {
  readonly localName: string;
  /** Tag or digest; `""`: all tags. */
  readonly reference: string;
  readonly resolved: ResolvedName;
  readonly platform: Platform;
  readonly auth: AuthConfig;
  readonly headers: Readonly<Record<string, string>>;
  readonly parallel: boolean;
}

/**
 * Pulls an image, or waits for the client who does.
 *
 * Environment: `json`, `parallel`, `authConfig`, `metaHeaders`; since API 1.22 `platform` (`linux/arm64/v8`).
 *
 * @origin graph/pull.go (*TagStore).CmdPull
 * @deviation A client who waits gets the result of the one it waits for; in 1.2.0 it is told that all went well. A pull
 *   ends when the last client who wants it has gone, and leaves nothing; in 1.2.0 it goes on.
 */
export async function cmdPull(store: TagStore, job: Job): Promise<void> {
  if (job.args.length !== 1 && job.args.length !== 2) throw new BadRequestError(`Usage: ${job.name} IMAGE [TAG]`);
  const sink = new ProgressSink(job.stdout, new StreamFormatter(job.getenvBool("json")), store.host.clock);
  const [localName, reference] = splitReference(job.args[0] as string, job.args[1] ?? "");
  const platform = job.getenv("platform");
  let shared: SharedWork<unknown>;
  try {
    const key = `${localName}:${reference}${platform === "" ? "" : ` ${platform}`}`;
    shared = store.poolAdd("pull", key, async (signal) => {
      const wanted = readRequest(store, job, localName, reference);
      await pullAny(store, wanted, sink, signal);
    });
  } catch (cause) {
    if (!(cause instanceof PoolBusyError) || cause.kind !== "pull") throw cause;
    sink.status("", `Repository ${localName} already being pulled by another client. Waiting.`);
    shared = cause.shared;
  }
  try {
    await shared.join(job.signal);
  } finally {
    await raceAbort(sink.drain(), job.signal).catch(() => undefined);
  }
}

/** Takes a digest out of either part: clients before 1.6 cut `name@sha256:…` at its colon. */
function splitReference(name: string, tag: string): [localName: string, reference: string] {
  const local = familiarName(name);
  const at = local.indexOf("@");
  if (at < 0) return [local, tag.startsWith("sha256:") ? parseDigest(tag, "the reference") : tag];
  const digest = tag === "" ? local.slice(at + 1) : `${local.slice(at + 1)}:${tag}`;
  return [local.slice(0, at), parseDigest(digest, "the reference")];
}

function readRequest(store: TagStore, job: Job, localName: string, reference: string): Wanted {
  const { machine } = store.host;
  return {
    localName,
    reference,
    resolved: resolveRepositoryPath(localName),
    platform: parsePlatform(job.getenv("platform"), { os: machine.os, architecture: machine.arch }),
    auth: authOf(job),
    headers: { "User-Agent": userAgent(machine), ...metaHeaders(metaHeadersOf(job)) },
    parallel: job.getenvBool("parallel"),
  };
}

function parsePlatform(text: string, machine: Platform): Platform {
  if (text === "") return machine;
  const [os = "", architecture = machine.architecture, variant, more] = text.toLowerCase().split("/");
  if (![os, architecture, variant ?? "x"].every((part) => /^[a-z0-9_.-]+$/.test(part)) || more !== undefined) {
    throw new BadRequestError(`Invalid platform: ${JSON.stringify(text)}`);
  }
  return { os, architecture, variant };
}

/** Finds out which version the registry speaks. */
async function pullAny(store: TagStore, wanted: Wanted, sink: ProgressSink, signal: AbortSignal): Promise<void> {
  const { options, host, log } = store;
  const { hostname, remoteName } = wanted.resolved;
  const client = new HttpClient(host, {
    insecure: insecurePolicy(options.insecureRegistries),
    certsDir: options.certsDir,
  });
  const fits = isRepositoryPath(remotePath(wanted.resolved));
  if (fits && (await pullFromEndpoints(store, client, wanted, sink, signal))) return;
  if (DIGEST.test(wanted.reference)) {
    throw new BadRequestError(
      `Cannot pull ${wanted.localName}@${wanted.reference}: the registry does not know digests`,
    );
  }
  const indexEndpoint = await expandAndVerifyRegistryUrl(client, log, hostname);
  // The stricter rules of version 1 hold for registries of version 1.
  resolveRepositoryName(wanted.localName);
  const session = await Session.open({
    client,
    host,
    log,
    auth: wanted.auth,
    headers: wanted.headers,
    indexEndpoint,
  });
  const { localName, reference: askedTag, parallel } = wanted;
  await pullRepositoryV1({ store, session, localName, remoteName, askedTag, sink, parallel, signal });
}

/**
 * Asks the mirrors first; what they cannot give, the original must.
 *
 * @returns whether anybody speaks version 2
 * @throws what the last one said who does
 */
async function pullFromEndpoints(
  store: TagStore,
  client: HttpClient,
  wanted: Wanted,
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<boolean> {
  const { options, log } = store;
  let failure: unknown;
  for await (const endpoint of v2Endpoints(client, log, wanted.resolved.hostname, options.mirrors, signal)) {
    const repository = new Repository({
      client,
      host: store.host,
      base: endpoint.base,
      name: remotePath(wanted.resolved),
      localName: wanted.localName,
      // The password is for the registry, not for its copies.
      auth: endpoint.mirror ? {} : wanted.auth,
      headers: wanted.headers,
    });
    repository.challenged(endpoint.headers);
    try {
      const references = wanted.reference === "" ? await repository.tags(signal) : [wanted.reference];
      for (const reference of references) await pullV2(store, repository, { ...wanted, reference }, sink, signal);
      return true;
    } catch (cause) {
      signal.throwIfAborted();
      // A disk that is full is full for all of them.
      if (!endpoint.mirror || isErrno(cause, "ENOSPC", "EDQUOT")) throw cause;
      log.info(`mirror ${endpoint.base} failed: ${messageOf(cause)}`);
      failure = cause;
    }
  }
  if (failure !== undefined) throw failure;
  return false;
}
