import { expect, test } from "vitest";
import {
  APIVERSION,
  DEFAULTHTTPHOST,
  DEFAULTUNIXSOCKET,
  displayablePorts,
  matchesContentType,
  validateHost,
} from "../../../src/api/common.ts";
import { parseMediaType } from "../../../src/api/media-type.ts";

function row(values: Record<string, string | number>) {
  return { get: (key: string) => String(values[key] ?? ""), getInt: (key: string) => Number(values[key] ?? 0) };
}

test("the constants are those of 1.2.0", () => {
  expect([APIVERSION, DEFAULTHTTPHOST, DEFAULTUNIXSOCKET]).toEqual(["1.14", "127.0.0.1", "/var/run/docker.sock"]);
});

test("validateHost() completes with the default address and socket", () => {
  expect([validateHost(""), validateHost(":2375")]).toEqual(["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375"]);
  expect(() => validateHost("udp://x")).toThrow("Invalid bind address protocol: udp://x");
});

test("displayablePorts() sorts by public port", () => {
  const rows = [
    row({ PrivatePort: 80, PublicPort: 49200, Type: "tcp", IP: "0.0.0.0" }),
    row({ PrivatePort: 22, PublicPort: 9000, Type: "tcp", IP: "127.0.0.1" }),
    row({ PrivatePort: 53, Type: "udp" }),
  ];
  expect(displayablePorts(rows)).toBe("53/udp, 127.0.0.1:9000->22/tcp, 0.0.0.0:49200->80/tcp");
  expect(displayablePorts([])).toBe("");
});

test.each([
  ["application/json", true],
  ["Application/JSON; charset=utf-8", true],
  [' application/json ; a="b;c"; d=e;', true],
  ["text/plain", false],
])("matchesContentType(%j) is %s", (header, result) => {
  const log = { error: () => expect.unreachable() };
  expect(matchesContentType(header, "application/json", log)).toBe(result);
});

test.each([
  ["", "mime: no media type"],
  [";a=b", "mime: no media type"],
  ["a b", "mime: expected slash after first token"],
  ["a/", "mime: expected token after slash"],
  ["a/b c", "mime: unexpected content after media subtype"],
  ["a/b; c", "mime: invalid media parameter"],
  ['a/b; c="d', "mime: invalid media parameter"],
  ["a/b; c=d; C=e", "mime: duplicate parameter name"],
])("matchesContentType(%j) logs what is wrong", (header, text) => {
  const lines: string[] = [];
  const log = { error: (site: string, line: string) => void lines.push(`${site} ${line}`) };
  expect(matchesContentType(header, "application/json", log)).toBe(false);
  expect(lines).toEqual([`common.go:46 Error parsing media type: ${header} error: ${text}`]);
});

test("parseMediaType() unescapes quoted parameters", () => {
  const { type, params } = parseMediaType('text/Plain; Charset="a\\"b"; x=y');
  expect([type, [...params]]).toEqual([
    "text/plain",
    [
      ["charset", 'a"b'],
      ["x", "y"],
    ],
  ]);
});
