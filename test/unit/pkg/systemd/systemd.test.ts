import { expect, test } from "vitest";
import { memoryHost } from "../../../../src/host/memory/memory.ts";
import { listenFd, listenFds } from "../../../../src/pkg/systemd/listendfd.ts";
import { sdNotify } from "../../../../src/pkg/systemd/sd-notify.ts";

test("sdNotify() sends one datagram to the socket of the environment", () => {
  const host = memoryHost({ env: { NOTIFY_SOCKET: "@/org/systemd/notify" } });
  sdNotify(host, "READY=1");
  expect(host.kernel.datagrams).toEqual([{ socketPath: "@/org/systemd/notify", data: "READY=1" }]);
});

test.each([undefined, ""])("sdNotify() throws No socket when NOTIFY_SOCKET is %j", (socket) => {
  const host = memoryHost({ env: { NOTIFY_SOCKET: socket } });
  expect(() => sdNotify(host, "READY=1")).toThrow("No socket");
  expect(host.kernel.datagrams).toEqual([]);
});

const activated = (LISTEN_FDS: string, LISTEN_PID = "4242") => memoryHost({ env: { LISTEN_FDS, LISTEN_PID } });

test.each([
  ["2", [3, 4]],
  ["0", []],
  ["-1", []],
  ["x", []],
  ["", []],
  ["9999", []],
  ["1e3", []],
])("listenFds() reads LISTEN_FDS=%j", (count, fds) => {
  expect(listenFds(activated(count))).toEqual(fds);
});

test("listenFds() leaves another process's sockets alone", () => {
  expect([listenFds(activated("2", "1")), listenFds(memoryHost())]).toEqual([[], []]);
});

test.each([
  ["", [3, 4]],
  ["*", [3, 4]],
  ["3", [3]],
  ["4", [4]],
])("listenFd() takes fd://%s", (addr, fds) => {
  expect(listenFd(activated("2"), addr)).toEqual(fds);
});

test("listenFd() names what is missing", () => {
  for (const addr of ["5", "0", "-3", "abc", "03"]) {
    expect(() => listenFd(activated("2"), addr)).toThrow("Too few socket activated files passed in");
  }
  expect(() => listenFd(activated("0"), "*")).toThrow("No sockets found");
});
