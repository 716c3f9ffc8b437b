import { expect, test } from "vitest";
import { PortAllocator } from "../../../../src/daemon/networkdriver/portallocator/portallocator.ts";
import { type Endpoint, PortMapper } from "../../../../src/daemon/networkdriver/portmapper/mapper.ts";
import type { Host } from "../../../../src/host/host.ts";
import { Chain } from "../../../../src/pkg/iptables/chain.ts";
import { Iptables } from "../../../../src/pkg/iptables/iptables.ts";
import { fakeIptables } from "../../pkg/iptables/fake.ts";

const web: Endpoint = { proto: "tcp", ip: "172.17.0.2", port: 80 };

/** Ports that are held, and an error for those in `busy`. */
function mapperOf(busy: Record<number, string> = {}) {
  const held = new Set<string>();
  const net = {
    async forwardPort(proto: string, from: { host: string; port: number }) {
      const code = busy[from.port];
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      const key = `${from.host}:${from.port}/${proto}`;
      held.add(key);
      return { port: from.port, close: async () => void held.delete(key) };
    },
  } as unknown as Host["net"];
  const ports = new PortAllocator();
  const fake = fakeIptables();
  const iptables = new Iptables(fake.host);
  return { mapper: new PortMapper({ net }, ports, iptables), held, ports, fake, iptables };
}

// origin: daemon/networkdriver/portmapper/mapper_test.go TestMapPorts
test("PortMapper maps a port once and gives it back", async () => {
  const { mapper, held } = mapperOf();
  const host = await mapper.map(web, "0.0.0.0", 80);
  expect(host).toEqual({ proto: "tcp", ip: "0.0.0.0", port: 80 });
  expect([...held]).toEqual(["0.0.0.0:80/tcp"]);
  await expect(mapper.map(web, "0.0.0.0", 80)).rejects.toThrow("Bind for 0.0.0.0:80 failed: port is already allocated");
  await mapper.unmap(host);
  expect(held.size).toBe(0);
  await expect(mapper.unmap(host)).rejects.toThrow("port is not mapped");
  await mapper.map(web, "0.0.0.0", 80);
});

test("PortMapper.map() reports what another program has and keeps nothing", async () => {
  const { mapper, ports } = mapperOf({ 80: "EADDRINUSE", 81: "EACCES" });
  await expect(mapper.map(web, "0.0.0.0", 80)).rejects.toMatchObject({
    message: "Bind for 0.0.0.0:80 failed: port is already allocated",
    ipPort: "0.0.0.0:80",
  });
  await expect(mapper.map(web, "0.0.0.0", 81)).rejects.toThrow("listen tcp 0.0.0.0:81: permission denied");
  expect([80, 81].map((port) => ports.requestPort("0.0.0.0", "tcp", port))).toEqual([80, 81]);
});

test("PortMapper writes 1.2.0's two rules per port, none for loopback, and undoes them", async () => {
  const { mapper, fake, iptables } = mapperOf();
  mapper.setIptablesChain(await Chain.create(iptables, "DOCKER", "docker0"));
  const before = fake.rules();
  const host = await mapper.map(web, "0.0.0.0", 8080);
  await mapper.map(web, "127.0.0.1", 8080);
  expect(fake.rules().filter((rule) => !before.includes(rule))).toEqual([
    "filter FORWARD ! -i docker0 -o docker0 -p tcp -d 172.17.0.2 --dport 80 -j ACCEPT",
    "nat DOCKER -p tcp -d 0/0 --dport 8080 ! -i docker0 -j DNAT --to-destination 172.17.0.2:80",
  ]);
  await mapper.unmap(host);
  expect(fake.rules()).toEqual(before);
});

test("PortMapper.map() gives the port back when iptables refuses", async () => {
  const { mapper, fake, iptables, held } = mapperOf();
  mapper.setIptablesChain(await Chain.create(iptables, "DOCKER", "docker0"));
  fake.refuse = /--dport 80 /;
  await expect(mapper.map(web, "0.0.0.0", 8080)).rejects.toThrow(
    /^iptables failed: iptables --wait -I FORWARD ! -i docker0 .*: refused \(exit status 4\)$/,
  );
  expect(held.size).toBe(0);
});

test("PortMapper.map() leaves an address that is not this machine's to the rules alone", async () => {
  const { mapper, fake, iptables, held } = mapperOf({ 8095: "EADDRNOTAVAIL" });
  mapper.setIptablesChain(await Chain.create(iptables, "DOCKER", "docker0"));
  const before = fake.rules();
  const host = await mapper.map(web, "1.2.3.4", 8095);
  expect(host).toEqual({ proto: "tcp", ip: "1.2.3.4", port: 8095 });
  expect(held.size).toBe(0);
  expect(fake.rules()).toContain(
    "nat DOCKER -p tcp -d 1.2.3.4 --dport 8095 ! -i docker0 -j DNAT --to-destination 172.17.0.2:80",
  );
  await mapper.unmap(host);
  expect(fake.rules()).toEqual(before);
});

test("PortMapper.map() refuses an address that is not this machine's when no rule can carry it", async () => {
  const { mapper, iptables, ports } = mapperOf({ 8095: "EADDRNOTAVAIL" });
  const refusal = "cannot assign requested address";
  await expect(mapper.map(web, "1.2.3.4", 8095)).rejects.toThrow(`listen tcp 1.2.3.4:8095: ${refusal}`);
  mapper.setIptablesChain(await Chain.create(iptables, "DOCKER", "docker0"));
  await expect(mapper.map(web, "2001:db8::1", 8095)).rejects.toThrow(`listen tcp [2001:db8::1]:8095: ${refusal}`);
  expect(ports.requestPort("1.2.3.4", "tcp", 8095)).toBe(8095);
});
