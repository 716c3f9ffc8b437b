import fc from "fast-check";
import { expect, test } from "vitest";
import { isLeftover, macOf } from "../../../../src/daemon/networkdriver/interface.ts";
import {
  checkNameserverOverlaps,
  checkRouteOverlaps,
  formatCIDR,
  getIfaceAddr,
  intToIP,
  ipToInt,
  maskText,
  networkOverlaps,
  networkRange,
  networkSize,
  parseCIDR,
} from "../../../../src/daemon/networkdriver/utils.ts";

// origin: daemon/networkdriver/network_test.go TestNetworkRange
test("networkRange() and networkSize() give first, last and number", () => {
  const range = (text: string) => networkRange(parseCIDR(text)).map(intToIP);
  expect(range("192.168.0.1/24")).toEqual(["192.168.0.0", "192.168.0.255"]);
  expect(range("10.0.0.1/8")).toEqual(["10.0.0.0", "10.255.255.255"]);
  expect(range("10.1.2.3/32")).toEqual(["10.1.2.3", "10.1.2.3"]);
  expect(range("10.1.2.3/31")).toEqual(["10.1.2.2", "10.1.2.3"]);
  expect(range("255.1.2.3/0")).toEqual(["0.0.0.0", "255.255.255.255"]);
  expect([24, 8, 32, 0].map(networkSize)).toEqual([256, 16_777_216, 1, 4_294_967_296]);
  expect([16, 24, 0, 30].map(maskText)).toEqual(["ffff0000", "ffffff00", "00000000", "fffffffc"]);
});

// origin: daemon/networkdriver/network_test.go TestNetworkOverlaps
test("networkOverlaps() sees networks inside each other, either way round", () => {
  const overlap = (a: string, b: string) => networkOverlaps(parseCIDR(a), parseCIDR(b));
  expect(overlap("172.16.0.1/24", "172.16.0.1/25")).toBe(true);
  expect(overlap("172.16.0.1/25", "172.16.0.1/24")).toBe(true);
  expect(overlap("172.16.0.0/16", "172.17.0.0/16")).toBe(false);
});

test("parseCIDR() reads back what formatCIDR() wrote, and has Go's words for the rest", () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.nat(32), (ip, prefix) => {
      expect(parseCIDR(formatCIDR({ ip, prefix }))).toEqual({ ip, prefix });
      expect(intToIP(ipToInt(ip))).toBe(ip);
    }),
  );
  for (const wrong of ["", "1.2.3.4", "1.2.3.4/33", "1.2.3/8", "1.2.3.256/8", "a/8", "1.2.3.4/8x"]) {
    expect(() => parseCIDR(wrong)).toThrow(`invalid CIDR address: ${wrong}`);
  }
});

// origin: daemon/networkdriver/network_test.go TestOverlapingNameservers, TestNonOverlapingNameservers
test("checkNameserverOverlaps() and checkRouteOverlaps() keep away from what is in use", () => {
  const network = parseCIDR("10.0.2.0/16");
  expect(() => checkNameserverOverlaps(["10.0.2.3/32"], network)).toThrow("requested network overlaps with nameserver");
  checkNameserverOverlaps(["192.168.102.1/32"], network);
  const routes = (destination: string) => ({ routes: () => [{ destination, gateway: undefined, index: 1 }] });
  expect(() => checkRouteOverlaps(routes("10.0.2.0/24"), network)).toThrow(
    "requested network overlaps with existing network",
  );
  checkRouteOverlaps(routes("0.0.0.0/0"), network);
});

test("getIfaceAddr() takes the first address and says so", () => {
  const links = (...addresses: string[]) => ({
    list: () => [{ index: 3, name: "docker0", up: true, mtu: 1500, mac: "", master: 0 }],
    addresses: () => addresses.map((address) => ({ index: 3, address, prefix: 16 })),
  });
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  expect(getIfaceAddr(links("172.17.42.1", "10.0.0.1"), "docker0", print)).toEqual({ ip: "172.17.42.1", prefix: 16 });
  expect(lines).toEqual(["Interface docker0 has more than 1 IPv4 address. Defaulting to using 172.17.42.1"]);
  expect(() => getIfaceAddr(links(), "docker0", print)).toThrow("Interface docker0 has no IP addresses");
  expect(() => getIfaceAddr(links(), "br0", print)).toThrow("no such network interface");
});

test("macOf() follows the address; isLeftover() knows the links of daemons that are gone", () => {
  expect(macOf("172.17.0.2")).toBe("02:42:ac:11:00:02");
  const alive = (pid: number) => (pid === 7 ? "100" : undefined);
  const host = { kernel: { processStartTime: alive } } as unknown as Parameters<typeof isLeftover>[0];
  expect(isLeftover(host, "drydock 7 100 abc")).toBe(false);
  expect(isLeftover(host, "drydock 7 99 abc")).toBe(true);
  expect(isLeftover(host, "drydock 8 100 abc")).toBe(true);
  expect(isLeftover(host, "somebody else's")).toBe(false);
  expect(isLeftover(host, undefined)).toBe(false);
});
