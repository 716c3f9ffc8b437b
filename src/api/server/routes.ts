/**
 * The table of routes: 1.2.0's, in the order of its source, and then those that came later.
 *
 * @origin api/server/server.go createRouter
 * @module
 */

import { postBuild } from "./build.ts";
import {
  deleteContainers,
  getContainersByName,
  getContainersChanges,
  getContainersExport,
  getContainersTop,
  postContainersCopy,
  postContainersCreate,
  postContainersKill,
  postContainersPause,
  postContainersResize,
  postContainersRestart,
  postContainersStart,
  postContainersStop,
  postContainersUnpause,
} from "./containers.ts";
import { getContainersArchive, headContainersArchive, putContainersArchive } from "./containers-archive.ts";
import { getContainersJson } from "./containers-list.ts";
import {
  getContainersLogs,
  postContainersAttach,
  postContainersWait,
  wsContainersAttach,
} from "./containers-streams.ts";
import {
  deleteImages,
  getImagesByName,
  getImagesGet,
  getImagesHistory,
  getImagesSearch,
  getImagesViz,
  postCommit,
  postImagesCreate,
  postImagesLoad,
  postImagesPush,
  postImagesTag,
} from "./images.ts";
import { getImagesJson } from "./images-list.ts";
import type { ApiHandler, Route } from "./router.ts";
import { getEvents, getInfo, getVersion, options, ping, postAuth } from "./system.ts";

/** `GET /path` needs these jobs. */
function route(line: string, jobs: string, handle: ApiHandler, more: Pick<Route, "hijacks" | "since"> = {}): Route {
  const [method = "", path = ""] = line.split(" ");
  return { method, path, jobs: jobs.split(" ").filter(Boolean), handle, ...more };
}

/**
 * Every route and the jobs behind it.
 *
 * @deviation `HEAD /_ping` is new: clients of today ask it for the version; so is `GET /images/get` for several images in
 *   one archive. With `-D`, the profiler of Go's runtime is left out.
 */
export const ROUTES: readonly Route[] = [
  route("GET /_ping", "", ping),
  route("HEAD /_ping", "", ping),
  route("GET /events", "events", getEvents),
  route("GET /info", "info", getInfo),
  route("GET /version", "version", getVersion),
  route("GET /images/json", "images", getImagesJson),
  route("GET /images/viz", "viz", getImagesViz),
  route("GET /images/search", "search", getImagesSearch),
  route("GET /images/get", "image_export", getImagesGet),
  route("GET /images/{name:.*}/get", "image_export", getImagesGet),
  route("GET /images/{name:.*}/history", "history", getImagesHistory),
  route("GET /images/{name:.*}/json", "image_inspect", getImagesByName),
  route("GET /containers/ps", "containers", getContainersJson),
  route("GET /containers/json", "containers", getContainersJson),
  route("GET /containers/{name:.*}/export", "export", getContainersExport),
  route("GET /containers/{name:.*}/changes", "container_changes", getContainersChanges),
  route("GET /containers/{name:.*}/json", "container_inspect", getContainersByName),
  route("GET /containers/{name:.*}/top", "top", getContainersTop),
  route("GET /containers/{name:.*}/logs", "container_inspect logs", getContainersLogs),
  route("GET /containers/{name:.*}/attach/ws", "container_inspect attach", wsContainersAttach, { hijacks: true }),
  route("POST /auth", "auth", postAuth),
  route("POST /commit", "commit", postCommit),
  route("POST /build", "build", postBuild),
  route("POST /images/create", "pull", postImagesCreate),
  route("POST /images/load", "load", postImagesLoad),
  route("POST /images/{name:.*}/push", "push", postImagesPush),
  route("POST /images/{name:.*}/tag", "tag", postImagesTag),
  route("POST /containers/create", "create", postContainersCreate),
  route("POST /containers/{name:.*}/kill", "kill", postContainersKill),
  route("POST /containers/{name:.*}/pause", "pause", postContainersPause),
  route("POST /containers/{name:.*}/unpause", "unpause", postContainersUnpause),
  route("POST /containers/{name:.*}/restart", "restart", postContainersRestart),
  route("POST /containers/{name:.*}/start", "start", postContainersStart),
  route("POST /containers/{name:.*}/stop", "stop", postContainersStop),
  route("POST /containers/{name:.*}/wait", "wait", postContainersWait),
  route("POST /containers/{name:.*}/resize", "resize", postContainersResize),
  route("POST /containers/{name:.*}/attach", "container_inspect attach", postContainersAttach, { hijacks: true }),
  route("POST /containers/{name:.*}/copy", "container_copy", postContainersCopy),
  route("DELETE /containers/{name:.*}", "delete", deleteContainers),
  route("DELETE /images/{name:.*}", "image_delete", deleteImages),
  route("OPTIONS ", "", options),
  route("HEAD /containers/{name:.*}/archive", "container_copy", headContainersArchive, { since: "1.20" }),
  route("GET /containers/{name:.*}/archive", "container_copy", getContainersArchive, { since: "1.20" }),
  route("PUT /containers/{name:.*}/archive", "container_copy", putContainersArchive, { since: "1.20" }),
];
