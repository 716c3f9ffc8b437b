import fc from "fast-check";
import { expect, test } from "vitest";
import { BadRequestError } from "../../../src/errdefs/errdefs.ts";
import { IpOpt } from "../../../src/opts/ip.ts";
import { validateMirror } from "../../../src/opts/mirror.ts";
import {
  ListOpts,
  validateAttach,
  validateDnsSearch,
  validateEnv,
  validateIPAddress,
  validateLink,
  validatePath,
} from "../../../src/opts/opts.ts";

test("ListOpts keeps the order and shows itself as Go's list", () => {
  const list = new ListOpts();
  expect(String(list)).toBe("[]");
  for (const value of ["b", "a", "b"]) list.set(value);
  expect([String(list), list.len(), list.get("a"), list.get("c")]).toEqual(["[b a b]", 3, true, false]);
  expect([...list.getMap()]).toEqual(["b", "a"]);
});

test("delete() removes the first equal element", () => {
  const list = new ListOpts();
  for (const value of ["b", "a", "b"]) list.set(value);
  list.delete("b");
  list.delete("nope");
  expect(list.getAll()).toEqual(["a", "b"]);
});

test("set() stores what the validator makes of a value, or nothing", () => {
  const list = new ListOpts(validateAttach);
  list.set("STDIN");
  expect(() => list.set("x")).toThrow(new BadRequestError("valid streams are STDIN, STDOUT and STDERR."));
  expect(list.getAll()).toEqual(["stdin"]);
});

test.each(["stdin", "STDOUT", "StdErr"])("validateAttach(%s) is lower case", (text) => {
  expect(validateAttach(text)).toBe(text.toLowerCase());
});

test.each(["a:b", ":", "a:", ":b"])("validateLink() takes %s", (text) => {
  expect(validateLink(text)).toBe(text);
});

test.each(["a", "", "a:b:c"])("validateLink() refuses %j", (text) => {
  expect(() => validateLink(text)).toThrow(`Invalid format to parse.  ${text} should match template name:alias`);
});

test.each([
  ["/a:/b", "/a:/b"],
  ["/a", "/a"],
  ["/a/", "/a"],
  ["//a/./b/..", "/a"],
  ["/a:/b:ro", "/a:/b:ro"],
  ["a:/b", "a:/b"],
  ["/a/../b:/c/../d", "/a/../b:/d"],
  [":/x", ":/x"],
  ["/a:/", "/a:/"],
])("validatePath(%s) is %s", (text, path) => {
  expect(validatePath(text)).toBe(path);
});

test.each([
  ["a", "a is not an absolute path"],
  ["", " is not an absolute path"],
  ["/a:b", "b is not an absolute path"],
  ["/tmp:ro", "ro is not an absolute path"],
  ["/x:", " is not an absolute path"],
  ["/tmp::", ": is not an absolute path"],
  ["/a:/b:c:d", "bad format for volumes: /a:/b:c:d"],
])("validatePath() refuses %j", (text, message) => {
  expect(() => validatePath(text)).toThrow(new BadRequestError(message));
});

test("validatePath() changes nothing the second time", () => {
  const path = fc.string({ unit: fc.constantFrom("/", ".", "a", ":") });
  fc.assert(
    fc.property(path, (text) => {
      let once: string;
      try {
        once = validatePath(text);
      } catch (cause) {
        expect(cause).toBeInstanceOf(BadRequestError);
        return;
      }
      expect(validatePath(once)).toBe(once);
    }),
  );
});

test("validateEnv() completes a bare name from the environment", () => {
  const validate = validateEnv({ HOME: "/root" });
  expect(["A=b", "HOME", "NOPE", "=x", "HOME=", "toString"].map(validate)).toEqual([
    "A=b",
    "HOME=/root",
    "NOPE=",
    "=x",
    "HOME=",
    "toString=",
  ]);
});

test.each([
  ["1.2.3.4", "1.2.3.4"],
  [" 127.0.0.1\t", "127.0.0.1"],
  ["::1", "::1"],
  ["0:0::1", "::1"],
])("validateIPAddress(%j) is %s", (text, ip) => {
  expect(validateIPAddress(text)).toBe(ip);
});

test.each(["127", "random invalid string", ""])("validateIPAddress() refuses %j", (text) => {
  expect(() => validateIPAddress(text)).toThrow(new BadRequestError(`${text} is not an ip address`));
});

const domains: [string, string][] = [
  [".", "."],
  [" . ", "."],
  ["a", "a"],
  ["a.", "a"],
  ["a.b", "a.b"],
  [" a.b\t", "a.b"],
  ["1.foo", "1.foo"],
  ["17.foo", "17.foo"],
  ["foo.bar.baz", "foo.bar.baz"],
  ["example.com.", "example.com"],
  ["1foo.2bar.", "1foo.2bar"],
  ["foo-1.bar-2.", "foo-1.bar-2"],
  ["1-foo.2-bar.baz", "1-foo.2-bar.baz"],
  ["1.2.3.a", "1.2.3.a"],
  [":a", ":a"],
  ["a:.b", "a:.b"],
  ["a.:b", "a.:b"],
];

test.each(domains)("validateDnsSearch(%j) is %s", (text, domain) => {
  expect(validateDnsSearch(text)).toBe(domain);
});

const bad =
  "1 17 17. .17 17-. 17-.foo .foo foo-.bar -foo.bar foo.bar- foo.bar-.baz foo.-bar foo.-bar.baz a_b -a a1- foo.bar:5 x::y";

test.each(["", ...bad.split(" ")])("validateDnsSearch() refuses %j", (text) => {
  expect(() => validateDnsSearch(text)).toThrow(new BadRequestError(`${text} is not a valid domain`));
});

test("validateDnsSearch() answers for a very long name before the test times out", () => {
  expect(() => validateDnsSearch(`${"a-".repeat(500_000)}!`)).toThrow("is not a valid domain");
});

test("IpOpt holds an address in canonical form", () => {
  const ip = new IpOpt("0.0.0.0");
  expect(String(ip)).toBe("0.0.0.0");
  ip.set("0:0::1");
  expect(String(ip)).toBe("::1");
  expect(() => ip.set(" ::1")).toThrow(new BadRequestError(" ::1 is not an ip address"));
  expect([String(ip), String(new IpOpt(""))]).toEqual(["::1", "<nil>"]);
});

test.each([
  ["http://mirror-1.com", "http://mirror-1.com/v1/"],
  ["HTTPS://mirror-1.com", "https://mirror-1.com/v1/"],
  ["http://localhost:5000", "http://localhost:5000/v1/"],
  ["https://127.0.0.1", "https://127.0.0.1/v1/"],
  ["https://[::1]:5000", "https://[::1]:5000/v1/"],
])("validateMirror(%s) is %s", (text, base) => {
  expect(validateMirror(text)).toBe(base);
});

test.each([
  ["x", "Unsupported scheme "],
  ["ftp://mirror-1.com", "Unsupported scheme ftp"],
  ["http://mirror-1.com/", "Unsupported path/query/fragment at end of the URI"],
  ["http://mirror-1.com/v1/", "Unsupported path/query/fragment at end of the URI"],
  ["http://mirror-1.com?q=foo", "Unsupported path/query/fragment at end of the URI"],
  ["http://mirror-1.com#frag", "Unsupported path/query/fragment at end of the URI"],
  ["!invalid!://%as%", "Unsupported scheme "],
  ["http://", "http:// is not a valid URI"],
  ["http:mirror", "http:mirror is not a valid URI"],
  ["http://user:pw@host", "http://user:pw@host is not a valid URI"],
  ["http://a b", "http://a b is not a valid URI"],
  [":x", ":x is not a valid URI"],
])("validateMirror() refuses %s", (text, message) => {
  expect(() => validateMirror(text)).toThrow(new BadRequestError(message));
});
