/**
 * Who somebody is at a registry.
 *
 * @origin registry/auth.go
 * @module
 */

/** As the client sends it. @origin registry/auth.go AuthConfig */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly email?: string;
  readonly serveraddress?: string;
  /** A refresh token for the registry's token service. @since Docker 1.11 */
  readonly identitytoken?: string;
  /** A bearer token to be sent as it is. @since Docker 1.11 */
  readonly registrytoken?: string;
}

/** Takes what a client sent, of which nothing is certain. */
export function authConfigOf(value: unknown): AuthConfig {
  if (typeof value !== "object" || value === null) return {};
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return Object.fromEntries(texts);
}

/** The value of a Basic `Authorization` header. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}
