import { expect, test } from "vitest";
import { Chain } from "../../../../src/pkg/iptables/chain.ts";
import { Iptables } from "../../../../src/pkg/iptables/iptables.ts";
import { canonical, canonicalNetwork, parseSave, splitLine } from "../../../../src/pkg/iptables/rules.ts";
import { Transaction, transact } from "../../../../src/pkg/iptables/transaction.ts";
import { fakeIptables } from "./fake.ts";

const words = (text: string) => text.split(" ");

test("canonical() makes a command and its line of iptables-save the same", () => {
  const pairs = [
    ["-s 172.17.42.1/16 ! -o docker0 -j MASQUERADE", "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"],
    [
      "-m addrtype --dst-type LOCAL ! --dst 127.0.0.0/8 -j DOCKER",
      "! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
    ],
    [
      "-p tcp -d 0/0 --dport 80 ! -i docker0 -j DNAT --to-destination 172.17.0.2:80",
      "! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:80",
    ],
    [
      "! -i docker0 -o docker0 -p tcp -d 172.17.0.2 --dport 80 -j ACCEPT",
      "-d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT",
    ],
    [
      "-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ],
  ];
  for (const [command = "", saved = ""] of pairs) expect(canonical(words(command))).toBe(canonical(words(saved)));
});

test("canonical() keeps apart what is not the same", () => {
  const rules = [
    "-i a -j DROP",
    "! -i a -j DROP",
    "-o a -j DROP",
    "-i a -j ACCEPT",
    "-i a -s 10.0.0.0/8 -j DROP",
    "-i a -s 10.0.0.0/9 -j DROP",
  ];
  expect(new Set(rules.map((rule) => canonical(words(rule)))).size).toBe(rules.length);
});

test("canonicalNetwork() masks", () => {
  expect(["172.17.42.1/16", "10.1.2.3", "0/0", "0.0.0.0/0", "10.255.255.255/12"].map(canonicalNetwork)).toEqual([
    "172.17.0.0/16",
    "10.1.2.3/32",
    "",
    "",
    "10.240.0.0/12",
  ]);
  expect(canonicalNetwork("not-an-address")).toBe("not-an-address");
});

test("parseSave() reads tables, chains and quoted words", () => {
  const rules = parseSave(
    '# x\n*nat\n:DOCKER - [0:0]\n-A DOCKER -m comment --comment "a \\"b\\" c" -j RETURN\nCOMMIT\n',
  );
  expect(rules.get("nat")?.get("DOCKER")).toEqual([["-m", "comment", "--comment", 'a "b" c', "-j", "RETURN"]]);
  expect(rules.get("filter")?.get("FORWARD")).toEqual([]);
  expect(splitLine('a "" b')).toEqual(["a", "", "b"]);
});

test("Iptables.raw() names the rule, the output and the status of a failure", async () => {
  const fake = fakeIptables();
  const iptables = new Iptables(fake.host);
  await expect(iptables.raw("-t", "nat", "-F", "NONE")).rejects.toThrow(
    "iptables failed: iptables --wait -t nat -F NONE: iptables: No chain/target/match by that name.\n (exit status 1)",
  );
  fake.installed = false;
  await expect(new Iptables(fake.host).raw("-L")).rejects.toThrow("Iptables not found");
});

test("Iptables asks once whether --wait is known", async () => {
  for (const [version, known] of [
    ["iptables v1.4.19", false],
    ["iptables v1.4.20", true],
    ["iptables v1.6", true],
    ["iptables v1.8.9 (nf_tables)", true],
    ["nonsense", false],
  ] as const) {
    const fake = fakeIptables(version);
    const iptables = new Iptables(fake.host);
    expect([await iptables.supportsXlock(), await iptables.supportsXlock()]).toEqual([known, known]);
    expect(fake.processes.length).toBe(1);
  }
});

test("Iptables traces its commands while DEBUG is set", async () => {
  const fake = fakeIptables();
  fake.host.env["DEBUG"] = "1";
  await new Iptables(fake.host).exists("FORWARD", "-j", "ACCEPT");
  expect(`${fake.stderr}`).toBe("[debug] /usr/sbin/iptables, [--wait -C FORWARD -j ACCEPT]\n");
});

test("Iptables.apply() does several changes with one process", async () => {
  const fake = fakeIptables();
  const iptables = new Iptables(fake.host);
  await iptables.apply([words("-t nat -A OUTPUT -j ACCEPT"), words("-I FORWARD -j DROP")]);
  expect(fake.rules()).toEqual(["filter FORWARD -j DROP", "nat OUTPUT -j ACCEPT"]);
  expect(fake.processes).toEqual(["iptables --version", "iptables-restore --wait --noflush"]);
});

test("Iptables.apply() takes a rule that is gone already for removed", async () => {
  const fake = fakeIptables();
  const iptables = new Iptables(fake.host);
  await iptables.apply([words("-A FORWARD -j DROP")]);
  await iptables.apply([words("-t nat -D OUTPUT -j ACCEPT"), words("-D FORWARD -j DROP")]);
  expect(fake.rules()).toEqual([]);
});

test("Transaction answers from what it read and from what it noted", async () => {
  const fake = fakeIptables();
  const iptables = new Iptables(fake.host);
  await iptables.raw(...words("-I FORWARD -i a -j DROP"));
  const transaction = (await Transaction.open(iptables))!;
  expect(await transaction.exists(...words("FORWARD -i a -j DROP"))).toBe(true);
  await transaction.raw(...words("-D FORWARD -i a -j DROP"));
  expect(await transaction.exists(...words("FORWARD -i a -j DROP"))).toBe(false);
  await expect(transaction.raw(...words("-D FORWARD -i a -j DROP"))).rejects.toThrow("Bad rule");
  await expect(transaction.raw(...words("-t nat -F NONE"))).rejects.toThrow("No chain/target/match by that name");
  await transaction.raw(...words("-t nat -N NEW"));
  await expect(transaction.raw(...words("-t nat -N NEW"))).rejects.toThrow("Chain already exists");
  expect(fake.rules()).toEqual(["filter FORWARD -i a -j DROP"]);
  expect(await transaction.commit()).toBe(true);
  expect(fake.rules()).toEqual([]);
  expect(await iptables.exists(...words("-t nat NEW -j ACCEPT"))).toBe(false);
});

test("transact() goes command by command when the whole is refused, and the error names the rule", async () => {
  const fake = fakeIptables();
  const iptables = new Iptables(fake.host);
  fake.refuse = /-j EVIL/;
  const work = async (run: { raw(...args: string[]): Promise<string> }) => {
    await run.raw(...words("-A FORWARD -j GOOD"));
    await run.raw(...words("-A FORWARD -j EVIL"));
  };
  await expect(transact(iptables, work)).rejects.toThrow(
    "iptables failed: iptables --wait -A FORWARD -j EVIL: refused",
  );
  expect(fake.rules()).toEqual(["filter FORWARD -j GOOD"]);
});

test("Chain.removeExisting() leaves nothing of any version", async () => {
  const fake = fakeIptables();
  const iptables = new Iptables(fake.host);
  await Chain.removeExisting(iptables, "DOCKER"); // nothing there: no error
  await Chain.create(iptables, "DOCKER", "docker0");
  for (const old of ["OUTPUT -m addrtype --dst-type LOCAL", "PREROUTING", "OUTPUT"]) {
    await iptables.raw(...words(`-t nat -A ${old} -j DOCKER`));
  }
  expect(fake.rules().length).toBe(5);
  await Chain.removeExisting(iptables, "DOCKER");
  expect(fake.rules()).toEqual([]);
  await Chain.create(iptables, "DOCKER", "docker0");
});
