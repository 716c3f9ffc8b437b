import { expect, test } from "vitest";
import { tlsText } from "../../../src/errdefs/tls-text.ts";

const openssl = (reason: string) =>
  `801C:error:0A00010B:SSL routines:ssl3_get_record:${reason}:../deps/openssl/x.c:350:\n`;

test.each([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "", "x509: certificate signed by unknown authority"],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", openssl("x"), "remote error: certificate required"],
  ["EPROTO", `write EPROTO ${openssl("wrong version number")}`, "server gave HTTP response to HTTPS client"],
  ["ERR_SSL_NO_SHARED_CIPHER", openssl("no shared cipher"), "tls: no shared cipher"],
  ["ECONNRESET", "read ECONNRESET", undefined],
])("tlsText() says in one line what %s means", (code, message, text) => {
  expect(tlsText(Object.assign(new Error(message), { code }))).toBe(text);
});

test("tlsText() has no words for what is no failure of TLS", () => {
  expect([tlsText(new Error("x")), tlsText("x")]).toEqual([undefined, undefined]);
});
