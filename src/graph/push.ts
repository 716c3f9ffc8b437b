/**
 * The job `push`.
 *
 * @origin graph/push.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError, NoSuchError, NotFoundError } from "../errdefs/errdefs.ts";
import type { Image } from "../image/image.ts";
import { HttpClient } from "../registry/client.ts";
import { expandAndVerifyRegistryUrl } from "../registry/endpoint.ts";
import { metaHeaders, userAgent } from "../registry/http-factory.ts";
import { insecurePolicy } from "../registry/insecure.ts";
import { authOf, metaHeadersOf } from "../registry/job-request.ts";
import {
  familiarName,
  isRepositoryPath,
  isTag,
  resolveRepositoryName,
  resolveRepositoryPath,
} from "../registry/names.ts";
import { Session } from "../registry/session.ts";
import { findV2Endpoint, type V2Endpoint } from "../registry/v2/endpoint.ts";
import { Repository } from "../registry/v2/repository.ts";
import { StreamFormatter } from "../utils/stream-formatter.ts";
import { isToday } from "./api-version.ts";
import { ProgressSink } from "./progress-sink.ts";
import { remotePath } from "./pull-v2.ts";
import { pushImageV1, pushRepositoryV1, type V1Push } from "./push-v1.ts";
import { pushV2 } from "./push-v2.ts";
import { raceAbort } from "./shared-work.ts";
import type { TagStore } from "./tags.ts";

/**
 * Pushes a repository: one tag, or all of them.
 *
 * Environment: `tag`, `json`, `authConfig`, `metaHeaders`; since API 1.22 `apiVersion`.
 *
 * @origin graph/push.go (*TagStore).CmdPush
 * @deviation A push ends when its client goes away; in 1.2.0 it goes on.
 */
export async function cmdPush(store: TagStore, job: Job): Promise<void> {
  if (job.args.length !== 1) throw new BadRequestError(`Usage: ${job.name} IMAGE`);
  const localName = familiarName(job.args[0] as string);
  const { clock } = store.host;
  const sink = new ProgressSink(job.stdout, new StreamFormatter(job.getenvBool("json"), () => clock.now()), clock);
  const shared = store.poolAdd("push", localName, (signal) => new Push(store, job, localName, sink, signal).run());
  try {
    await shared.join(job.signal);
  } finally {
    await raceAbort(sink.drain(), job.signal).catch(() => undefined);
  }
}

/** One push. */
class Push {
  readonly #store: TagStore;
  readonly #job: Job;
  readonly #localName: string;
  readonly #sink: ProgressSink;
  readonly #signal: AbortSignal;

  constructor(store: TagStore, job: Job, localName: string, sink: ProgressSink, signal: AbortSignal) {
    this.#store = store;
    this.#job = job;
    this.#localName = localName;
    this.#sink = sink;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { options, host, log } = this.#store;
    const resolved = resolveRepositoryPath(this.#localName);
    const client = new HttpClient(host, {
      insecure: insecurePolicy(options.insecureRegistries),
      certsDir: options.certsDir,
    });
    const path = remotePath(resolved);
    const endpoint = isRepositoryPath(path)
      ? await findV2Endpoint(client, log, resolved.hostname, this.#signal)
      : undefined;
    if (endpoint !== undefined) return this.#pushV2(client, endpoint, path);
    await this.#pushV1(client);
  }

  get #headers(): Readonly<Record<string, string>> {
    return { "User-Agent": userAgent(this.#store.host.machine), ...metaHeaders(metaHeadersOf(this.#job)) };
  }

  async #pushV2(client: HttpClient, endpoint: V2Endpoint, name: string): Promise<void> {
    const localName = this.#localName;
    this.#sayRepository();
    const image = await this.#imageById();
    if (image !== undefined) {
      throw new BadRequestError(`Cannot push ${localName}: an image needs a name for this registry, tag it first`);
    }
    const repository = new Repository({
      client,
      host: this.#store.host,
      base: endpoint.base,
      name,
      localName,
      auth: authOf(this.#job),
      headers: this.#headers,
      actions: "pull,push",
    });
    repository.challenged(endpoint.headers);
    const target = { localName, tags: this.#tags(), today: isToday(this.#job) };
    await pushV2(this.#store, repository, target, this.#sink, this.#signal);
  }

  async #pushV1(client: HttpClient): Promise<void> {
    const { host, log } = this.#store;
    const localName = this.#localName;
    // The stricter rules of version 1 hold for registries of version 1.
    const { hostname, remoteName } = resolveRepositoryName(localName);
    const indexEndpoint = await expandAndVerifyRegistryUrl(client, log, hostname);
    const image = await this.#imageById();
    const auth = authOf(this.#job);
    const session = await Session.open({ client, host, log, auth, headers: this.#headers, indexEndpoint });
    const push: V1Push = { store: this.#store, session, remoteName, sink: this.#sink, signal: this.#signal };
    if (image !== undefined) {
      this.#sink.status("", `The push refers to an image: [${localName}]`);
      await pushImageV1(push, image.id, indexEndpoint, []);
      return;
    }
    this.#sayRepository();
    await pushRepositoryV1(push, localName, this.#tags());
  }

  /** The image whose id the name is, or the beginning of one. */
  #imageById(): Promise<Image | undefined> {
    return this.#store.graph.get(this.#localName).catch(() => undefined);
  }

  #sayRepository(): void {
    const name = this.#localName;
    const count = this.#job.getenv("tag") === "" ? (this.#store.get(name)?.size ?? 0) : 1;
    const today = `The push refers to repository [${name}]`;
    this.#sink.status("", isToday(this.#job) ? today : `The push refers to a repository [${name}] (len: ${count})`);
  }

  /**
   * What is to be pushed: tag → id, all of them when none is asked for.
   *
   * @throws {NoSuchError} when there is no such repository; {NotFoundError} when it has no such tag
   * @origin graph/push.go getImageList
   */
  #tags(): ReadonlyMap<string, string> {
    const name = this.#localName;
    const tag = this.#job.getenv("tag");
    const tags = this.#store.get(name);
    if (tags === undefined) {
      if (!isToday(this.#job)) throw new NoSuchError("id", name);
      throw new NotFoundError(`An image does not exist locally with the tag: ${name}`);
    }
    const odd = (tag === "" ? [...tags.keys()] : [tag]).find((each) => tags.has(each) && !isTag(each));
    if (odd !== undefined) {
      const rule = "a tag has letters, digits, _, . and - only, 128 at most";
      throw new BadRequestError(`Cannot push ${name}:${odd}: ${rule}; tag the image anew`);
    }
    if (tag === "") return new Map(tags);
    const id = tags.get(tag);
    if (id !== undefined) return new Map([[tag, id]]);
    if (!isToday(this.#job)) throw new NotFoundError("No images found for the requested repository / tag");
    throw new NotFoundError(`tag does not exist: ${name}:${tag}`);
  }
}
