/**
 * Imports that Docker 1.2.0's own import graph does not have, each with its reason: what the architecture test allows
 * beyond `go-imports.json`.
 */
export const OURS: Record<string, { imports: string[]; why: string }> = {};
