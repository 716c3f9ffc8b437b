/**
 * The configuration document of an image: how it runs, and what its layers unpack to.
 *
 * @since Docker 1.10
 * @module
 */

import { BadRequestError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import { listOf, objectOf, parseJson } from "../json.ts";
import { parseDigest } from "./digest.ts";
import type { Platform } from "./manifest.ts";

/** A line of the image's history. */
export interface HistoryEntry {
  readonly created: string | undefined;
  readonly createdBy: string;
  readonly author: string;
  readonly comment: string;
  /** It changed the configuration only. */
  readonly emptyLayer: boolean;
}

/** What a pull needs to know of the document. */
export interface ImageConfig {
  /** The whole document. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Digests of the unpacked layers, lowest first. */
  readonly diffIds: readonly string[];
  readonly history: readonly HistoryEntry[];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Whether a machine runs programs of an architecture. */
function runs(architecture: string, machine: string): boolean {
  return architecture === machine || (ALSO[machine] ?? []).includes(architecture);
}

/** What else a processor runs. */
const ALSO: Readonly<Record<string, readonly string[]>> = { amd64: ["386"], arm64: ["arm"] };

/**
 * Reads the document.
 *
 * @param layers - how many the manifest has
 * @param verb - what cannot be done when it is refused
 * @throws {BadRequestError} when it does not fit the manifest or the machine
 */
export function parseConfig(
  bytes: Uint8Array,
  layers: number,
  wanted: Platform,
  what: string,
  verb: "pull" | "load" = "pull",
): ImageConfig {
  const document = objectOf(parseJson(bytes, `the configuration of ${what}`), `the configuration of ${what}`);
  const os = text(document["os"]) || wanted.os;
  if (os !== wanted.os)
    throw new BadRequestError(`Cannot ${verb} ${what}: image operating system "${os}" cannot be used on this platform`);
  const architecture = text(document["architecture"]) || wanted.architecture;
  // An archive may be on its way to another machine.
  if (verb === "pull" && !runs(architecture, wanted.architecture)) {
    const [there, here] = [`${os}/${architecture}`, `${wanted.os}/${wanted.architecture}`];
    throw new BadRequestError(`Cannot ${verb} ${what}: it is an image for ${there}, which cannot be used on ${here}`);
  }
  const rootfs = objectOf(document["rootfs"], `the root file system of ${what}`);
  if (rootfs["type"] !== "layers") throw new BadRequestError(`Cannot ${verb} ${what}: unknown root file system type`);
  const diffIds = listOf(rootfs["diff_ids"] ?? [], `the layers of ${what}`).map((id) =>
    parseDigest(id, `a layer of ${what}`),
  );
  if (diffIds.length !== layers) {
    throw new BadRequestError(
      `Cannot ${verb} ${what}: its manifest has ${layers} layers, its configuration ${diffIds.length}`,
    );
  }
  const history = listOf(document["history"] ?? [], `the history of ${what}`).map((value): HistoryEntry => {
    const entry = objectOf(value, `the history of ${what}`);
    return {
      created: text(entry["created"]) || undefined,
      createdBy: text(entry["created_by"]),
      author: text(entry["author"]),
      comment: text(entry["comment"]),
      emptyLayer: entry["empty_layer"] === true,
    };
  });
  return { document, diffIds, history };
}

/** The names of the stacks of layers: the lowest layer alone, the lowest two, … */
export function chainIds(diffIds: readonly string[], hash: Host["hash"]): string[] {
  const chains: string[] = [];
  for (const diffId of diffIds) {
    const below = chains.at(-1);
    chains.push(below === undefined ? diffId : `sha256:${hash("sha256").update(`${below} ${diffId}`).hex()}`);
  }
  return chains;
}
