/**
 * An image from an archive of files.
 *
 * @origin graph/import.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { BadRequestError, SystemError } from "../errdefs/errdefs.ts";
import { type ClientHost, HttpClient, type HttpResponse } from "../registry/client.ts";
import type { Reader } from "../sync/io.ts";
import { ProgressReader } from "../utils/progress-reader.ts";
import { statusText } from "../utils/status-text.ts";
import { StreamFormatter } from "../utils/stream-formatter.ts";
import type { TagStore } from "./tags.ts";

/** Where certificates for servers are, as for registries. */
const CERTS_DIR = "/etc/docker/certs.d";

/**
 * Job `import SRC REPO [TAG]`: makes an image without parent from a tar, which may be compressed. `-` reads standard input,
 * everything else is an address; without a scheme, http.
 *
 * @origin graph/import.go (*TagStore).CmdImport
 * @deviation `host:port/path` without a scheme is http, too; 1.2.0 cannot read it.
 */
export async function cmdImport(store: TagStore, job: Job): Promise<void> {
  const [source, repository, tag = ""] = job.args;
  if (source === undefined || repository === undefined || job.args.length > 3) {
    throw new BadRequestError(`Usage: ${job.name} SRC REPO [TAG]`);
  }
  if ((job.getenvList("changes") ?? []).length > 0) {
    throw new BadRequestError("Bad parameter: changes need the builder, which is not there yet: build FROM the image");
  }
  const { clock } = store.host;
  const formatter = new StreamFormatter(job.getenvBool("json"), () => clock.now());
  const layer = source === "-" ? job.stdin : await download(store.host, job, formatter, source);
  const comment = job.getenv("message") || `Imported from ${source}`;
  const { id } = await store.graph.create({ layer, comment, author: "" });
  if (repository !== "") await store.set(repository, tag, id);
  await job.stdout.write(formatter.formatStatus("", id));
}

/** The body behind an address, with messages about how far it has come. */
async function download(host: ClientHost, job: Job, formatter: StreamFormatter, source: string): Promise<Reader> {
  const text = source === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source || "http:" : `http://${source}`;
  await job.stdout.write(formatter.formatStatus("", `Downloading from ${text}`));
  const url = checked(text);
  const client = new HttpClient(host, { insecure: () => false, certsDir: CERTS_DIR });
  const response = await client.send({ url, signal: job.signal });
  if (response.status >= 400) {
    await response.discard();
    const { status } = response;
    throw new SystemError(`Got HTTP status code >= 400: ${status} ${statusText(status)}`.trimEnd());
  }
  return new ProgressReader(response.body, {
    size: sizeOf(response),
    output: job.stdout,
    formatter,
    newLine: true,
    id: "",
    action: "Importing",
    now: () => host.clock.now(),
  });
}

/** @throws {BadRequestError} when it is no address, or of another scheme than http and https */
function checked(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new BadRequestError(`Get ${text}: http: no Host in request URL`, { cause });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new BadRequestError(`Get ${text}: unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  }
  return text;
}

function sizeOf({ headers }: HttpResponse): number {
  const length = headers.get("content-length") ?? "";
  return /^\d{1,15}$/.test(length) ? Number(length) : -1;
}
