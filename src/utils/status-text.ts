/**
 * The names of HTTP statuses.
 *
 * @module
 */

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Request Entity Too Large",
  414: "Request URI Too Long",
  415: "Unsupported Media Type",
  416: "Requested Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a teapot",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** The name of an HTTP status, as Go's `http.StatusText`; empty when it has none. */
export function statusText(status: number): string {
  return STATUS_TEXTS[status] ?? "";
}
