/**
 * The doors of the real daemon, on the kernel it runs on: sockets, modes, the queue before the gate, and init's datagram.
 */

import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { unixAddress } from "../../src/host/linux/kernel.ts";
import { call, tryCall } from "../../src/host/linux/libc.ts";
import { linuxNet } from "../../src/host/linux/net.ts";
import { makeNetns, run, startDaemon, type TestDaemon, type TestNetns } from "../../test/support/daemon.ts";

/** What is missing here; "" when nothing is. */
function missing(): string {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "this user is not root";
  for (const program of ["ip", "nsenter", "iptables", "curl", "mkfifo"]) {
    if (!["/sbin", "/usr/sbin", "/bin", "/usr/bin"].some((directory) => existsSync(join(directory, program)))) {
      return `there is no ${program}`;
    }
  }
  try {
    const netns = makeNetns();
    try {
      execFileSync(netns.prefix[0] ?? "", [...netns.prefix.slice(1), "iptables", "-S"], { stdio: "pipe" });
    } finally {
      netns.remove();
    }
  } catch (cause) {
    return `no network namespace with a packet filter can be made (${String(cause).split("\n")[0]})`;
  }
  return "";
}

const reason = missing();
if (reason !== "") console.info(`The API server is not tried on this kernel: ${reason}.`);

const undo: (() => unknown)[] = [];
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "doors-"));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function namespace(): TestNetns {
  const netns = makeNetns();
  undo.push(() => netns.remove());
  return netns;
}

async function start(options: Parameters<typeof startDaemon>[0]): Promise<TestDaemon> {
  const daemon = await startDaemon({ driver: "vfs", ...options });
  undo.push(() => daemon.remove());
  return daemon;
}

/** Sends a request to a socket file; gives the whole answer. */
async function ask(path: string, target: string): Promise<string> {
  const socket = await linuxNet.dial("unix", path);
  socket.write(`GET ${target} HTTP/1.1\r\nHost: ${path}\r\nConnection: close\r\n\r\n`);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

const groupId = (name: string) =>
  Number(new RegExp(`^${name}:[^:]*:(\\d+):`, "m").exec(readFileSync("/etc/group", "utf8"))?.[1]);

/** A PATH whose iptables does not start before `open()`: a packet filter that takes its time, and the boot with it. */
function slowFilter(): { PATH: string; open(): void } {
  const bin = join(dir, "bin");
  const gate = join(dir, "gate");
  mkdirSync(bin);
  execFileSync("mkfifo", [gate]);
  for (const name of ["iptables", "iptables-save", "iptables-restore"]) {
    const script = `#!/bin/sh\n[ -p ${gate} ] && read -r _ < ${gate}\nPATH=\${PATH#*:} exec ${name} "$@"\n`;
    writeFileSync(join(bin, name), script, { mode: 0o755 });
  }
  return {
    PATH: `${bin}:${process.env["PATH"]}`,
    open() {
      // Whoever waits at the pipe is let go by its end, and later programs find no pipe.
      execFileSync("sh", ["-c", `exec 3<> ${gate}; rm ${gate}; echo go >&3; sleep 0.2`]);
    },
  };
}

describe.skipIf(reason !== "")("the daemon's doors on this kernel", () => {
  test("004/b/2 a unix socket is for root and the group of -G, and it goes with the daemon", async () => {
    const daemon = await start({ netns: "none", args: ["-G", "daemon"] });
    const stat = lstatSync(daemon.socket);
    expect([stat.isSocket(), (stat.mode & 0o777).toString(8), stat.uid, stat.gid]).toEqual([
      true,
      "660",
      0,
      groupId("daemon"),
    ]);
    const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const curl = ["curl", "-s", "--max-time", "5", "--unix-socket", daemon.socket, "http://d/_ping"];
    await run(["chmod", "755", daemon.dir]);
    expect((await run([...nobody, ...curl])).code).not.toBe(0);
    expect((await run([...nobody.slice(0, -1), "--groups", String(groupId("daemon")), ...curl])).stdout).toBe("OK");
    expect(await daemon.end()).toBe(0);
    expect(existsSync(daemon.socket)).toBe(false);
  });

  test("001/5.7/6 requests on unix and tcp wait while the daemon boots, and all are answered", async () => {
    const netns = namespace();
    const filter = slowFilter();
    const second = join(dir, "second");
    let booted = false;
    const starting = start({
      netns,
      args: ["-H", `unix://${second}`, "-H", "tcp://127.0.0.1:2375"],
      env: { PATH: filter.PATH },
    }).then((daemon) => {
      booted = true;
      return daemon;
    });
    await vi.waitFor(() => expect(lstatSync(second).mode & 0o777).toBe(0o660), 20_000);
    const answered: string[] = [];
    const early = [
      ask(second, "/version").then((answer) => answered.push(answer)),
      run([
        ...netns.prefix,
        "curl",
        "-s",
        "-i",
        "--retry",
        "20",
        "--retry-connrefused",
        "http://127.0.0.1:2375/_ping",
      ]).then(({ stdout }) => answered.push(stdout)),
    ];
    // The kernel has both connections; nobody has read a byte of them.
    await vi.waitFor(
      async () => {
        const { stdout } = await run([...netns.prefix, "cat", "/proc/net/tcp"]);
        expect(stdout).toMatch(/ 0100007F:0947 0100007F:[0-9A-F]{4} 01 /);
      },
      { timeout: 20_000, interval: 50 },
    );
    expect([answered, booted]).toEqual([[], false]);
    filter.open();
    await Promise.all(early);
    await starting;
    expect(answered.map((answer) => answer.split("\r\n")[0])).toEqual(["HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
    expect(answered.join("\n")).toMatch(/"ApiVersion":"1\.14"/);
  });

  test("001/5.5.3/1 init is told READY=1 when the daemon is complete, and its socket is served", async () => {
    const notify = join(dir, "notify");
    const address = unixAddress(notify);
    const mailbox = call("socket", notify, 1, 2 | 0o4000, 0);
    undo.push(() => call("close", notify, mailbox));
    call("bind", notify, mailbox, address, address.length);
    const path = join(dir, "activated");
    const opened = createServer().listen(path);
    await vi.waitFor(() => expect(opened.listening).toBe(true));
    const { fd } = (opened as unknown as { _handle: { fd: number } })._handle;
    const starting = start({
      netns: "none",
      args: ["-H", "fd://"],
      sockets: [fd],
      env: { NOTIFY_SOCKET: notify },
    });
    opened.unref();
    await starting;
    const message = Buffer.alloc(64);
    const length = tryCall("recv", mailbox, message, message.length, 0);
    expect(message.toString("utf8", 0, Math.max(0, length))).toBe("READY=1");
  });

  test("001/5.7/5 the second address is taken: the daemon ends with 1, and leaves neither socket nor pid file", async () => {
    const socket = join(dir, "sock");
    const netns = namespace();
    const words = ["-H", `unix://${socket}`, "-H", "tcp://127.0.0.1:2375", "-H", "tcp://127.0.0.1:2375"];
    const places = ["-g", join(dir, "root"), "-p", join(dir, "pid"), "-s", "vfs"];
    const { code, stderr } = await run([...netns.prefix, "bin/docker", "-d", ...words, ...places]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/listen tcp 127\.0\.0\.1:2375: address already in use\n$/);
    expect([existsSync(socket), existsSync(join(dir, "pid"))]).toEqual([false, false]);
  });

  test("000/1/1 routes answer with and without a version, and a wrong method is 404", async () => {
    const daemon = await start({ netns: "none" });
    const [plain, versioned] = await Promise.all(["/version", "/v1.14/version"].map((at) => ask(daemon.socket, at)));
    expect(versioned?.replace(/^Date: .*$/m, "")).toBe(plain?.replace(/^Date: .*$/m, ""));
    const put = await run([
      "curl",
      "-s",
      "-X",
      "PUT",
      "-w",
      "%{http_code}",
      "--unix-socket",
      daemon.socket,
      "http://d/version",
    ]);
    expect(put.stdout).toBe("404 page not found\n404");
  });
});
