/**
 * The job `load`: images from an archive.
 *
 * What has a `manifest.json` is read by it, whatever else is there: archives of Docker since 1.10 and of skopeo, also
 * those whose layers lie in `blobs/sha256`. Without it, what has an `oci-layout` is a layout of the OCI. Everything else is
 * an archive of 1.2.0.
 *
 * All images of an archive become visible together, and get their names then.
 *
 * @origin graph/load.go
 * @module
 */

import type { Job } from "../engine/job.ts";
import { StreamFormatter } from "../utils/stream-formatter.ts";
import { Bundle } from "./bundle.ts";
import { planLayout } from "./load-layout.ts";
import { planLegacy } from "./load-legacy.ts";
import { planManifest } from "./load-manifest.ts";
import type { LoadedImage, LoadPlan } from "./load-plan.ts";
import { ProgressSink } from "./progress-sink.ts";
import { raceAbort } from "./shared-work.ts";
import { stackLayers } from "./stack.ts";
import type { TagStore } from "./tags.ts";

/**
 * Job `load`: reads an archive from standard input.
 *
 * Environment: `json` (says what it does; 1.2.0 is silent), `quiet` (says only what came of it).
 *
 * @origin graph/load.go (*TagStore).CmdLoad
 * @deviation When an image cannot be loaded none of the archive is; 1.2.0 keeps those before it. An image is what its
 *   directory is called; 1.2.0 believes its description. A line of more than a thousand images is refused.
 */
export async function cmdLoad(store: TagStore, job: Job): Promise<void> {
  const { clock } = store.host;
  const sink = job.getenvBool("json")
    ? new ProgressSink(job.stdout, new StreamFormatter(true, () => clock.now()), clock)
    : undefined;
  const bundle = await Bundle.receive(store.host, job.stdin, job.signal);
  try {
    const progress = job.getenvBool("quiet") ? undefined : sink;
    const plan = await planBundle(store, bundle, progress, job.signal);
    await stackLayers(store, plan.layers, job.signal);
    for (const image of plan.images) await nameImage(store, image, sink);
  } finally {
    await bundle.remove();
    if (sink !== undefined) await raceAbort(sink.drain(), job.signal).catch(() => undefined);
  }
}

function planBundle(
  store: TagStore,
  bundle: Bundle,
  progress: ProgressSink | undefined,
  signal: AbortSignal,
): Promise<LoadPlan> {
  if (bundle.has("manifest.json")) return planManifest(store, bundle, progress, signal);
  if (bundle.has("oci-layout")) return planLayout(store, bundle, progress, signal);
  return planLegacy(store, bundle, progress);
}

async function nameImage(store: TagStore, { id, names }: LoadedImage, sink: ProgressSink | undefined): Promise<void> {
  const say = (text: string) => sink?.write(sink.formatter.formatStream(`${text}\n`));
  for (const { repository, tag } of names) {
    const name = `${repository}:${tag}`;
    const old = store.get(repository)?.get(tag);
    if (old !== undefined && old !== id) {
      say(`The image ${name} already exists, renaming the old one with ID sha256:${old} to empty string`);
    }
    await store.set(repository, tag, id);
    say(`Loaded image: ${name}`);
  }
  if (names.length === 0) say(`Loaded image ID: sha256:${id}`);
}
