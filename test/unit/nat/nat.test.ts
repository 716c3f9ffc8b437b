import fc from "fast-check";
import { expect, test } from "vitest";
import { BadRequestError } from "../../../src/errdefs/errdefs.ts";
import * as nat from "../../../src/nat/nat.ts";

test.each([
  ["80", "80/tcp", "", ""],
  ["80/udp", "80/udp", "", ""],
  ["8080:80", "80/tcp", "", "8080"],
  ["127.0.0.1::80", "80/tcp", "127.0.0.1", ""],
  ["127.0.0.1:8080:80/tcp", "80/tcp", "127.0.0.1", "8080"],
  ["0", "0/tcp", "", ""],
  ["::80", "80/tcp", "", ""],
  ["0:80", "80/tcp", "", "0"],
  ["080", "080/tcp", "", ""],
])("parsePortSpecs(%s) exposes %s", (spec, port, HostIp, HostPort) => {
  expect(nat.parsePortSpecs([spec])).toEqual({
    exposedPorts: { [port]: {} },
    bindings: { [port]: [{ HostIp, HostPort }] },
  });
});

test.each([
  ["x:80", "Invalid hostPort: x"],
  ["80:", "No port specified: :80:<empty>"],
  ["", "No port specified: ::<empty>"],
  ["1:2:3:4", "Invalid format to parse.  1:2:3:4 should match template ip:hostPort:containerPort"],
  ["[::1]:80:80", "Invalid format to parse.  [::1]:80:80 should match template ip:hostPort:containerPort"],
  ["999.1.1.1:1:2", "Invalid ip address: 999.1.1.1"],
  ["localhost:80:80", "Invalid ip address: localhost"],
  ["80/foo", "Invalid proto: foo"],
  ["80/TCP", "Invalid proto: TCP"],
  ["80/tcp/udp", "Invalid containerPort: 80/tcp"],
  ["70000", "Invalid containerPort: 70000"],
  ["65536", "Invalid containerPort: 65536"],
  ["-1", "Invalid containerPort: -1"],
  ["80-90", "Invalid containerPort: 80-90"],
  ["8080-8090:80", "Invalid hostPort: 8080-8090"],
])("parsePortSpecs() refuses %j", (spec, message) => {
  expect(() => nat.parsePortSpecs([spec])).toThrow(new BadRequestError(message));
});

test("parsePortSpecs() collects the bindings of one port in order", () => {
  expect(nat.parsePortSpecs(["1:80", "2:80", "53/udp"])).toEqual({
    exposedPorts: { "80/tcp": {}, "53/udp": {} },
    bindings: {
      "80/tcp": [
        { HostIp: "", HostPort: "1" },
        { HostIp: "", HostPort: "2" },
      ],
      "53/udp": [{ HostIp: "", HostPort: "" }],
    },
  });
});

test("parsePortSpecs() fails only with its own errors", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0189:/.tcpud-[]") }), (spec) => {
      try {
        nat.parsePortSpecs([spec]);
      } catch (cause) {
        expect(cause).toBeInstanceOf(BadRequestError);
      }
    }),
  );
});

test("a port's parts can be read", () => {
  expect([nat.protoOf("80/udp"), nat.protoOf("80"), nat.portOf("80/udp"), nat.intOf("80/udp")]).toEqual([
    "udp",
    "tcp",
    "80",
    80,
  ]);
  expect(nat.newPort("tcp", "80")).toBe("80/tcp");
});

test("intOf() refuses what a client may have made up", () => {
  expect(() => nat.intOf("99999/tcp")).toThrow(
    new BadRequestError('strconv.ParseUint: parsing "99999": value out of range'),
  );
  expect(() => nat.intOf("abc")).toThrow(new BadRequestError('strconv.ParseUint: parsing "abc": invalid syntax'));
});

test.each([
  ["", ["", ""]],
  ["80", ["tcp", "80"]],
  ["80/udp", ["udp", "80"]],
  ["80/", ["", "80"]],
])("splitProtoPort(%j)", (text, parts) => {
  expect(nat.splitProtoPort(text)).toEqual(parts);
});

test("sortPorts() follows the predicate", () => {
  const before = (a: string, b: string) =>
    nat.intOf(a) < nat.intOf(b) || (nat.intOf(a) === nat.intOf(b) && nat.protoOf(a) === "tcp");
  expect(nat.sortPorts(["8888/udp", "8888/tcp", "6379/udp", "6379/tcp", "22/tcp"], before)).toEqual([
    "22/tcp",
    "6379/tcp",
    "6379/udp",
    "8888/tcp",
    "8888/udp",
  ]);
});
