/**
 * Logging in at a registry of version 2: one request with the password, or with a token that was had for it.
 *
 * @since Docker 1.6
 * @module
 */

import { SystemError, UnauthorizedError } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import type { AuthConfig } from "../auth.ts";
import type { HttpClient } from "../client.ts";
import { Authorizer } from "./authorizer.ts";
import type { V2Endpoint } from "./endpoint.ts";

/** With what, and where. */
export interface LoginV2Terms {
  readonly client: HttpClient;
  readonly clock: Pick<Host["clock"], "now" | "sleep">;
  readonly auth: AuthConfig;
  readonly endpoint: V2Endpoint;
  /** Ask for a token to be kept in the place of the password. */
  readonly refresh?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What came of it. */
export interface LoginV2Result {
  /** What the user reads. */
  readonly status: string;
  /** To be kept in the place of the password; `""`: there is none. */
  readonly identityToken: string;
}

/**
 * Asks whether the password is right. A registry that asks for none takes any.
 *
 * @throws {UnauthorizedError} in the words of version 1
 */
export async function loginV2(terms: LoginV2Terms): Promise<LoginV2Result> {
  const { client, clock, auth, endpoint, signal, refresh = false } = terms;
  const authorizer = new Authorizer(client, clock, auth, [], { refresh });
  authorizer.challenged(endpoint.headers);
  try {
    const header = await authorizer.header(signal);
    const headers: Record<string, string> = header === undefined ? {} : { Authorization: header };
    const response = await client.send({ url: endpoint.base, headers, signal });
    await response.discard();
    if (response.status === 200) {
      return { status: "Login Succeeded", identityToken: authorizer.refreshToken ?? "" };
    }
    if (response.status === 401) throw new UnauthorizedError("");
    throw new SystemError(`Unexpected status code [${response.status}] : ${endpoint.base}`);
  } catch (cause) {
    if (!(cause instanceof UnauthorizedError)) throw cause;
    throw new UnauthorizedError("Wrong login/password, please try again", { cause });
  }
}
