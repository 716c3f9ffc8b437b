import { expect, test } from "vitest";
import { lookupUser } from "../../../../src/daemon/execdriver/native/user.ts";

const files = {
  passwd:
    "root:x:0:0:root:/root:/bin/sh\noperator:x:37:37:Operator:/var:/bin/false\n1000:x:0:0:trap:/:/bin/sh\nweb:x:33:33::/srv:\n" +
    "minus:x:-1:5::/:\nhuge:x:5:4294967295::/:\nmember:x:6:6::/:\n",
  group: "root:x:0:\naudio:x:29:web,operator\nvideo:x:44:web\noperator:x:37:\nfar:x:99999999999:member\n",
};

test.each([
  ["", { uid: 0, gid: 0, additionalGids: [] }],
  ["web", { uid: 33, gid: 33, additionalGids: [29, 44] }],
  ["33", { uid: 33, gid: 33, additionalGids: [29, 44] }],
  ["web:audio", { uid: 33, gid: 29, additionalGids: [] }],
  ["web:4321", { uid: 33, gid: 4321, additionalGids: [] }],
  ["1234:5678", { uid: 1234, gid: 5678, additionalGids: [] }],
  ["4242", { uid: 4242, gid: 0, additionalGids: [] }],
])("lookupUser() finds %j", (spec, expected) => {
  expect(lookupUser(spec, files)).toEqual(expected);
});

test("lookupUser() takes a number for a uid even if a name is spelt like it (CVE-2016-3697)", () => {
  expect(lookupUser("1000", files).uid).toBe(1000);
});

test.each([
  ["nobodyhere", "finalize namespace setup user get supplementary groups Unable to find user nobodyhere"],
  ["web:nogroup", "finalize namespace setup user get supplementary groups Unable to find group nogroup"],
  ["4294967296", "Uids and gids must be in range 0-2147483647"],
  ["-1", "Uids and gids must be in range 0-2147483647"],
  ["minus", "Uids and gids must be in range 0-2147483647"],
  ["huge", "Uids and gids must be in range 0-2147483647"],
  ["member", "Uids and gids must be in range 0-2147483647"],
  ["web:far", "Uids and gids must be in range 0-2147483647"],
])("lookupUser() refuses %s", (spec, message) => {
  expect(() => lookupUser(spec, files)).toThrow(message);
});
