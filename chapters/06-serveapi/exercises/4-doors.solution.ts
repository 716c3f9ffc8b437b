/** An answer to exercise 4. @module */

export { lines } from "./4-doors.ts";

/** What becomes of each daemon. */
export function predictions(): Record<"a" | "b" | "c" | "d" | "e" | "f" | "g", string> {
  return {
    a: "serves",
    // The first address listens already; the failure of one ends all.
    b: "listen tcp 127.0.0.1:2375: address already in use",
    // Neither init's sockets nor a socket file ever get TLS: nobody looks for the certificates.
    c: "serves",
    d: "serves",
    e: "Couldn't load X509 key pair (/root/.docker/cert.pem, /root/.docker/key.pem): open /root/.docker/cert.pem: no such file or directory. Key encrypted?",
    // Only the group docker may be missing: nobody asked for it by name.
    f: "Group wheel not found",
    // A number will do, if the group exists.
    g: "serves",
  };
}
