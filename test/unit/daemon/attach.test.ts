import fc from "fast-check";
import { expect, test } from "vitest";
import { escapable, parseDetachKeys } from "../../../src/daemon/detach-keys.ts";
import type { Job } from "../../../src/engine/job.ts";
import { BufferWriter } from "../../../src/sync/io.ts";
import { pipe } from "../../../src/sync/pipe.ts";
import { type Fixture, fixture, settle } from "./fixture.ts";

/** An attached client. */
function attach({ eng }: Fixture, id: string, env: Record<string, unknown>) {
  const job: Job = eng.job("attach", id);
  job.importEnv(env);
  const [stdout, stderr] = [new BufferWriter(), new BufferWriter()];
  job.stdout.add(stdout);
  job.stderr.add(stderr);
  const typing = pipe();
  job.stdin.add(typing.reader);
  const gone = new AbortController();
  return { stdout, stderr, typing: typing.writer, gone, done: job.run({ signal: gone.signal }) };
}

const output = { stream: true, stdout: true, stderr: true };

test("attach before the start gets everything, and ends with the container", async () => {
  const f = await fixture();
  const id = await f.create();
  const client = attach(f, id, output);
  const next = f.exec.next();
  await f.run("start", [id]);
  const process = await next;
  await process.pipes.stdout.write("out");
  await process.pipes.stderr.write("err");
  process.exit(0);
  await client.done;
  expect([client.stdout.toString(), client.stderr.toString()]).toEqual(["out", "err"]);
});

test("attach ends when the start it waits for fails", async () => {
  const f = await fixture();
  const [id, off] = [await f.create({}, "web"), await f.create({}, "off")];
  f.daemon.containerGraph.set("/web/x", off);
  const client = attach(f, id, output);
  await expect(f.run("start", [id])).rejects.toThrow("Cannot link to a non running container: /off AS /web/x");
  await client.done;
  // Whoever joins from now on waits for the next one.
  f.daemon.containerGraph.delete("/web/x");
  const again = attach(f, id, output);
  const next = f.exec.next();
  await f.run("start", [id]);
  const process = await next;
  await process.pipes.stdout.write("out");
  process.exit(0);
  await again.done;
  expect(again.stdout.toString()).toBe("out");
});

test("attach replays the log before the live output, without a gap", async () => {
  const f = await fixture();
  const { id, process } = await f.start();
  await process.pipes.stdout.write("before\n");
  const client = attach(f, id, { ...output, logs: true });
  await process.pipes.stdout.write("after\n");
  await settle();
  process.exit(0);
  await client.done;
  expect(client.stdout.toString().startsWith("before\n")).toBe(true);
  expect(client.stdout.toString().endsWith("after\n")).toBe(true);
});

test("attach closes the container's input after the first client, when StdinOnce is set", async () => {
  const f = await fixture();
  const { id, process } = await f.start({ OpenStdin: true, StdinOnce: true });
  const client = attach(f, id, { ...output, stdin: true });
  const read = (async () => {
    const parts: Buffer[] = [];
    for await (const part of process.pipes.stdin ?? []) parts.push(Buffer.from(part));
    return Buffer.concat(parts).toString();
  })();
  await client.typing.write("typed");
  client.typing.close();
  expect(await read).toBe("typed");
  await process.pipes.stdout.write("answer");
  process.exit(0);
  await client.done;
  expect(client.stdout.toString()).toBe("answer");
});

test("attach leaves the container alone when the client's input ends without StdinOnce", async () => {
  const f = await fixture();
  const { id } = await f.start({ OpenStdin: true });
  const client = attach(f, id, { ...output, stdin: true });
  client.typing.close();
  await client.done;
  expect(f.daemon.mustGet(id).state.running).toBe(true);
});

test("attach to a terminal ends with Ctrl-P Ctrl-Q, and the container goes on", async () => {
  const f = await fixture();
  const { id, process } = await f.start({ OpenStdin: true, StdinOnce: true, Tty: true });
  const client = attach(f, id, { ...output, stdin: true });
  const typed: string[] = [];
  void (async () => {
    for await (const part of process.pipes.stdin ?? []) typed.push(Buffer.from(part).toString());
  })();
  await client.typing.write("ls\r");
  void client.typing.write("\x10\x11");
  await client.done;
  expect([typed.join(""), f.daemon.mustGet(id).state.running]).toEqual(["ls\r", true]);
});

test("attach ends when the client goes away, and its stuck stream no longer holds the container up", async () => {
  const f = await fixture();
  const { id, process } = await f.start();
  const job = f.eng.job("attach", id);
  job.importEnv(output);
  job.stdout.add({ write: () => new Promise<void>(() => undefined), close: () => undefined });
  const gone = new AbortController();
  const live = attach(f, id, output);
  void job.run({ signal: gone.signal }).catch(() => undefined);
  await settle();
  const full = process.pipes.stdout.write(Buffer.alloc(2 << 20));
  let written = false;
  void Promise.resolve(full).then(() => {
    written = true;
  });
  await settle();
  expect(written).toBe(false);
  gone.abort();
  await full;
  process.exit(0);
  await live.done;
  expect(live.stdout.bytes().length).toBe(2 << 20);
});

test("attach to no stream at all ends at once, and the container goes on", async () => {
  const f = await fixture();
  const waiting = await f.create();
  await attach(f, waiting, { stream: true }).done;
  const { id } = await f.start();
  await attach(f, id, { stream: true, stdin: true }).done; // its input is not open
  expect(f.daemon.mustGet(id).state.running).toBe(true);
});

test("attach knows no container", async () => {
  const f = await fixture();
  await expect(attach(f, "nope", output).done).rejects.toThrow("No such container: nope");
});

test("escapable() passes on a Ctrl-P that nothing comes of, however the keys arrive", () => {
  const keys = parseDetachKeys("");
  const type = (...typed: string[]) => {
    const filter = escapable(keys);
    const out: string[] = [];
    for (const text of typed) {
      const passed = filter(Buffer.from(text));
      out.push(Buffer.from(passed.bytes).toString());
      if (passed.detached) return `${out.join("")}|`;
    }
    return out.join("");
  };
  expect(type("ab\x10", "\x11cd")).toBe("ab|");
  expect(type("a\x10b", "c")).toBe("a\x10bc");
  expect(type("\x10\x10\x11")).toBe("\x10|");
  expect(type("\x10")).toBe("");
});

test("escapable() finds the keys wherever they are, and takes nothing else away", () => {
  // Few letters, so that beginnings of the keys overlap.
  const letter = fc.constantFrom("a", "b", "c");
  const text = fc.string({ unit: letter, maxLength: 12 });
  fc.assert(
    fc.property(fc.string({ unit: letter, minLength: 1, maxLength: 4 }), fc.array(text), (keys, pieces) => {
      const filter = escapable(Buffer.from(keys));
      let passed = "";
      let detached = false;
      for (const piece of pieces) {
        const typed = filter(Buffer.from(piece));
        passed += Buffer.from(typed.bytes).toString();
        detached = typed.detached;
        if (detached) break;
      }
      const all = pieces.join("");
      const at = all.indexOf(keys);
      expect(detached).toBe(at >= 0);
      if (detached) expect(passed).toBe(all.slice(0, at));
      else expect([all.startsWith(passed), keys.startsWith(all.slice(passed.length))]).toEqual([true, true]);
    }),
  );
});

test("parseDetachKeys() reads the keys of newer clients", () => {
  expect([...parseDetachKeys("ctrl-a,x")]).toEqual([1, 120]);
  expect([...parseDetachKeys("ctrl-[")]).toEqual([27]);
  expect(() => parseDetachKeys("ctrl-1")).toThrow("Invalid escape keys (ctrl-1) provided");
});
