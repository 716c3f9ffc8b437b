import { expect, test } from "vitest";
import {
  BEGIN_PORT_RANGE,
  END_PORT_RANGE,
  PortAllocator,
} from "../../../../src/daemon/networkdriver/portallocator/portallocator.ts";

// origin: daemon/networkdriver/portallocator/portallocator_test.go TestRequestNewPort
test("PortAllocator.requestPort() begins at 49153 and goes on after the last", () => {
  const ports = new PortAllocator();
  expect([0, 0, 0].map((port) => ports.requestPort("0.0.0.0", "tcp", port))).toEqual([49153, 49154, 49155]);
  ports.releasePort("0.0.0.0", "tcp", 49154);
  expect(ports.requestPort("0.0.0.0", "tcp", 0)).toBe(49156);
  expect(ports.requestPort("0.0.0.0", "udp", 0)).toBe(49153);
});

// origin: daemon/networkdriver/portallocator/portallocator_test.go TestRequestSpecificPort, TestReuseReleasedPort
test("PortAllocator.requestPort() gives a certain port once", () => {
  const ports = new PortAllocator();
  expect(ports.requestPort("0.0.0.0", "tcp", 5000)).toBe(5000);
  expect(() => ports.requestPort("0.0.0.0", "tcp", 5000)).toThrow(
    "Bind for 0.0.0.0:5000 failed: port is already allocated",
  );
  expect(ports.requestPort("127.0.0.1", "tcp", 5000)).toBe(5000);
  ports.releasePort("0.0.0.0", "tcp", 5000);
  expect(ports.requestPort("0.0.0.0", "tcp", 5000)).toBe(5000);
  ports.releaseAll();
  expect(ports.requestPort("127.0.0.1", "tcp", 5000)).toBe(5000);
});

// origin: daemon/networkdriver/portallocator/portallocator_test.go TestUnknowProtocol
test("PortAllocator.requestPort() knows tcp and udp", () => {
  expect(() => new PortAllocator().requestPort("0.0.0.0", "sctp", 0)).toThrow("unknown protocol");
});

// origin: daemon/networkdriver/portallocator/portallocator_test.go TestAllocateAllPorts
test("PortAllocator.requestPort() gives every port of its range, then none, then what is released", () => {
  const ports = new PortAllocator();
  const all = new Set<number>();
  for (let n = BEGIN_PORT_RANGE; n <= END_PORT_RANGE; n++) all.add(ports.requestPort("0.0.0.0", "tcp", 0));
  expect(all.size).toBe(END_PORT_RANGE - BEGIN_PORT_RANGE + 1);
  expect(() => ports.requestPort("0.0.0.0", "tcp", 0)).toThrow("all ports are allocated");
  ports.releasePort("0.0.0.0", "tcp", 60_000);
  expect(ports.requestPort("0.0.0.0", "tcp", 0)).toBe(60_000);
});
