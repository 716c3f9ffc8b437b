import { expect, test } from "vitest";
import { Engine } from "../../../src/engine/engine.ts";
import { EVENTS_LIMIT, Events } from "../../../src/events/events.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import { BufferWriter } from "../../../src/sync/io.ts";
import { decodeNext } from "../../../src/utils/go-json-decode.ts";

function world() {
  const host = memoryHost({ now: 1_408_565_614_250 });
  const eng = new Engine(host);
  eng.logging = false;
  const events = new Events(host);
  events.install(eng);
  return { host, eng, events };
}

type World = ReturnType<typeof world>;

/** Runs the `events` job; `stop` is the client leaving. */
function read({ eng }: World, env: Record<string, string> = {}) {
  const job = eng.job("events");
  for (const [key, value] of Object.entries(env)) job.setenv(key, value);
  const output = new BufferWriter();
  job.stdout.add(output);
  const stop = new AbortController();
  const done = job.run({ signal: stop.signal });
  done.catch(() => undefined);
  return { job, done, stop: () => stop.abort(), text: () => output.toString() };
}

function objects(text: string): Record<string, unknown>[] {
  const all: Record<string, unknown>[] = [];
  for (let next = decodeNext(text); next; next = decodeNext(text, next.end))
    all.push(next.value as Record<string, unknown>);
  return all;
}

test("Events.install() adds three jobs", () => {
  expect(world().eng.commands()).toEqual(["commands", "events", "log", "subscribers_count"]);
});

test("the events job sends its headers first, then events without anything between", async () => {
  const w = world();
  const client = read(w);
  const order: unknown[] = [];
  client.job.stdout.add({ write: (chunk) => void order.push(chunk) });
  await w.host.clock.advance(0);
  expect(client.job.stdout.used()).toBe(true);
  await w.eng.job("log", "start", "c1", "busybox:latest").run();
  await w.eng.job("log", "untag", "i1", "").run();
  await w.host.clock.advance(0);
  expect(client.text()).toBe(
    '{"status":"start","id":"c1","from":"busybox:latest","time":1408565614}{"status":"untag","id":"i1","time":1408565614}',
  );
  client.stop();
  await client.done;
  expect(w.events.subscribersCount()).toBe(0);
});

// origin: events/events_test.go TestLogEvents
test("the events job repeats the last 64 events since a moment, and ends at once when until is now", async () => {
  const w = world();
  for (let i = 0; i < EVENTS_LIMIT + 16; i++) await w.eng.job("log", `action_${i}`, `cont_${i}`, `image_${i}`).run();
  const client = read(w, { since: "1", until: "1408565614" });
  await client.done;
  const found = objects(client.text());
  expect([found.length, found[0]?.["status"], found[63]?.["status"]]).toEqual([64, "action_16", "action_79"]);
});

test("the events job repeats nothing without since, and only what lies between since and until", async () => {
  const w = world();
  for (const action of ["a", "b", "c"]) {
    w.events.log(action, "x", "");
    await w.host.clock.advance(10_000);
  }
  const all = read(w);
  const some = read(w, { since: "1408565624", until: "1408565624" });
  await some.done;
  expect(objects(some.text()).map((event) => event["status"])).toEqual(["b"]);
  all.stop();
  await all.done;
  expect(all.text()).toBe("");
});

test("the events job ends when the wall clock reaches until, and outlasts a far one", async () => {
  const w = world();
  const near = read(w, { until: "1408565616" });
  const far = read(w, { until: "99999999999" });
  await w.host.clock.advance(1_000);
  w.events.log("start", "c1", "");
  await w.host.clock.advance(749);
  expect(w.events.subscribersCount()).toBe(2);
  await w.host.clock.advance(2);
  await near.done;
  expect([objects(near.text()).length, w.events.subscribersCount()]).toEqual([1, 1]);
  await w.host.clock.advance(40 * 86_400_000);
  expect(w.events.subscribersCount()).toBe(1);
  far.stop();
  await far.done;
  expect(w.host.clock.sleepers).toBe(0);
});

test("the log job wants three arguments", async () => {
  const w = world();
  await expect(w.eng.job("log", "start").run()).rejects.toThrow("usage: log ACTION ID FROM");
  await expect(w.eng.job("log", "a", "b", "c", "d").run()).rejects.toThrow("usage: log ACTION ID FROM");
});

test("the subscribers_count job counts who reads", async () => {
  const w = world();
  w.events.subscribe();
  const second = w.events.subscribe();
  const count = async () => {
    const job = w.eng.job("subscribers_count");
    const output = new BufferWriter();
    job.stdout.add(output);
    await job.run();
    return output.toString();
  };
  expect(await count()).toBe('{"count":2}\n');
  w.events.unsubscribe(second);
  expect(await count()).toBe('{"count":1}\n');
});

test("the events job fails with the client's error, and lets go of it", async () => {
  const w = world();
  const client = read(w);
  client.job.stdout.add({
    write: (chunk) => (chunk.length > 0 ? Promise.reject(new Error("write EPIPE")) : undefined),
  });
  await w.host.clock.advance(0);
  w.events.log("start", "c1", "");
  await expect(client.done).rejects.toThrow("write EPIPE");
  expect(w.events.subscribersCount()).toBe(0);
});

test("the events job does not begin for a client that has left", async () => {
  const w = world();
  const stop = new AbortController();
  stop.abort();
  await w.eng.job("events").run({ signal: stop.signal });
  expect(w.events.subscribersCount()).toBe(0);
});

test("a subscriber that does not read delays nobody and loses what does not fit after 100 ms", async () => {
  const w = world();
  const stuck = w.events.subscribe();
  const quick = read(w);
  await w.host.clock.advance(0);
  for (let i = 0; i < 1024; i++) w.events.log(`a${i}`, "x", "");
  await w.host.clock.advance(100);
  for (let i = 1024; i < 1200; i++) w.events.log(`a${i}`, "x", "");
  await w.host.clock.advance(0);
  expect(objects(quick.text())).toHaveLength(1200);
  const seen: string[] = [];
  for await (const event of stuck) {
    seen.push(event.status);
    if (seen.length === 1024) break;
  }
  expect(seen[1023]).toBe("a1023");
  quick.stop();
  await quick.done;
});

test("the events job prints today's form with actor and nanoseconds, one object per line", async () => {
  const w = world();
  const client = read(w, { format: "actor" });
  await w.host.clock.advance(0);
  const job = w.eng.job("log", "die", "c1", "busybox:latest");
  job.setenvJson("attributes", { name: "web<1>", exitCode: "3" });
  await job.run();
  await w.eng.job("log", "delete", "sha1", "").run();
  const network = w.eng.job("log", "connect", "n1", "");
  network.setenv("type", "network");
  await network.run();
  await w.host.clock.advance(0);
  const [die, del, connect] = client.text().split("\n");
  expect(die).toBe(
    '{"status":"die","id":"c1","from":"busybox:latest","Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":' +
      '{"exitCode":"3","image":"busybox:latest","name":"web\\u003c1\\u003e"}},"scope":"local","time":1408565614,' +
      '"timeNano":1408565614250000000}',
  );
  expect(JSON.parse(del ?? "")).toMatchObject({
    Type: "image",
    Action: "delete",
    Actor: { ID: "sha1", Attributes: {} },
  });
  expect(JSON.parse(connect ?? "")).toMatchObject({ Type: "network", Action: "connect" });
  client.stop();
  await client.done;
});

test("the events job reads fractions of seconds in today's form, and refuses what is no time", async () => {
  const w = world();
  w.events.log("early", "x", "");
  await w.host.clock.advance(500);
  w.events.log("late", "x", "");
  const client = read(w, { format: "actor", since: "1408565614.5", until: "1408565614.75" });
  await client.done;
  expect(objects(client.text()).map((event) => event["status"])).toEqual(["late"]);
  const all = read(w, { format: "actor", since: "0", until: "1408565614.75" });
  await all.done;
  expect(objects(all.text()).map((event) => event["status"])).toEqual(["early", "late"]);
  await expect(read(w, { format: "actor", since: "yesterday" }).done).rejects.toMatchObject({ statusCode: 400 });
});

test.each([
  [{ type: ["container"] }, ["start", "exec_start: ls", "die"]],
  [{ type: { image: true } }, ["pull"]],
  [{ event: ["start"] }, ["start"]],
  [{ event: ["exec_start"] }, ["exec_start: ls"]],
  [{ event: ["exec"] }, []],
  [{ container: ["c1"] }, ["start", "exec_start: ls"]],
  [{ container: ["we"] }, ["start", "exec_start: ls"]],
  [{ image: ["busybox"] }, ["start", "exec_start: ls", "pull"]],
  [{ image: ["busybox:latest"] }, ["start", "exec_start: ls", "pull"]],
  [{ image: ["h:5000/busybox"] }, ["die"]],
  [{ image: ["i1"] }, ["pull"]],
  [{ label: ["tier=db"] }, ["die"]],
  [{ label: ["tier", "x"] }, ["die"]],
  [{ label: ["tier=web"] }, []],
  [{ scope: ["local"], type: ["image"] }, ["pull"]],
  [{ scope: ["swarm"] }, []],
  [{ volume: ["c1"] }, []],
  [{ type: [] }, ["start", "exec_start: ls", "pull", "die"]],
  [{ type: ["container"], event: ["die", "pull"] }, ["die"]],
])("the events job lets %j through", async (filters, actions) => {
  const w = world();
  const attributes = { name: "web" };
  w.events.log("start", "c1", "busybox:latest", { attributes });
  w.events.log("exec_start: ls", "c1", "busybox:latest", { attributes });
  w.events.log("pull", "i1", "", { attributes: { name: "busybox:latest" } });
  w.events.log("die", "c2", "h:5000/busybox", { attributes: { name: "db", tier: "db", x: "" } });
  const client = read(w, { format: "actor", since: "1", until: "1408565615", filters: JSON.stringify(filters) });
  await w.host.clock.advance(1_000);
  await client.done;
  expect(objects(client.text()).map((event) => event["status"])).toEqual(actions);
});

test.each([
  ['{"colour":["red"]}', "invalid filter 'colour'"],
  ['{"__proto__":["x"]}', "invalid filter '__proto__'"],
  ["[]", "invalid filter"],
  ['{"type":"x"}', "invalid filter"],
  ['{"type":[1]}', "invalid filter"],
  ["{", "unexpected end of JSON input"],
])("the events job refuses the filters %s", async (filters, message) => {
  await expect(read(world(), { filters }).done).rejects.toMatchObject({ message, statusCode: 400 });
});
