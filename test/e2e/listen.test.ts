/**
 * The ways to the daemon: sockets of every kind, certificates, socket activation, and what a request meets at the door.
 */

import { lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unixAddress } from "../../src/host/linux/kernel.ts";
import { call, tryCall } from "../../src/host/linux/libc.ts";
import { makeAuthority, sign, writeCertificates } from "../support/certificates.ts";
import { DRYDOCK, hasRoot, run, startDaemon, type TestDaemon, TODAY } from "../support/daemon.ts";
import { BUSYBOX, startRegistry, type TestRegistry } from "../support/images.ts";

const isRoot = hasRoot("network namespaces need root");
const describeRoot = describe.runIf(isRoot);

const CLIENTS = [
  ["our client", DRYDOCK],
  ["today's client", TODAY],
] as const;

let dir: string;
let daemon: TestDaemon;
let registry: TestRegistry;

/** A GET inside the daemon's network: head and body as they came. */
const get = (url: string, ...more: string[]) => daemon.inside("curl", "-s", "-i", "--max-time", "20", ...more, url);

/** Starts a daemon that is expected to fail. @returns its last words */
async function failing(...args: string[]): Promise<string> {
  return startDaemon({ netns: "none", driver: "vfs", args }).then(
    async (started) => `started:\n${await started.remove()}`,
    (cause: Error) => cause.message,
  );
}

beforeAll(async () => {
  if (!isRoot) return;
  dir = mkdtempSync(join(tmpdir(), "listen-"));
  const [ca, foreign] = await Promise.all([makeAuthority("test authority"), makeAuthority("another authority")]);
  const [server, client, stranger] = await Promise.all([
    sign(ca, "server"),
    sign(ca, "client"),
    sign(foreign, "stranger"),
  ]);
  writeCertificates(join(dir, "server"), ca, server);
  writeCertificates(join(dir, "good"), ca, client);
  writeCertificates(join(dir, "none"), ca);
  writeCertificates(join(dir, "foreign"), ca, stranger);
  writeCertificates(join(dir, "deceived"), foreign, client);
  daemon = await startDaemon({
    args: [
      ...["-H", "tcp://127.0.0.1:2376", "-H", `unix://${dir}/second`, "-G", "daemon", "--tlsverify"],
      ...["ca", "cert", "key"].map((name) => `--tls${name === "ca" ? "cacert" : name}=${dir}/server/${name}.pem`),
    ],
  });
  registry = await startRegistry(daemon.netns.prefix);
  await registry.push("busybox", [BUSYBOX]);
  expect((await daemon.docker("pull", `${registry.address}/busybox`)).code).toBe(0);
});

afterAll(async () => {
  if (!isRoot) return;
  await registry?.stop();
  const left = await daemon?.remove();
  rmSync(dir, { recursive: true, force: true });
  expect(left).toEqual([]);
});

describeRoot("unix sockets", () => {
  test("each -H is served; sockets are for root and the group of -G", async () => {
    const gid = Number(/^daemon:[^:]*:(\d+):/m.exec(readFileSync("/etc/group", "utf8"))?.[1]);
    for (const path of [daemon.socket, join(dir, "second")]) {
      const stat = lstatSync(path);
      expect([stat.mode & 0o777, stat.uid, stat.gid]).toEqual([0o660, 0, gid]);
      expect((await get("http://d/_ping", "--unix-socket", path)).stdout).toMatch(/^HTTP\/1.1 200 OK[\s\S]*OK$/);
    }
    const number = await startDaemon({ netns: "none", driver: "vfs", args: ["-G", String(gid)] });
    expect(lstatSync(number.socket).gid).toBe(gid);
    expect(await number.end()).toBe(0);
    expect(() => lstatSync(number.socket)).toThrow("ENOENT");
    await number.remove();
  });

  test("a group, an address or a protocol that does not work ends the daemon with one clear line", async () => {
    expect(await failing("-G", "no-such-group")).toMatch(/\(1\):[\s\S]*Group no-such-group not found$/m);
    expect(await failing("-H", "udp://127.0.0.1:1")).toMatch(
      /\(2\):[\s\S]*flag -H: Invalid bind address protocol: udp:\/\/127\.0\.0\.1:1$/m,
    );
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    expect(await failing("-H", `tcp://127.0.0.1:${port}`)).toMatch(
      new RegExp(`\\(1\\):[\\s\\S]*listen tcp 127.0.0.1:${port}: .*address already in use$`, "m"),
    );
    await new Promise((resolve) => taken.close(resolve));
    writeFileSync(join(dir, "file"), "precious");
    expect(await failing("-H", `unix://${dir}/file`)).toMatch(/it is no socket$/m);
    expect(readFileSync(join(dir, "file"), "utf8")).toBe("precious");
    expect(await failing("-H", `unix://${daemon.socket}`)).toMatch(
      /address already in use: another daemon serves it$/m,
    );
    expect((await daemon.docker("ps", "-q")).code).toBe(0);
  });
});

describeRoot("tcp", () => {
  test("without certificates it is served, and warned of where others can reach it", async () => {
    const open = await startDaemon({ args: ["-H", "tcp://127.0.0.1:2375"] });
    expect((await open.inside("curl", "-s", "http://127.0.0.1:2375/_ping")).stdout).toBe("OK");
    expect(open.log()).not.toContain("DON'T BIND");
    for (const binary of [DRYDOCK, TODAY]) {
      const version = await run([...open.netns.prefix, binary, "-H", "tcp://127.0.0.1:2375", "version"]);
      expect(version).toMatchObject({ code: 0, stdout: expect.stringContaining("1.2.0") });
    }
    expect(await open.remove()).toEqual([]);
    const wide = await startDaemon({ args: ["-H", "tcp://0.0.0.0:2375"] });
    expect(wide.log()).toContain("/!\\ DON'T BIND ON ANOTHER IP ADDRESS THAN 127.0.0.1 IF YOU DON'T KNOW");
    expect(await wide.remove()).toEqual([]);
  });

  test("--tls encrypts and asks no client for a certificate", async () => {
    const tls = await startDaemon({
      args: [
        "-H",
        "tcp://127.0.0.1:2376",
        "--tls",
        `--tlscert=${dir}/server/cert.pem`,
        `--tlskey=${dir}/server/key.pem`,
      ],
    });
    const curl = (...args: string[]) => tls.inside("curl", "-s", ...args);
    expect((await curl("--cacert", `${dir}/server/ca.pem`, "https://127.0.0.1:2376/_ping")).stdout).toBe("OK");
    expect((await curl("http://127.0.0.1:2376/_ping")).stdout).not.toBe("OK");
    expect((await curl("-k", "--tls-max", "1.1", "https://127.0.0.1:2376/_ping")).code).not.toBe(0);
    for (const binary of [DRYDOCK, TODAY]) {
      const words = [...tls.netns.prefix, binary, "-H", "tcp://127.0.0.1:2376"];
      const env = { DOCKER_CERT_PATH: join(dir, "none") };
      expect((await run([...words, "--tls", "ps"], { env })).code).toBe(0);
      expect((await run([...words, "--tlsverify", "ps"], { env })).code).toBe(0);
    }
    expect(await tls.remove()).toEqual([]);
    expect(await failing("-H", "tcp://127.0.0.1:2376", "--tls", `--tlscert=${dir}/none/cert.pem`)).toMatch(
      /Couldn't load X509 key pair \(.*none\/cert\.pem, .*\): open .*none\/cert.pem: no such file or directory\. Key/,
    );
  });
});

describeRoot.each(CLIENTS)("--tlsverify with %s", (_name, binary) => {
  const words = (...args: string[]) => [
    ...daemon.netns.prefix,
    ...[binary, "-H", "tcp://127.0.0.1:2376", "--tlsverify", ...args],
  ];
  const env = (who: string) => ({ HOME: dir, DOCKER_CERT_PATH: join(dir, who) });
  const docker = (who: string, ...args: string[]) => run(words(...args), { env: env(who) });
  const image = () => `${registry.address}/busybox`;

  test("only a client with a certificate of the same authority is let in", async () => {
    expect((await docker("good", "version")).stdout).toContain("1.2.0");
    for (const [who, why] of [
      ["none", /remote error: .*certificate required/],
      ["foreign", /EOF|certificate/],
      ["deceived", /x509: certificate signed by unknown authority/],
    ] as const) {
      const refused = await docker(who, "ps");
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(why);
      expect(refused.stderr.trim().split("\n")).toHaveLength(1);
    }
  });

  test("run takes piped input to its end and gives all output and the exit code", async () => {
    const input = Buffer.alloc(3 << 20, "0123456789abcde\n");
    const piped = await run(words("run", "--rm", "-i", image(), "sh", "-c", "wc -c; echo done >&2; exit 5"), {
      env: env("good"),
      input,
    });
    expect(piped).toEqual({ code: 5, stdout: `${input.length}\n`, stderr: "done\n" });
    const echoed = await run(words("run", "--rm", "-i", image(), "cat"), { env: env("good"), input });
    expect([echoed.code, echoed.stdout.length, echoed.stderr]).toEqual([0, input.length, ""]);
    expect((await docker("good", "run", "--rm", image(), "echo", "hi")).stdout).toBe("hi\n");
  });

  test("run -it has a terminal", async () => {
    const [command = "", ...args] = words("run", "-it", "--rm", image(), "sh");
    const pty = spawn(command, args, { cols: 91, rows: 27, env: { ...process.env, ...env("good") } });
    let screen = "";
    pty.onData((data) => {
      screen += data;
    });
    const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
    await expect.poll(() => screen, { timeout: 15_000 }).toMatch(/# /);
    pty.write("stty size; exit 9\r");
    expect(await ended).toBe(9);
    expect(screen).toMatch(/27 91/);
  });
});

describeRoot("systemd", () => {
  test("fd:// serves the sockets that were opened for the daemon; READY=1 is told when it is up", async () => {
    const notify = join(dir, "notify");
    const mailbox = call("socket", notify, 1, 2 | 0o4000, 0);
    const address = unixAddress(notify);
    call("bind", notify, mailbox, address, address.length);
    const opened: { path: string; fd: number; close: () => void }[] = [];
    for (const name of ["one", "two"]) {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(dir, `${name}.tmp`), resolve));
      // The server removes its path when it closes: the daemon's goes on under another name.
      renameSync(join(dir, `${name}.tmp`), join(dir, name));
      const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
      opened.push({ path: join(dir, name), fd, close: () => server.close() });
    }
    const starting = startDaemon({
      driver: "vfs",
      netns: "none",
      args: ["-H", "fd://"],
      sockets: opened.map(({ fd }) => fd),
      env: { NOTIFY_SOCKET: notify },
    });
    for (const { close } of opened) close();
    const activated = await starting;
    for (const { path } of opened) {
      expect((await get("http://d/_ping", "--unix-socket", path)).stdout).toMatch(/OK$/);
      for (const binary of [DRYDOCK, TODAY])
        expect((await run([binary, "-H", `unix://${path}`, "ps", "-q"])).code).toBe(0);
    }
    const message = Buffer.alloc(64);
    const length = tryCall("recv", mailbox, message, message.length, 0);
    expect(message.toString("utf8", 0, Math.max(0, length))).toBe("READY=1");
    expect(tryCall("recv", mailbox, message, message.length, 0)).toBe(-1);
    call("close", notify, mailbox);
    expect(await activated.end()).toBe(0);
    await activated.remove();
  });

  test("fd:// without sockets, or for another one than was opened, is refused", async () => {
    expect(await failing("-H", "fd://")).toMatch(/\(1\):[\s\S]*No sockets found$/m);
  });
});

describeRoot("the door", () => {
  test("a request that comes while the daemon boots waits and is answered", async () => {
    const bin = join(dir, "bin");
    const gate = join(dir, "gate");
    mkdirSync(bin);
    for (const name of ["iptables", "iptables-save", "iptables-restore"])
      writeFileSync(
        join(bin, name),
        `#!/bin/sh\nwhile [ ! -e ${gate} ]; do sleep 0.05; done\nPATH=\${PATH#*:} exec ${name} "$@"\n`,
        { mode: 0o755 },
      );
    const socket = join(dir, "early");
    let booted = false;
    const starting = startDaemon({
      args: ["-H", `unix://${socket}`],
      env: { PATH: `${bin}:${process.env["PATH"]}` },
    }).finally(() => {
      booted = true;
    });
    await expect.poll(() => lstatSync(socket, { throwIfNoEntry: false })?.mode, { timeout: 15_000 }).toBe(0o140660);
    let answered = 0;
    const early = [DRYDOCK, TODAY].map((binary) =>
      run([binary, "-H", `unix://${socket}`, "version"]).finally(() => answered++),
    );
    // Two whole commands of others: time enough for an answer that must not come.
    await run([TODAY, "--version"]);
    await run([DRYDOCK, "--version"]);
    expect([answered, booted]).toEqual([0, false]);
    writeFileSync(gate, "");
    for (const result of await Promise.all(early))
      expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("1.2.0") });
    const started = await starting;
    expect(await started.remove()).toEqual([]);
  });

  test("--api-enable-cors adds the headers of 1.2.0, and pages may ask; without it they may not", async () => {
    const cors = await startDaemon({ args: ["-H", "tcp://127.0.0.1:2375", "--api-enable-cors"] });
    const ask = (...args: string[]) => cors.inside("curl", "-s", "-i", ...args);
    const page = ["-H", "Origin: http://page.example", "http://127.0.0.1:2375/v1.14/containers/json"];
    for (const args of [page, ["-X", "OPTIONS", ...page]]) {
      const { stdout } = await ask(...args);
      expect(stdout).toMatch(/^HTTP\/1.1 200 OK/);
      expect(stdout).toMatch(/^Access-Control-Allow-Origin: \*\r$/m);
      expect(stdout).toMatch(/^Access-Control-Allow-Headers: Origin, X-Requested-With, Content-Type, Accept\r$/m);
      expect(stdout).toMatch(/^Access-Control-Allow-Methods: GET, POST, DELETE, PUT, OPTIONS\r$/m);
    }
    expect(await cors.remove()).toEqual([]);
    const shut = await startDaemon({ args: ["-H", "tcp://127.0.0.1:2375"] });
    const refused = await shut.inside("curl", "-s", "-i", ...page);
    expect(refused.stdout).toMatch(/^HTTP\/1.1 403 Forbidden/);
    expect(refused.stdout).not.toContain("Access-Control");
    expect(await shut.remove()).toEqual([]);
  });

  test("_ping, versions and paths are answered as each client expects", async () => {
    const ask = (path: string, ...more: string[]) => get(`http://d${path}`, "--unix-socket", daemon.socket, ...more);
    const ping = (await ask("/_ping")).stdout;
    expect(ping).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(ping).toMatch(/^Api-Version: 1.30\r$/m);
    expect(ping).toMatch(/\r\n\r\nOK$/);
    expect((await ask("/_ping", "--head")).stdout).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
    expect((await ask("/v1.14/version")).stdout).toContain('"ApiVersion":"1.14"');
    expect((await ask("/v1.30/version")).stdout).toContain('"ApiVersion":"1.30"');
    const tooNew = (await ask("/v1.99/version")).stdout;
    expect(tooNew).toMatch(/^HTTP\/1.1 400 Bad Request/);
    expect(tooNew).toContain("client version 1.99 is too new. Maximum supported API version is 1.30");
    expect((await ask("/v1.14/nothing")).stdout).toMatch(/^HTTP\/1.1 404 [\s\S]*404 page not found$/m);
    expect((await ask("//version")).stdout).toMatch(/^HTTP\/1.1 301 [\s\S]*Location: \/version\r\n/);
    const today = await run([...daemon.netns.prefix, TODAY, "-H", `unix://${daemon.socket}`, "ps"], {
      env: { DOCKER_API_VERSION: "1.99" },
    });
    expect(today).toMatchObject({ code: 1, stderr: expect.stringContaining("Maximum supported API version is 1.30") });
  });
});
