/**
 * From a failure to an answer.
 *
 * @origin api/server/server.go httpError
 * @module
 */

import { EngineError, ForbiddenError, messageOf } from "../../errdefs/errdefs.ts";
import { goJson } from "../../utils/go-json.ts";
import type { ResponseWriter } from "./response.ts";
import type { ApiVersion } from "./version.ts";

/** What a text says about the status; the first that fits counts. */
const BY_TEXT: readonly (readonly [string, number])[] = [
  ["No such", 404],
  ["Bad parameter", 400],
  ["Conflict", 409],
  ["Impossible", 406],
  ["Wrong login/password", 401],
  ["hasn't been activated", 403],
];

/**
 * The status of a failure: by its text, as 1.2.0 has it; where the text says nothing and the client is newer, by the
 * class of the error.
 */
export function statusOf(cause: unknown, version: ApiVersion): number {
  const text = messageOf(cause);
  const byText = BY_TEXT.find(([part]) => text.includes(part))?.[1];
  if (byText !== undefined) return byText;
  // The server's own refusal, which 1.2.0 does not have: no job throws it here, they throw a JobError.
  if (cause instanceof ForbiddenError) return cause.statusCode;
  return version.modern && cause instanceof EngineError ? cause.statusCode : 500;
}

/** Puts the failure into the answer: a status while there is still time, else only its text. */
export async function writeError(
  response: ResponseWriter,
  version: ApiVersion,
  status: number,
  text: string,
): Promise<void> {
  const started = response.started;
  response.reset();
  response.status(status);
  if (started || version.before("1.24")) {
    response.set("Content-Type", "text/plain; charset=utf-8");
    await response.write(`${text}\n`);
  } else {
    await response.json(status, `${goJson({ message: text })}\n`);
  }
}
