/**
 * Where this daemon differs from the records on purpose, or cannot be compared with them.
 *
 * `reason` tells the reader why; `symbol` is where the source says so too (`@deviation`).
 */

/** One difference. */
export interface Deviation {
  readonly reason: string;
  /** File and symbol whose `@deviation` explains it; absent when the host of the records is the reason. */
  readonly symbol?: string;
  /** Not sent at all: what it does here would change the records after it. */
  readonly skip?: boolean;
  /** Texts of the record, and what is there instead of them: everything else is compared as ever. */
  readonly instead?: Readonly<Record<string, string>>;
  /** JSON that is the answer instead, where 1.2.0 gives none. */
  readonly body?: readonly unknown[];
  /** Either may be there: what the record says, or `instead`. */
  readonly race?: boolean;
}

const newerVersions: Deviation = {
  reason: "1.2.0 refuses versions above 1.14; here 1.15 to 1.30 are served, and what is above gets another text",
  symbol: "src/api/server/version.ts",
};
const profiler: Deviation = { reason: "the profiler of Go's runtime", symbol: "src/api/server/routes.ts ROUTES" };
const noNetwork: Deviation = { reason: "the text comes from Go's resolver and HTTP client" };

const lastLine: Deviation = {
  reason: "a last line without an end is logged when the stream ends; 1.2.0 loses it",
  symbol: "src/pkg/broadcastwriter/broadcastwriter.ts",
};
const follow: Deviation = {
  reason: "following a container that does not run ends at once; 1.2.0 waits for its next run",
  symbol: "src/daemon/logs.ts containerLogs",
};

const heldPorts: Deviation = {
  reason: "an automatic port is one that nobody has: 1.2.0 gives 127.0.0.1:49153 away while 0.0.0.0:49153 is taken",
  symbol: "src/daemon/networkdriver/portmapper/mapper.ts PortMapper.map",
};
const invalidBinding: Deviation = {
  reason: "an address or a port that is none is named; 1.2.0 shows the last line of what iptables said",
  symbol: "src/daemon/networkdriver/bridge/allocations.ts Allocations.allocatePort",
};

const termOrKill: Deviation = {
  reason: "with t=0 TERM and KILL come together: the container's own handler may win",
  race: true,
};

const answersWithSizes: Deviation = {
  reason: "the size of a container is found without the lock that 1.2.0 waits for while it holds it, for ever",
  symbol: "src/daemon/list.ts containers",
};

/** What is shown of the network of a container that does not run. */
const NO_ADDRESS = {
  '"Bridge":"docker0"': '"Bridge":""',
  '"Gateway":"172.17.42.1"': '"Gateway":""',
  '"IPAddress":"172.17.0.3"': '"IPAddress":""',
  '"IPAddress":"172.17.0.4"': '"IPAddress":""',
  '"IPPrefixLen":16': '"IPPrefixLen":0',
  '"Ports":{}': '"Ports":null',
};
const stateIsWritten: Deviation = {
  reason: "a daemon writes how its containers ended; 1.2.0 is gone before, and the next one takes them for lost",
  symbol: "src/daemon/shutdown.ts shutdown",
};
const lostAddress: Deviation = {
  reason: "a container that was lost has no address; 1.2.0 shows that of its last run, which others may have now",
  symbol: "src/daemon/restore.ts removeLeftovers",
  instead: NO_ADDRESS,
};

/** Several records of one scenario. */
function steps(scenario: string, numbers: readonly number[], deviation: Deviation): Record<string, Deviation> {
  return Object.fromEntries(numbers.map((step) => [`${scenario}.${String(step).padStart(3, "0")}`, deviation]));
}

const wordsOfPs: Deviation = {
  reason: "the arguments of ps are words of their own",
  symbol: "src/daemon/top.ts containerTop",
};
const staysFrozen: Deviation = {
  reason: "a container that was frozen before a commit stays so",
  symbol: "src/daemon/commit.ts commit",
};

const saysWhy: Deviation = {
  reason: "a Dockerfile without steps is told so; 1.2.0 loses the text on its way, because of the line end it brings",
  symbol: "src/daemon/build/build-file.ts BuildFile.build",
};

/** By the id of the record. */
export const DEVIATIONS: Readonly<Record<string, Deviation>> = {
  "cors.006": newerVersions,
  "build.029": {
    reason: "an archive with names outside is refused; 1.2.0 writes there, and finds no Dockerfile",
    symbol: "src/daemon/build/context.ts openContext",
    instead: {
      "Can't build a directory with no Dockerfile":
        'archive/tar: invalid tar header (\\"../Dockerfile\\" lies outside the archive)',
    },
  },
  "build.031": {
    ...saysWhy,
    instead: {
      '"bodyType":"text","body":"':
        '"bodyType":"text","body":"No image was generated. This may be because the Dockerfile does not, like, do anything.',
    },
  },
  "build.040": {
    reason: "an address that is none is refused; 1.2.0 breaks the connection",
    symbol: "src/daemon/build/context.ts openContext",
  },
  "build.041": {
    ...saysWhy,
    instead: {
      '"errorDetail":{}':
        '"errorDetail":{"message":"No image was generated. This may be because the Dockerfile does not, like, do anything."},' +
        '"error":"No image was generated. This may be because the Dockerfile does not, like, do anything."',
    },
  },
  "images.015": {
    reason: "progress comes after other numbers of bytes: it depends on the pieces that the network gives",
  },
  "images.018": {
    reason: "an address without a scheme may have a port",
    symbol: "src/graph/import.ts cmdImport",
    skip: true,
  },
  "lifecycle.026": wordsOfPs,
  "lifecycle.027": wordsOfPs,
  "files.046": staysFrozen,
  "files.047": staysFrozen,
  "images_ids.052": {
    reason: "an image without an id is refused before anything is removed; 1.2.0 has removed all layers by then",
    symbol: "src/graph/graph.ts Graph.prepare",
    instead: {
      "Error getting container <id4> from driver vfs: stat <root>/vfs/dir/<id4>: no such file or directory":
        'exec: \\"x\\": executable file not found in $PATH',
    },
  },
  "system.021": { reason: "clients of today begin with HEAD /_ping", symbol: "src/api/server/routes.ts ROUTES" },
  ...steps("system", [69, 70, 71, 72, 73, 83, 85, 87], newerVersions),
  "system.088": noNetwork,
  "system.097": profiler,
  "missing.062": noNetwork,
  ...steps(
    "logs_attach",
    [7, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 34, 38, 40, 41, 42],
    lastLine,
  ),
  ...steps("logs_attach", [22, 23], follow),
  ...steps("logs_attach", [77], lastLine),
  ...steps("logs_attach", [78], {
    reason: "a client that names no origin is no browser, and gets its WebSocket; 1.2.0 refuses it",
    symbol: "src/api/server/websocket/handshake.ts readHandshake",
  }),
  "network.015": { ...heldPorts, instead: { '"49153"': '"49155"', '"49155"': '"49156"' } },
  "network.023": { ...heldPorts, instead: { '"49156"': '"49157"' } },
  ...steps("network", [39, 84], { ...heldPorts, instead: { "49156": "49157" } }),
  "network.025": { ...invalidBinding, instead: { " (exit status 2)": "Invalid HostPort: 99999" } },
  "network.037": { ...invalidBinding, instead: { " (exit status 2)": "Invalid HostIP: nonsense" } },
  "lifecycle.076": { ...termOrKill, instead: { "-1": "7" } },
  "lifecycle.085": { ...termOrKill, instead: { "(-1)": "(7)" } },
  "lifecycle.115": {
    instead: { "/dev/console": "/dev/pts/0" },
    reason: "runc makes the terminal inside the container: its name there is /dev/pts/0",
    symbol: "src/daemon/execdriver/native/driver.ts NativeDriver.run",
  },
  "listing_size.006": {
    ...answersWithSizes,
    body: [
      {
        Command: "sh -c 'echo 12345 > /f'",
        Created: "<time>",
        Id: "<id2>",
        Image: "busybox:latest",
        Names: ["/one"],
        Ports: [],
        SizeRootFs: 0,
        SizeRw: 6,
        Status: "Exited (0) <dur> ago",
      },
    ],
  },
  ...steps("listing_size", [7, 8, 9], answersWithSizes),
  "daemon_restart.012": { ...stateIsWritten, instead: { "(-127)": "(9)" } },
  "daemon_restart.013": { ...stateIsWritten, instead: { ...NO_ADDRESS, '"ExitCode":-127': '"ExitCode":9' } },
  "daemon_restart.023": lostAddress,
  "network.098": {
    reason: "1.2.0 crashes on a device that is a file; here it is an error",
    symbol: "src/daemon/execdriver/native/devices.ts namedDevices",
  },
  "lifecycle.051": {
    reason: "a paused container is killed and removed when that is forced; 1.2.0 refuses",
    symbol: "src/daemon/delete.ts",
    skip: true,
  },
};
