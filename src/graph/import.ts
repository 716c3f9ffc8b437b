/**
 * An image from an archive of files.
 *
 * @origin graph/import.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError } from "../errdefs/errdefs.ts";
import type { ClientHost, HttpResponse } from "../registry/client.ts";
import { download } from "../registry/download.ts";
import type { Config } from "../runconfig/config.ts";
import { configFromJson } from "../runconfig/from-json.ts";
import { BufferWriter, type Reader } from "../sync/io.ts";
import { unmarshal } from "../utils/go-json-decode.ts";
import { ProgressReader } from "../utils/progress-reader.ts";
import { StreamFormatter } from "../utils/stream-formatter.ts";
import { isToday } from "./api-version.ts";
import type { TagStore } from "./tags.ts";

/**
 * Job `import SRC REPO [TAG]`: makes an image without parent from a tar, which may be compressed. `-` reads standard input,
 * everything else is an address; without a scheme, http. `changes` are instructions of a Dockerfile, since Docker 1.13.
 *
 * @origin graph/import.go (*TagStore).CmdImport
 * @deviation `host:port/path` without a scheme is http, too; 1.2.0 cannot read it.
 */
export async function cmdImport(store: TagStore, job: Job): Promise<void> {
  const [source, repository, tag = ""] = job.args;
  if (source === undefined || repository === undefined || job.args.length > 3) {
    throw new BadRequestError(`Usage: ${job.name} SRC REPO [TAG]`);
  }
  const config = await changedConfig(job);
  const { clock } = store.host;
  const formatter = new StreamFormatter(job.getenvBool("json"), () => clock.now());
  const layer = source === "-" ? job.stdin : await fetchArchive(store.host, job, formatter, source);
  const comment = job.getenv("message") || `Imported from ${source}`;
  const { id } = await store.graph.create({ layer, comment, author: "", config });
  if (repository !== "") await store.set(repository, tag, id);
  await job.stdout.write(formatter.formatStatus("", isToday(job) ? `sha256:${id}` : id));
}

/** What instructions of a Dockerfile (`changes`) make of an empty configuration; without any the image has none. */
async function changedConfig(job: Job): Promise<Config | undefined> {
  const changes = job.getenvList("changes") ?? [];
  if (changes.length === 0) return undefined;
  const change = job.eng.job("build");
  change.setenvList("changes", changes);
  const out = new BufferWriter();
  change.stdout.add(out);
  await change.run({ signal: job.signal });
  return configFromJson(unmarshal(out.toString()));
}

/** The body behind an address, with messages about how far it has come. */
async function fetchArchive(host: ClientHost, job: Job, formatter: StreamFormatter, source: string): Promise<Reader> {
  const text = source === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source || "http:" : `http://${source}`;
  await job.stdout.write(formatter.formatStatus("", `Downloading from ${text}`));
  const response = await download(host, text, job.signal);
  const size = sizeOf(response);
  return new ProgressReader(response.body, {
    size,
    output: job.stdout,
    formatter,
    // Where the length is known the end comes along with the last bytes, and 1.2.0 waits for one that comes alone.
    newLine: size < 0,
    id: "",
    action: "Importing",
    now: () => host.clock.now(),
  });
}

function sizeOf({ headers }: HttpResponse): number {
  const length = headers.get("content-length") ?? "";
  return /^\d{1,15}$/.test(length) ? Number(length) : -1;
}
