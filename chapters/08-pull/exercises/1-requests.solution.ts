/** An answer to exercise 1. @module */

/** Index and tags by name, everything else by id; only the tags need the namespace that nobody types. */
export function requests(repository: string, ancestry: readonly string[], here: ReadonlySet<string>): string[] {
  const whole = repository.includes("/") ? repository : `library/${repository}`;
  const missing = ancestry.filter((id) => !here.has(id)).reverse();
  return [
    `repositories/${repository}/images`,
    `repositories/${whole}/tags`,
    `images/${ancestry[0]}/ancestry`,
    ...missing.flatMap((id) => [`images/${id}/json`, `images/${id}/layer`]),
  ];
}
