import { expect, test } from "vitest";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import { docker } from "../../../support/docker.ts";

/** Runs a command against a host whose TLS fails like this. */
async function against(code: string, reason: string, ...words: string[]) {
  const cause = Object.assign(new Error(`error:05800074:${reason}`), { code });
  const { net } = memoryHost();
  const { code: status, stderr } = await docker(["-H", "tcp://127.0.0.1:2376", "--tls", ...words], {
    host: { net: { ...net, dial: () => Promise.reject(cause) } },
  });
  return { status, stderr: stderr.slice("2014/08/20 20:20:14 ".length) };
}

test("a certificate and a key that are no pair are named as 1.2.0 does", async () => {
  const fault = ["ERR_OSSL_X509_KEY_VALUES_MISMATCH", "x509 certificate routines::key values mismatch"] as const;
  const text = "Couldn't load X509 key pair: crypto/tls: private key does not match public key. Key encrypted?\n";
  expect(await against(...fault, "ps")).toEqual({ status: 1, stderr: text });
  expect(await against(...fault, "pull", "busybox")).toEqual({ status: 1, stderr: text });
});

test("a certificate that cannot be read keeps the reason", async () => {
  expect(await against("ERR_OSSL_ASN1_WRONG_TAG", "asn1 encoding routines::wrong tag", "ps")).toEqual({
    status: 1,
    stderr: "Couldn't load X509 key pair: crypto/tls: wrong tag. Key encrypted?\n",
  });
});

test("a failure of the handshake is none of the key pair", async () => {
  const { stderr } = await against("ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "alert", "ps");
  expect(stderr).toBe("Get https://127.0.0.1:2376/v1.14/containers/json: remote error: bad certificate\n");
});
