/**
 * What went wrong in TLS, in the words of Go: people search for them, and OpenSSL's own are for those who debug OpenSSL.
 *
 * @module
 */

/** By Node's code: a certificate that we refuse, or the alert by which the other side refuses ours. */
const TEXTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "x509: certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "x509: certificate has expired or is not yet valid",
  DEPTH_ZERO_SELF_SIGNED_CERT: "x509: certificate signed by unknown authority",
  SELF_SIGNED_CERT_IN_CHAIN: "x509: certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "x509: certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "x509: certificate signed by unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "x509: certificate signed by unknown authority",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "remote error: bad certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "remote error: expired certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "remote error: unknown certificate",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "remote error: handshake failure",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "remote error: unknown certificate authority",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "remote error: certificate required",
};

/** One line about a failure of TLS; `undefined` when the failure is none. */
export function tlsText(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  const code = String(cause.code);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return otherName(cause);
  const known = TEXTS[code];
  if (known !== undefined) return known;
  if (code !== "EPROTO" && !code.startsWith("ERR_SSL_")) return undefined;
  const reason = /SSL routines:[^:]*:([^:]+)/.exec(cause.message)?.[1]?.trim() ?? code;
  return reason === "wrong version number" ? "server gave HTTP response to HTTPS client" : `tls: ${reason}`;
}

/** A certificate that is for somebody else. */
function otherName(cause: Error): string {
  const { host = "", cert } = cause as { host?: string; cert?: { subjectaltname?: string } };
  const names = (cert?.subjectaltname ?? "").split(", ");
  const named = (kind: string) => names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
  const isAddress = host.includes(":") || /^[\d.]+$/.test(host);
  const valid = named(isAddress ? "IP Address:" : "DNS:");
  if (valid.length > 0) return `x509: certificate is valid for ${valid.join(", ")}, not ${host}`;
  return isAddress
    ? `x509: cannot validate certificate for ${host} because it doesn't contain any IP SANs`
    : `x509: certificate is not valid for any names, but wanted to match ${host}`;
}
