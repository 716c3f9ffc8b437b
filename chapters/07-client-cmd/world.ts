/**
 * The machine of the demonstration: a daemon with three addresses, users with and without credentials, and a registry.
 *
 * ```text
 * unix:///var/run/docker.sock   root, and the group docker
 * tcp://127.0.0.1:2375          plain
 * tcp://127.0.0.1:2376          TLS; wants a client certificate of its own authority (--tlsverify on the daemon's side)
 * tcp://127.0.0.1:2377          TLS, with a certificate that anybody could have made: somebody in the middle
 * ```
 *
 * The daemon is the whole daemon, on the network in memory. TLS is played: a certificate is a name, and a wrong one
 * leads to what the real handshake leads to. The tests of this chapter on a real machine shake hands in earnest.
 *
 * @module
 */

import { PassThrough } from "node:stream";
import { roundTrip } from "../../src/api/client/http.ts";
import type { Host } from "../../src/host/host.ts";
import { type MemoryHost, memoryHost } from "../../src/host/memory/memory.ts";
import { CapturedStream, memoryInput } from "../../src/host/memory/process.ts";
import { systemError } from "../../src/host/memory/socket.ts";
import type { Net } from "../../src/host/net.ts";
import { readAll } from "../../src/sync/io.ts";
import { boot, parts } from "../05-main-daemon/main.ts";
import { memoryNames } from "../lib/memory-names.ts";
import { fetchImages } from "./index-v1.ts";

/** Where the daemon listens. */
export const addresses = {
  socket: "unix:///var/run/docker.sock",
  plain: "tcp://127.0.0.1:2375",
  secure: "tcp://127.0.0.1:2376",
  middle: "tcp://127.0.0.1:2377",
};

const pem = (what: string, name: string) => `-----BEGIN ${what}-----\n${btoa(name)}\n-----END ${what}-----\n`;

/** The authority whose certificates the daemon believes, and has. */
const authority = pem("CERTIFICATE", "the authority of the office");

const files: Record<string, string | null> = {
  "/etc/group": "root:x:0:\ndocker:x:106:\n",
  "/etc/resolv.conf": "nameserver 192.0.2.1\n",
  "/proc/self/mountinfo": "",
  "/var/run": null,
  "/var/lib": null,
  "/root": null,
  // Has logged in, and has certificates.
  "/home/me/.dockercfg": JSON.stringify({
    "https://index.docker.io/v1/": { auth: btoa("me:s3cret"), email: "me@example.com" },
    "registry.example.com:5000": { auth: btoa("work:pa55"), email: "" },
  }),
  "/home/me/.docker/ca.pem": authority,
  "/home/me/.docker/cert.pem": pem("CERTIFICATE", "me"),
  "/home/me/.docker/key.pem": pem("EC PRIVATE KEY", "mine"),
  // Somebody's first attempt.
  "/home/bad/.dockercfg": '{"https://index.docker.io/v1/": {"auth": "me:s3cret"}}',
  "/home/bad/.docker/ca.pem": pem("CERTIFICATE", "some other authority"),
  "/home/bad/.docker/cert.pem": "not a certificate\n",
  "/home/bad/.docker/key.pem": "not a key\n",
};

/** What the reader can say about whom the client belongs to; everything else is an unknown variable. */
export const variables = ["DOCKER_HOST", "DOCKER_CERT_PATH", "HOME", "USER", "DEBUG", "NORAW", "TTY"];

/** A machine with a running daemon, and a shell in front of it. */
export interface World {
  readonly machine: MemoryHost;
  /** The host of a program started in that shell, with its own streams. */
  readonly shell: Host & { readonly stdout: CapturedStream; readonly stderr: CapturedStream };
}

/** Boots the machine. @param env - what the shell exports */
export async function makeWorld(env: Readonly<Record<string, string>>): Promise<World> {
  const machine = memoryHost({ files, env: { HOME: "/root" }, fetch: fetchImages });
  const where = Object.values(addresses).flatMap((address) => ["-H", address]);
  const overrides = { openGraph: async () => memoryNames() };
  const ended = boot(["-d", ...where, "-s", "vfs", "-e", "dry", "-b", "none"], machine, parts(overrides));
  const terminal = env["TTY"] === "1";
  const { TTY: _, ...exported } = env;
  const shell = {
    ...machine,
    env: { HOME: "/root", USER: "root", ...exported },
    net: { ...machine.net, dial: dialFrom(machine, exported["USER"] ?? "root") },
    stdin: memoryInput("", terminal),
    stdout: new CapturedStream(terminal),
    stderr: new CapturedStream(terminal),
  };
  await Promise.race([served(machine), ended.then(() => Promise.reject(new Error(machine.stderr.text)))]);
  await ask(machine, "POST", "/images/create?fromImage=busybox:latest");
  machine.stdout.clear();
  machine.stderr.clear();
  return { machine, shell };
}

/** Waits until the socket is there, and then for an answer, which comes when the daemon is complete. */
async function served(machine: MemoryHost): Promise<void> {
  const path = addresses.socket.slice("unix://".length);
  while (
    !(await machine.fs.stat(path).then(
      () => true,
      () => false,
    ))
  )
    await machine.clock.advance(0);
  await ask(machine, "GET", "/_ping");
}

/** One request of the machine's own. */
async function ask({ net }: MemoryHost, method: string, target: string): Promise<void> {
  const socket = await net.dial("unix", addresses.socket.slice("unix://".length));
  await readAll((await roundTrip(socket, { method, target, hostHeader: "", headers: [] })).body);
}

const tlsError = (code: string, reason: string) =>
  Object.assign(new Error(`error:SSL routines:tls:${reason}:`), { code });

/** Opens connections as this user may, and plays TLS. */
function dialFrom({ net, fs }: MemoryHost, user: string): Net["dial"] {
  return async (proto, addr, tls) => {
    const address = `${proto}://${addr}`;
    if (proto === "unix" && user !== "root" && user !== "docker") {
      const stat = await fs.stat(addr).catch(() => undefined);
      if (stat !== undefined && (stat.mode & 0o002) === 0) throw systemError("EACCES", 13, "connect", addr);
    }
    const [secure, middle] = [address === addresses.secure, address === addresses.middle];
    if (!secure && !middle) {
      const socket = await net.dial(proto, addr);
      if (tls === undefined) return socket;
      socket.destroy();
      throw tlsError("EPROTO", "wrong version number");
    }
    if (tls === undefined) return alertOnly();
    if (tls.verify && (middle || tls.ca !== authority)) throw tlsError("UNABLE_TO_VERIFY_LEAF_SIGNATURE", "");
    if (secure && tls.cert === undefined) throw tlsError("ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "");
    return net.dial(proto, addr);
  };
}

/** Longest record of TLS: 16 KiB and what encryption may add. */
const LONGEST_RECORD = (16 << 10) + 2048;

/**
 * The daemon of 2014, which expected TLS and got a request line: an alert, and the end.
 *
 * It reads the first five bytes as the head of a record: type, version, length. `POST ` makes a record that is too
 * long, `GET /` one of an unknown type.
 */
function alertOnly(): PassThrough {
  const socket = new PassThrough({ allowHalfOpen: true });
  socket._write = (chunk: Buffer, _encoding, done) => {
    const code = chunk.readUInt16BE(3) > LONGEST_RECORD ? 22 : 10;
    socket.push(Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, code]));
    socket.push(null);
    done();
  };
  return socket;
}
