import fc from "fast-check";
import { expect, test } from "vitest";
import { parseIP } from "../../../../src/pkg/net/ip.ts";

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["::1", "::1"],
  ["::", "::"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
  ["fe80::", "fe80::"],
])("parseIP(%s) is %s", (text, ip) => {
  expect(parseIP(text)).toBe(ip);
});

test.each([
  "",
  "x",
  "127",
  "1.2.3",
  "1.2.3.4.5",
  "256.0.0.1",
  "010.0.0.1",
  "1.2.3.4 ",
  "-1.2.3.4",
  ":::1",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "::12345",
  "::g",
  "fe80::1%eth0",
  "[::1]",
  "1.2.3.4::1",
  ":1",
  "1:",
])("parseIP() refuses %j", (text) => {
  expect(parseIP(text)).toBeUndefined();
});

test("parseIP() leaves a canonical address as it is", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const once = parseIP(text);
      return once !== undefined && parseIP(once) === once;
    }),
  );
});
