import { expect, test } from "vitest";
import type { Host } from "../../../../src/host/host.ts";
import { build as buildHosts } from "../../../../src/pkg/networkfs/etchosts/etchosts.ts";
import * as resolvconf from "../../../../src/pkg/networkfs/resolvconf/resolvconf.ts";

/** Files by path, and nothing else. */
function filesOf(files: Record<string, string> = {}) {
  const fs = {
    readFile: async (path: string) => Buffer.from(files[path] ?? ""),
    writeFile: async (path: string, text: string, options: { mode: number }) => {
      expect(options.mode).toBe(0o644);
      files[path] = text;
    },
  } as unknown as Host["fs"];
  return { host: { fs }, files };
}

// origin: pkg/networkfs/resolvconf/resolvconf_test.go TestGetNameservers
test("getNameservers() finds IPv4 servers between comments and blanks", () => {
  for (const [text, servers] of [
    ["", []],
    ["search example.com", []],
    ["  nameserver 1.2.3.4  \nnameserver 40.3.200.10\nsearch example.com", ["1.2.3.4", "40.3.200.10"]],
    ["nameserver 1.2.3.4 # not 4.3.2.1\n#nameserver 4.3.2.1", ["1.2.3.4"]],
    ["nameserver ::1\nnameserver4.30.20.100", ["4.30.20.100"]],
  ] as const) {
    expect(resolvconf.getNameservers(text)).toEqual(servers);
    expect(resolvconf.getNameserversAsCIDR(Buffer.from(text))).toEqual(servers.map((server) => `${server}/32`));
  }
});

// origin: pkg/networkfs/resolvconf/resolvconf_test.go TestGetSearchDomains
test("getSearchDomains() takes the last search line", () => {
  for (const [text, domains] of [
    ["search example.com", ["example.com"]],
    ["search example.com # ignored", ["example.com"]],
    ["  search   foo.example.com  example.com\t", ["foo.example.com", "example.com"]],
    ["search a\nnameserver 1.2.3.4\nsearch b c", ["b", "c"]],
    ["search a\nsearch", []],
    ["nameserver 1.2.3.4", []],
  ] as const) {
    expect(resolvconf.getSearchDomains(text)).toEqual(domains);
  }
});

// origin: pkg/networkfs/resolvconf/resolvconf_test.go TestBuild, TestBuildWithZeroLengthDomainSearch
test("resolvconf.build() writes servers and domains; a single dot is no search line", async () => {
  const { host, files } = filesOf();
  await resolvconf.build("/r", ["ns1", "ns2"], ["search1", "search2"], host);
  expect(files["/r"]).toBe("nameserver ns1\nnameserver ns2\nsearch search1 search2\n");
  await resolvconf.build("/r", ["ns1"], ["."], host);
  expect(files["/r"]).toBe("nameserver ns1\n");
});

test("resolvconf.get() gives the host's file", async () => {
  expect(`${await resolvconf.get(filesOf({ "/etc/resolv.conf": "nameserver 9.9.9.9\n" }).host)}`).toBe(
    "nameserver 9.9.9.9\n",
  );
});

const DEFAULTS =
  "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n" +
  "ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

// origin: pkg/networkfs/etchosts/etchosts_test.go TestBuildHostnameDomainname, TestBuildHostname, TestBuildNoIP
test("etchosts.build() writes the container, the defaults, then the links", async () => {
  const { host, files } = filesOf();
  await buildHosts("/h", "10.11.12.13", "web", "example.com", new Map([["db", "10.0.0.2"]]), host);
  expect(files["/h"]).toBe(`10.11.12.13\tweb.example.com web\n${DEFAULTS}10.0.0.2\tdb\n`);
  await buildHosts("/h", "10.11.12.13", "web", "", undefined, host);
  expect(files["/h"]).toBe(`10.11.12.13\tweb\n${DEFAULTS}`);
  await buildHosts("/h", "", "web", "", undefined, host);
  expect(files["/h"]).toBe(DEFAULTS);
});
