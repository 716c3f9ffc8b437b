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
}

const newerVersions: Deviation = {
  reason: "1.2.0 refuses versions above 1.14; here 1.15 to 1.30 are served, and what is above gets another text",
  symbol: "src/api/server/version.ts",
};
const profiler: Deviation = { reason: "the profiler of Go's runtime", symbol: "src/api/server/routes.ts ROUTES" };
const noNetwork: Deviation = { reason: "the text comes from Go's resolver and HTTP client" };

/** By the id of the record. */
export const DEVIATIONS: Readonly<Record<string, Deviation>> = {
  "cors.006": newerVersions,
  "system.021": { reason: "clients of today begin with HEAD /_ping", symbol: "src/api/server/routes.ts ROUTES" },
  ...Object.fromEntries(
    [69, 70, 71, 72, 73, 83, 85, 87].map((step) => [`system.${String(step).padStart(3, "0")}`, newerVersions]),
  ),
  "system.088": noNetwork,
  "system.097": profiler,
  "missing.062": noNetwork,
  "lifecycle.051": {
    reason: "a paused container is killed and removed when that is forced; 1.2.0 refuses",
    symbol: "src/daemon/delete.ts",
    skip: true,
  },
};
