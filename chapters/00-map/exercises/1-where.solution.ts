/** An answer to exercise 1. @module */

/** The same folder below `src/`, the same name; an underscore is a dash here. */
export function here(go: string): string {
  return `src/${go.replace(/\.go$/, ".ts").replaceAll("_", "-")}`;
}
