/**
 * Everything a user of flags imports.
 *
 * @origin pkg/mflag/flag.go
 * @module
 */

export { FlagError, FlagPanic, HelpRequested } from "./errors.ts";
export type { Flag } from "./flag.ts";
export { type ErrorHandling, type FlagHandle, FlagSet, type FlagSetHost } from "./flag-set.ts";
export type { Value } from "./values.ts";
