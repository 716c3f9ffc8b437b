/**
 * The client on a real machine: real sockets, real certificates, and beside it the client of today.
 */

import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeAuthority, sign, writeCertificates } from "../../test/support/certificates.ts";
import { DRYDOCK, type Result, run, startDaemon, type TestDaemon, TODAY } from "../../test/support/daemon.ts";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("skipped: chapter 07 on the real kernel needs root (a daemon, network namespaces)");
const hasToday = existsSync(TODAY);
if (!hasToday) console.log("skipped: there is no docker of today to compare with");
const clients = hasToday ? [DRYDOCK, TODAY] : [DRYDOCK];

let dir: string;
/** Has certificates of our authority, and wants one from each client. */
let secure: TestDaemon;
/** Has a certificate of an authority that nobody knows. */
let stranger: TestDaemon;

const flags = (name: string) =>
  ["cacert=ca", "cert=cert", "key=key"].map((part) => `--tls${part.replace("=", `=${dir}/${name}/`)}.pem`);

/** A client in the network of a daemon. @param certificates - a directory below {@link dir} */
function client(binary: string, { netns }: TestDaemon, certificates: string, ...words: string[]): Promise<Result> {
  const env = { HOME: dir, DOCKER_CERT_PATH: join(dir, certificates) };
  return run([...netns.prefix, binary, "-H", "tcp://127.0.0.1:2376", ...words], { env });
}

beforeAll(async () => {
  if (!isRoot) return;
  dir = mkdtempSync(join(tmpdir(), "dd-07-"));
  const [ours, theirs] = await Promise.all([makeAuthority("our authority"), makeAuthority("another authority")]);
  const [server, other, me] = await Promise.all([sign(ours, "server"), sign(theirs, "server"), sign(ours, "me")]);
  writeCertificates(join(dir, "server"), ours, server);
  writeCertificates(join(dir, "stranger"), theirs, other);
  writeCertificates(join(dir, "me"), ours, me);
  writeCertificates(join(dir, "nobody"), ours);
  const common = { driver: "vfs" };
  const at = ["-b", "none", "-H", "tcp://127.0.0.1:2376"];
  secure = await startDaemon({ ...common, args: [...at, "--tlsverify", ...flags("server")] });
  stranger = await startDaemon({ ...common, args: [...at, "--tls", ...flags("stranger")] });
});

afterAll(async () => {
  if (!isRoot) return;
  await Promise.all([secure?.remove(), stranger?.remove()]);
  rmSync(dir, { recursive: true, force: true });
});

test.runIf(isRoot)("003/s4/1 003/s4/7 --tls talks to anybody who has a certificate, whoever made it", async () => {
  for (const binary of clients)
    expect(await client(binary, stranger, "me", "--tls", "ps", "-q")).toMatchObject({ code: 0 });
});

test.runIf(isRoot)("003/s4/2 --tlsverify refuses a daemon whose authority is not the given one", async () => {
  const { code, stderr } = await client(DRYDOCK, stranger, "me", "--tlsverify", "ps");
  expect(code).toBe(1);
  expect(stderr).toContain("x509: certificate signed by unknown authority");
  for (const binary of clients) {
    expect((await client(binary, stranger, "me", "--tlsverify", "ps")).code).toBe(1);
    expect(await client(binary, secure, "me", "--tlsverify", "ps", "-q")).toMatchObject({ code: 0 });
  }
});

test.runIf(isRoot)(
  "003/s4/2 an authority's file without a certificate is no mistake; it makes every daemon a stranger",
  async () => {
    writeFileSync(join(dir, "empty.pem"), "not a certificate\n");
    for (const daemon of [secure, stranger]) {
      const { code, stderr } = await client(DRYDOCK, daemon, "me", "--tlsverify", `--tlscacert=${dir}/empty.pem`, "ps");
      expect(code).toBe(1);
      expect(stderr).toContain("x509: certificate signed by unknown authority");
    }
  },
);

test.runIf(isRoot)("003/s4/6 without the files no certificate is sent, and only the daemon minds", async () => {
  expect(
    await client(DRYDOCK, stranger, "nobody", "--tlsverify", ...[`--tlscacert=${dir}/stranger/ca.pem`], "ps", "-q"),
  ).toMatchObject({
    code: 0,
  });
  const { code, stderr } = await client(DRYDOCK, secure, "nobody", "--tlsverify", "ps");
  expect(code).toBe(1);
  expect(stderr).toMatch(/remote error: (certificate required|bad certificate)/);
});

test.runIf(isRoot)(
  "003/s4/1 a client without TLS gets no answer from a daemon with it, and the other way round",
  async () => {
    const plain = await client(DRYDOCK, secure, "me", "ps");
    expect(plain.code).toBe(1);
    expect(plain.stderr).toMatch(/Get http:\/\/127\.0\.0\.1:2376\/v1\.14\/containers\/json: /);
    const file = await secure.docker("--tls", "ps");
    expect(file.code).toBe(1);
    expect(file.stderr).toContain("server gave HTTP response to HTTPS client");
  },
);

test.runIf(isRoot)(
  "003/s6/2 003/s6/3 003/s7/1 words, case and exit statuses are those of the memory's client",
  async () => {
    const said = async (...words: string[]) => {
      const { code, stdout } = await secure.docker(...words);
      return [code, stdout];
    };
    expect(await said("PS", "-q")).toEqual([0, ""]);
    expect(await said("nope")).toEqual([0, "Error: Command not found: nope\n"]);
    expect(await said("nope", "ps")).toEqual([2, "Error: Command not found: nope\n"]);
    expect(await said("ps", "--nope")).toEqual([2, ""]);
    expect(await said("rmi", "nope")).toEqual([1, ""]);
    expect(await said("inspect", "-f", "{{", "x")).toEqual([64, ""]);
  },
);

test.runIf(isRoot)("003/s3/1 two -H end with 1, and a socket one may not open is no missing daemon", async () => {
  const two = await secure.docker("-H", "tcp://127.0.0.1:2376", "ps");
  expect([two.code, two.stderr.slice(20)]).toEqual([1, "Please specify only one -H\n"]);
  chmodSync(secure.dir, 0o755);
  const command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", DRYDOCK];
  const { code, stderr } = await run([...command, "-H", `unix://${secure.socket}`, "ps"], { env: { HOME: "/" } });
  expect(code).toBe(1);
  expect(stderr).toContain(`dial unix ${secure.socket}: permission denied`);
});

test.runIf(isRoot)("003/s4/6 a certificate and a key that are no pair are fatal", async () => {
  const wrong = [`--tlscert=${dir}/me/cert.pem`, `--tlskey=${dir}/server/key.pem`];
  const { code, stderr } = await client(DRYDOCK, secure, "me", "--tlsverify", ...wrong, "ps");
  expect([code, stderr.slice(20)]).toEqual([
    1,
    "Couldn't load X509 key pair: crypto/tls: private key does not match public key. Key encrypted?\n",
  ]);
});

/** A socket that passes everything on to the daemon and keeps the request lines. */
async function recorder(path: string, to: string): Promise<{ server: Server; heads: string[] }> {
  const heads: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path: to, allowHalfOpen: true });
    near.on("data", (data) => {
      const head = /^([A-Z]+ \S+) HTTP\/1\.1\r\nHost: ?([^\r]*)/.exec(data.toString("latin1"));
      if (head) heads.push(`${head[1]} · ${head[2]}`);
    });
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { server, heads };
}

test.runIf(isRoot)("003/s8/3 what 1.2.0 forgot in stream(), the client of today has in every path", async () => {
  const path = join(dir, "between");
  const { server, heads } = await recorder(path, secure.socket);
  const between = (binary: string, ...words: string[]) =>
    run([binary, "-H", `unix://${path}`, ...words], { env: { HOME: dir } });
  try {
    await between(DRYDOCK, "ps");
    await between(DRYDOCK, "pull", "127.0.0.1:9/nope:t");
    expect(heads.splice(0)).toEqual([
      "GET /v1.14/containers/json · ",
      "POST /images/create?fromImage=127.0.0.1%3A9%2Fnope%3At&tag= · v1.14",
    ]);
    if (!hasToday) return;
    await between(TODAY, "ps");
    await between(TODAY, "pull", "127.0.0.1:9/nope:t");
    const asked = heads.filter((head) => !head.includes("/_ping"));
    expect(asked).toHaveLength(2);
    for (const head of asked) expect(head).toMatch(/^(GET|POST) \/v1\.\d+\/.* · api\.moby\.localhost$/);
  } finally {
    server.close();
  }
});
