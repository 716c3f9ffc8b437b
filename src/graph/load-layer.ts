/**
 * A layer out of an archive of images.
 *
 * @module
 */

import { BadRequestError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import type { UnpackResult } from "../host/pool.ts";
import { truncateID } from "../utils/utils.ts";
import type { Bundle } from "./bundle.ts";
import type { ProgressSink } from "./progress-sink.ts";
import type { StagedImage } from "./staged.ts";

/** Where a layer lies, and what it has to be. */
export interface BundledLayer {
  readonly bundle: Bundle;
  /** Its file. */
  readonly name: string;
  /** How many lie below it. */
  readonly index: number;
  /** What it has to unpack to; `undefined`: nobody says. */
  readonly diffId: string | undefined;
  readonly progress: ProgressSink | undefined;
  readonly clock: Pick<Host["clock"], "now">;
}

/** Unpacks the layer. @throws {BadRequestError} when it is not what it has to be */
export async function fillFromBundle(
  { bundle, name, index, diffId, progress, clock }: BundledLayer,
  staged: StagedImage,
  signal: AbortSignal,
): Promise<UnpackResult> {
  const file = bundle.open(name);
  const shortId = truncateID(diffId?.slice("sha256:".length) ?? staged.image.id);
  const start = Math.floor(clock.now() / 1000);
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    let current = 0;
    for await (const chunk of file.read()) {
      current += chunk.length;
      progress?.update(shortId, "Loading layer", { current, total: file.size, start });
      yield chunk;
    }
  };
  const result = await staged.apply(counted(), signal);
  if (diffId === undefined || result.diffId === diffId) return result;
  throw new BadRequestError(`invalid diffID for layer ${index}: expected "${diffId}", got "${result.diffId}"`);
}
