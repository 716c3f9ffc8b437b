import fc from "fast-check";
import { expect, test } from "vitest";
import { IPAllocator } from "../../../../src/daemon/networkdriver/ipallocator/allocator.ts";
import { contains, type IPNet, networkSize } from "../../../../src/daemon/networkdriver/utils.ts";

const network: IPNet = { ip: "172.17.42.1", prefix: 16 };

// origin: daemon/networkdriver/ipallocator/allocator_test.go TestRequestNewIps
test("IPAllocator.requestIP() gives addresses in turn, without the first of the network", () => {
  const ips = new IPAllocator();
  expect([1, 2, 3].map(() => ips.requestIP(network))).toEqual(["172.17.0.2", "172.17.0.3", "172.17.0.4"]);
});

// origin: daemon/networkdriver/ipallocator/allocator_test.go TestReleaseIp
test("IPAllocator uses an address again only when it has been round", () => {
  const ips = new IPAllocator();
  const small: IPNet = { ip: "192.168.0.1", prefix: 29 };
  const all = [2, 3, 4, 5, 6].map((last) => `192.168.0.${last}`);
  expect(all.map(() => ips.requestIP(small))).toEqual(all);
  expect(() => ips.requestIP(small)).toThrow("no available ip addresses on network");
  ips.releaseIP(small, "192.168.0.4");
  ips.releaseIP(small, "192.168.0.2");
  expect([ips.requestIP(small), ips.requestIP(small)]).toEqual(["192.168.0.2", "192.168.0.4"]);
  expect(() => ips.requestIP(small)).toThrow("no available ip addresses on network");
});

// origin: daemon/networkdriver/ipallocator/allocator_test.go TestRequesetSpecificIp
test("IPAllocator.requestIP() gives a certain address once", () => {
  const ips = new IPAllocator();
  expect(ips.requestIP(network, "172.17.0.9")).toBe("172.17.0.9");
  expect(() => ips.requestIP(network, "172.17.0.9")).toThrow("ip already allocated");
  expect(() => ips.requestIP(network, "10.0.0.9")).toThrow("requested ip is out of range");
  expect(ips.requestIP(network)).toBe("172.17.0.10");
});

test("IPAllocator.registerSubnet() keeps to a part of the network", () => {
  const ips = new IPAllocator();
  ips.registerSubnet(network, { ip: "172.17.9.0", prefix: 29 });
  const got = [1, 2, 3, 4, 5, 6].map(() => ips.requestIP(network));
  expect(got).toEqual([1, 2, 3, 4, 5, 6].map((last) => `172.17.9.${last}`));
  expect(() => ips.requestIP(network)).toThrow("no available ip addresses on network");
  expect(() => ips.registerSubnet(network, { ip: "172.17.9.0", prefix: 29 })).toThrow("network already registered");
  const other = new IPAllocator();
  const outside = { ip: "10.0.0.0", prefix: 24 };
  expect(() => other.registerSubnet(network, outside)).toThrow("network does not contain specified subnet");
});

test("IPAllocator never gives one address twice, nor the gateway's, nor one of another network", () => {
  const step = fc.oneof(
    fc.constant("take" as const),
    fc.nat(20).map((index) => ({ free: index })),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 24, max: 29 }),
      fc.nat(6),
      fc.array(step, { maxLength: 120 }),
      (prefix, gateway, steps) => {
        const ips = new IPAllocator();
        const own: IPNet = { ip: `10.1.1.${(gateway % (networkSize(prefix) - 2)) + 1}`, prefix };
        const taken: string[] = [];
        for (const one of steps) {
          if (one === "take") {
            try {
              const ip = ips.requestIP(own);
              expect(taken).not.toContain(ip);
              expect(ip).not.toBe(own.ip);
              expect(contains(own, ip)).toBe(true);
              taken.push(ip);
            } catch (cause) {
              expect(String(cause)).toContain("no available");
              expect(taken.length).toBeGreaterThanOrEqual(networkSize(prefix) - 4);
            }
          } else if (taken.length > 0) {
            ips.releaseIP(own, taken.splice(one.free % taken.length, 1)[0]!);
          }
        }
      },
    ),
  );
});
