import { expect, test } from "vitest";
import { BadRequestError } from "../../../../src/errdefs/errdefs.ts";
import { parseHost, parseKeyValueOpt, parseRepositoryTag, partParser } from "../../../../src/pkg/parsers/parsers.ts";

const parse = (text: string) => parseHost("127.0.0.1", "/var/run/docker.sock", text);

test.each([
  ["", "unix:///var/run/docker.sock"],
  ["  ", "unix:///var/run/docker.sock"],
  ["unix://", "unix:///var/run/docker.sock"],
  ["unix:///p", "unix:///p"],
  ["unix:///a b:c", "unix:///a b:c"],
  [" unix://nope ", "unix://nope"],
  ["fd://", "fd://"],
  ["fd://3", "fd://3"],
  ["tcp://:2375", "tcp://127.0.0.1:2375"],
  [":2375", "tcp://127.0.0.1:2375"],
  ["0.0.0.0:2375", "tcp://0.0.0.0:2375"],
  ["tcp://h:+0080", "tcp://h:80"],
  ["tcp://h:70000", "tcp://h:70000"],
])("parseHost(%j) is %s", (text, host) => {
  expect(parse(text)).toBe(host);
});

test.each([
  ["tcp://", "format: tcp://"],
  ["127.0.0.1", "format: 127.0.0.1"],
  ["tcp://1.2.3.4", "format: 1.2.3.4"],
  ["tcp://h:0", "format: h:0"],
  ["tcp://h:x", "format: h:x"],
  ["tcp://h:", "format: h:"],
  ["tcp://h:1/p", "format: h:1/p"],
  ["tcp://[::1]:80", "format: [::1]:80"],
  ["tcp://a:b:c", "format: a:b:c"],
  ["tcp:127.0.0.1:9", "format: tcp:127.0.0.1:9"],
  ["/nope.sock", "format: /nope.sock"],
  ["udp://1:2", "protocol: udp://1:2"],
  ["http://127.0.0.1:9", "protocol: http://127.0.0.1:9"],
])("parseHost() refuses %j", (text, message) => {
  expect(() => parse(text)).toThrow(new BadRequestError(`Invalid bind address ${message}`));
});

test.each([
  ["root", ["root", ""]],
  ["root:tag", ["root", "tag"]],
  ["user/repo:tag", ["user/repo", "tag"]],
  ["h:5000/x", ["h:5000/x", ""]],
  ["url:5000/repo:tag", ["url:5000/repo", "tag"]],
  ["a:b:c", ["a:b", "c"]],
  ["a:", ["a", ""]],
  [":", ["", ""]],
  ["a@sha256:x", ["a@sha256", "x"]],
])("parseRepositoryTag(%s)", (text, parts) => {
  expect(parseRepositoryTag(text)).toEqual(parts);
});

test("partParser() names the parts after the template", () => {
  expect(partParser("ip:public:private", "192.168.1.1:80:8080")).toEqual({
    ip: "192.168.1.1",
    public: "80",
    private: "8080",
  });
  expect(() => partParser("name:alias", "a")).toThrow(
    new BadRequestError("Invalid format to parse.  a should match template name:alias"),
  );
});

test("parseKeyValueOpt() splits at the first = and trims", () => {
  expect(parseKeyValueOpt("lxc.utsname = docker ")).toEqual(["lxc.utsname", "docker"]);
  expect(parseKeyValueOpt("a=b=c")).toEqual(["a", "b=c"]);
  expect(() => parseKeyValueOpt("a")).toThrow(new BadRequestError("Unable to parse key/value option: a"));
});
