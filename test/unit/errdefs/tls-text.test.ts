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

test.each([
  ["a.example", "DNS:b.example, DNS:c.example", "x509: certificate is valid for b.example, c.example, not a.example"],
  ["a.example", "IP Address:10.0.0.1", "x509: certificate is not valid for any names, but wanted to match a.example"],
  ["10.0.0.2", "DNS:b.example, IP Address:10.0.0.1", "x509: certificate is valid for 10.0.0.1, not 10.0.0.2"],
  ["::1", "DNS:b", "x509: cannot validate certificate for ::1 because it doesn't contain any IP SANs"],
  ["10.0.0.2", undefined, "x509: cannot validate certificate for 10.0.0.2 because it doesn't contain any IP SANs"],
])("tlsText() says for whom a certificate is that is not for %s", (host, subjectaltname, text) => {
  const code = "ERR_TLS_CERT_ALTNAME_INVALID";
  expect(tlsText(Object.assign(new Error("x"), { code, host, cert: { subjectaltname } }))).toBe(text);
});
