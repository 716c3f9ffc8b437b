import { expect, test } from "vitest";
import { MemoryLinks } from "../../../chapters/lib/memory-links.ts";
import { memoryNames } from "../../../chapters/lib/memory-names.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { newSqliteConn } from "../../../src/pkg/graphdb/conn-sqlite3.ts";
import type { Database } from "../../../src/pkg/graphdb/graphdb.ts";

/** Everything a daemon does with its names, and what it sees after each step. */
function session(names: Database): unknown[] {
  const attempt = (work: () => unknown) => {
    try {
      return work();
    } catch (cause) {
      return cause instanceof Error && cause.message.includes("edge.name") ? "taken" : String(cause);
    }
  };
  const steps: (() => unknown)[] = [
    () => names.set("/web", "1"),
    () => names.set("/db", "2"),
    () => names.set("/web/db", "2"),
    () => names.set("/db", "3"),
    () => names.set("/nope/child", "3"),
    () => names.rename("/web", "/www"),
    () => names.rename("/gone", "/x"),
    () => names.rename("/www", "/db"),
    () => names.delete("/www/db"),
    () => names.set("/www/store", "2"),
    () => names.purge("2"),
    () => names.purge("1"),
  ];
  return steps.map((step) => {
    const result = attempt(step);
    const ids = names.entities().sort();
    return [result, ids, [...names.list("/", -1)].sort(), ids.map((id) => [names.refs(id), names.refPaths(id).length])];
  });
}

test("memoryNames() answers as SQLite does", async () => {
  expect(session(memoryNames())).toEqual(session(await newSqliteConn(":memory:", memoryHost())));
});

test("MemoryLinks remembers a bridge with its address and its route, and forgets them with it", () => {
  const links = new MemoryLinks();
  const before = [links.list().length, links.addresses().length, links.routes().length];
  links.addBridge("docker0", "02:00:00:00:00:01");
  links.addAddress("docker0", "172.17.42.1/16");
  links.setUp("docker0");
  expect(links.list().at(-1)).toMatchObject({ name: "docker0", up: true, index: 3 });
  expect(links.addresses().at(-1)).toEqual({ index: 3, address: "172.17.42.1", prefix: 16 });
  expect(links.routes().at(-1)).toEqual({ destination: "172.17.0.0/16", gateway: undefined, index: 3 });
  expect(() => links.addBridge("docker0")).toThrow("EEXIST");
  expect(() => links.setUp("docker1")).toThrow("ENODEV");
  links.remove("docker0");
  expect([links.list().length, links.addresses().length, links.routes().length]).toEqual(before);
});

test("ManualClock.next says how long it takes until the next sleeper wakes up", async () => {
  const { clock } = memoryHost();
  expect(clock.next).toBeUndefined();
  void clock.sleep(30);
  void clock.sleep(20);
  await clock.advance(5);
  expect(clock.next).toBe(15);
});
