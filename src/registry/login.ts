/**
 * Logging in: whether a registry knows this name and this password.
 *
 * There is no session to be had. The account is offered for creation; that it exists already, or that creating accounts is
 * not allowed, leads to the question proper, a request with the password.
 *
 * ```text
 * POST <server>users/  201                        the account is new
 *                      400 "… already exists"  ─┐
 *                      401                     ─┴─ GET <server>users/  200 right, 401 wrong
 * ```
 *
 * @origin registry/auth.go
 * @article 001/5.4.5
 * @module
 */

import { messageOf, SystemError } from "../errdefs/errdefs.ts";
import type { Host } from "../host/host.ts";
import { goJson } from "../utils/go-json.ts";
import { type AuthConfig, basicAuthorization } from "./auth.ts";
import type { HttpClient, HttpResponse } from "./client.ts";
import { userAgent } from "./http-factory.ts";
import { readDocument } from "./json.ts";
import { indexServerAddress } from "./names.ts";

/** Longest answer that is read. */
const MAX_ANSWER_BYTES = 64 << 10;
/** What an error shows of it. */
const MAX_SHOWN = 1_000;
const EXISTS = '"Username or email already exists"';
/** Headers that an error names: what they hold is not secret. */
const SHOWN_HEADERS = ["Content-Length", "Content-Type", "Date", "Server", "Www-Authenticate"];

/** With what, and where. */
export interface LoginTerms {
  readonly client: HttpClient;
  readonly machine: Host["machine"];
  readonly auth: AuthConfig;
  /** Ends with a slash: `https://index.docker.io/v1/`. */
  readonly server: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a server answered. */
interface Answer {
  readonly status: number;
  readonly headers: HttpResponse["headers"];
  readonly text: string;
}

/**
 * Makes the account, or asks whether its password is right.
 *
 * @returns what the user reads: `Login Succeeded`
 * @throws {SystemError} with 1.2.0's text
 * @origin registry/auth.go Login
 * @deviation A redirect does not carry the password to another place: the offer is not sent again, the question only
 *   within the same origin. Answers are bounded, and shown without control characters; of the headers an error names five,
 *   1.2.0 all, cookies too.
 */
export async function login(terms: LoginTerms): Promise<string> {
  const { server } = terms;
  const official = server === indexServerAddress();
  const { status, text } = await offer(terms);
  if (status === 201) {
    return official
      ? "Account created. Please use the confirmation link we sent to your e-mail to activate it."
      : `Account created. Please see the documentation of the registry ${server} for instructions how to activate it.`;
  }
  if (status === 401) return ask(terms);
  if (status !== 400) throw new SystemError(`Unexpected status code [${status}] : ${shown(text)}`);
  if (text !== EXISTS) throw new SystemError(`Registration: ${shown(text)}`);
  return ask(terms, official ? "Please check your e-mail for a confirmation link." : instructions(server));
}

function instructions(server: string): string {
  return `Please see the documentation of the registry ${server} for instructions how to activate it.`;
}

/** Offers the account. What the account is for is not told: the server knows who it is. */
async function offer({ client, auth, server, signal }: LoginTerms): Promise<Answer> {
  const { username, password, email } = auth;
  const body = goJson({
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    auth: auth.auth ?? "",
    email: email ?? "",
  });
  const headers = { "Content-Type": "application/json; charset=utf-8" };
  let response: HttpResponse;
  try {
    response = await client.send({ method: "POST", url: `${server}users/`, headers, body, signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new SystemError(`Server Error: ${messageOf(cause)}`, { cause });
  }
  try {
    return await read(response, server);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new SystemError(`Server Error: [${response.status}] ${messageOf(cause)}`, { cause });
  }
}

/** Asks with name and password. @param inactive - what to do about an account that waits, where 403 says so */
async function ask({ client, auth, machine, server, signal }: LoginTerms, inactive?: string): Promise<string> {
  const headers = {
    Authorization: basicAuthorization(auth.username ?? "", auth.password ?? ""),
    "User-Agent": userAgent(machine),
  };
  const answer = await read(await client.send({ url: `${server}users/`, headers, signal }), server);
  if (answer.status === 200) return "Login Succeeded";
  if (answer.status === 401) throw new SystemError("Wrong login/password, please try again");
  if (answer.status === 403 && inactive !== undefined)
    throw new SystemError(`Login: Account is not Active. ${inactive}`);
  throw new SystemError(
    `Login: ${shown(answer.text)} (Code: ${answer.status}; Headers: ${headersText(answer.headers)})`,
  );
}

async function read(response: HttpResponse, server: string): Promise<Answer> {
  const bytes = await readDocument(response.body, MAX_ANSWER_BYTES, `the answer of ${server}users/`);
  return { status: response.status, headers: response.headers, text: bytes.toString("utf8") };
}

/** A server's words in an error: no more than is read, and nothing that drives a terminal. */
function shown(text: string): string {
  const clean = text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (c) => JSON.stringify(c).slice(1, -1));
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean;
}

/** As Go shows a map of lists. */
function headersText(headers: HttpResponse["headers"]): string {
  const parts = SHOWN_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [`${name}:[${shown(value)}]`];
  });
  return `map[${parts.join(" ")}]`;
}
