/**
 * The registry client.
 *
 * @origin registry/registry.go
 * @module
 */

export { expandAndVerifyRegistryUrl, pingRegistryEndpoint, type RegistryInfo } from "./endpoint.ts";
export { indexServerAddress, resolveRepositoryName, validateRepositoryName } from "./names.ts";
