/**
 * Imports that Docker 1.2.0's own import graph does not have, each with its reason: what the architecture test allows
 * beyond `go-imports.json`.
 */
export const OURS: Record<string, { imports: string[]; why: string }> = {
  archive: {
    imports: ["pkg/symlink", "pkg/tarsum"],
    why: "copies are resolved where they are made, and contexts summed where they are unpacked",
  },
  builtins: { imports: ["pkg/log"], why: "1.2.0 used Go's own log here" },
  daemon: {
    imports: ["daemon/execdriver/native"],
    why: "today's copy looks the container's user up as a start does",
  },
  docker: {
    imports: ["pkg/log", "pkg/term"],
    why: "1.2.0 used Go's own log here; names are made harmless for a terminal",
  },
  "daemon/execdriver/dry": {
    imports: ["daemon/execdriver", "daemon/execdriver/native"],
    why: "writes the bundle that the native driver would run",
  },
  "daemon/execdriver/execdrivers": {
    imports: ["daemon/execdriver/dry", "pkg/log"],
    why: "one driver more to choose from",
  },
  "daemon/execdriver/native": {
    imports: ["pkg/log", "pkg/symlink"],
    why: "the user is looked up in the container's files from outside; in 1.2.0 libcontainer did it inside",
  },
  "daemon/graphdriver": {
    imports: [
      "daemon/graphdriver/aufs",
      "daemon/graphdriver/btrfs",
      "daemon/graphdriver/overlay",
      "daemon/graphdriver/vfs",
      "pkg/log",
    ],
    why: "drivers are named in one place; in 1.2.0 each registered itself when its package was loaded",
  },
  "daemon/graphdriver/btrfs": { imports: ["pkg/log"], why: "names the cure when the driver cannot work" },
  "daemon/graphdriver/overlay": {
    imports: ["archive", "daemon/graphdriver", "pkg/log", "utils"],
    why: "came with Docker 1.4; aufs of 1.2.0 imports the same",
  },
  "host/memory": { imports: ["archive"], why: "unpacks layers without a thread, with what the threads run" },
  "pkg/tarsum": { imports: ["archive"], why: "reads and writes tar; 1.2.0 carried Go's library for it" },
  "pkg/parsers/filters": { imports: ["utils"], why: "Go's JSON decoder, with its texts, is in utils here" },
};

/** What Go's standard library gave 1.2.0 and Node does not: below everything else, free for all. */
export const GO_STANDARD_LIBRARY: readonly string[] = [
  "pkg/filepath",
  "pkg/net",
  "pkg/strconv",
  "pkg/tabwriter",
  "pkg/template",
];
