/**
 * An event, in the two forms clients know.
 *
 * ```text
 * 1.2.0   {"status":"start","id":"…","from":"busybox:latest","time":1408565614}
 * today   the same with Type, Action, Actor, scope and timeNano
 * ```
 *
 * @module
 */

import { goJson } from "../utils/go-json.ts";

/** Something that happened to a container or an image. */
export interface Event {
  readonly status: string;
  readonly id: string;
  /** The image's name; empty for images. */
  readonly from: string;
  /** `container`, `image`, `network`, `volume`. */
  readonly type: string;
  /** Unix time, seconds. */
  readonly time: number;
  /** Unix time, nanoseconds. */
  readonly timeNano: bigint;
  /** For clients of today: `name`, `image`, `exitCode`, labels. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** Actions that happen to images; `delete` is an image's, a container is destroyed. */
const IMAGE_ACTIONS: ReadonlySet<string> = new Set([
  "delete",
  "import",
  "load",
  "pull",
  "push",
  "save",
  "tag",
  "untag",
]);

/** What an action happens to, when it is not said. */
export function typeOf(action: string): string {
  return IMAGE_ACTIONS.has(action) ? "image" : "container";
}

/** The event as 1.2.0 prints it; no newline follows. @origin utils/jsonmessage.go JSONMessage */
export function eventJson(event: Event): string {
  return goJson({
    status: event.status || undefined,
    id: event.id || undefined,
    from: event.from || undefined,
    time: event.time || undefined,
  });
}

/** The event as clients since API 1.22 want it. @since Docker 1.10 */
export function actorJson(event: Event): string {
  return goJson({
    status: event.status || undefined,
    id: event.id || undefined,
    from: event.from || undefined,
    Type: event.type,
    Action: event.status,
    Actor: { ID: event.id, Attributes: event.attributes },
    scope: "local",
    time: event.time,
    timeNano: event.timeNano,
  });
}
