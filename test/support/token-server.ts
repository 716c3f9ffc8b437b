/**
 * A token service as the registry's specification has it: who may do what is in the token, which a real registry checks.
 */

import { createPrivateKey, sign as signBytes, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Pair } from "./certificates.ts";

/** One that runs. */
export interface TokenServer {
  /** `http://127.0.0.1:5001/token` */
  readonly realm: string;
  /** The scopes of each token that was given. */
  readonly given: string[][];
  /** How long tokens are good for, in seconds. */
  life: number;
  stop(): Promise<void>;
}

const part = (value: object | Buffer) =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString("base64url");

/**
 * Starts one.
 *
 * @param pair - what tokens are signed with; the registry trusts the certificate
 * @param users - passwords by name; who gives none may pull
 */
export async function startTokenServer(
  pair: Pair,
  service: string,
  users: Readonly<Record<string, string>>,
): Promise<TokenServer> {
  const given: string[][] = [];
  const header = { typ: "JWT", alg: "ES256", x5c: [new X509Certificate(pair.cert).raw.toString("base64")] };
  const key = createPrivateKey(pair.key);
  const tokenFor = (user: string, scopes: readonly string[], life: number): string => {
    const access = scopes.map((scope) => {
      const [type = "", name = "", actions = ""] = scope.split(":");
      return { type, name, actions: actions.split(",").filter((action) => user !== "" || action === "pull") };
    });
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, nbf: now - 5, exp: now + life };
    const claims = { iss: "test", sub: user, aud: service, jti: String(given.length), access, ...times };
    const text = `${part(header)}.${part(claims)}`;
    return `${text}.${part(signBytes("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }))}`;
  };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? "")?.[1];
    const [user = "", password = ""] = basic === undefined ? [] : Buffer.from(basic, "base64").toString().split(":");
    if (searchParams.get("service") !== service || (user !== "" && users[user] !== password)) {
      response.writeHead(401).end();
      return;
    }
    const scopes = searchParams.getAll("scope");
    given.push(scopes);
    // A registry allows a minute on top of what is written in a token: what the client is told counts.
    response.end(JSON.stringify({ token: tokenFor(user, scopes, server.life), expires_in: server.life }));
  };
  const http = createServer(answer);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: TokenServer = {
    realm: `http://127.0.0.1:${(http.address() as AddressInfo).port}/token`,
    given,
    life: 300,
    stop: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}
