/**
 * What the handlers work with.
 *
 * @module
 */

import type { Engine } from "../../engine/engine.ts";
import type { Job } from "../../engine/job.ts";
import { tail } from "../../engine/streams.ts";
import type { Host } from "../../host/host.ts";
import type { Logger } from "../../pkg/log/log.ts";
import { BufferWriter } from "../../sync/io.ts";
import { unmarshal } from "../../utils/go-json-decode.ts";
import type { ApiRequest } from "./request.ts";

/** The engine, the log, and what the answers say about the machine. */
export interface ApiServices {
  readonly engine: Engine;
  readonly log: Logger;
  readonly host: Pick<Host, "clock" | "machine" | "fs" | "hash">;
}

/** A JSON object of a job's answer. */
export type JsonObject = Record<string, unknown>;

/** Runs a job and gives what it wrote. */
export async function outputOf(request: Pick<ApiRequest, "run">, job: Job): Promise<string> {
  const out = new BufferWriter();
  job.stdout.add(out);
  await request.run(job);
  return out.toString();
}

/** Runs a job and gives the last line it wrote. */
export async function lastLineOf(request: Pick<ApiRequest, "run">, job: Job): Promise<string> {
  return tail(await outputOf(request, job), 1);
}

/** Runs a job whose answer is JSON. */
export async function jsonOf<T>(request: Pick<ApiRequest, "run">, job: Job): Promise<T> {
  return unmarshal(await outputOf(request, job)) as T;
}

/** The object under a key, or an empty one. */
export function objectAt(value: JsonObject | undefined, key: string): JsonObject {
  const found = value?.[key];
  return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as JsonObject) : {};
}

/** The list under a key, or an empty one. */
export function listAt<T = unknown>(value: JsonObject | undefined, key: string): T[] {
  const found = value?.[key];
  return Array.isArray(found) ? (found as T[]) : [];
}

/** The text under a key, or the empty one. */
export function textAt(value: JsonObject | undefined, key: string): string {
  const found = value?.[key];
  return typeof found === "string" ? found : "";
}

/** The number under a key, or 0. */
export function numberAt(value: JsonObject | undefined, key: string): number {
  const found = value?.[key];
  return typeof found === "number" ? found : 0;
}
