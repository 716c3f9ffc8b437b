import { expect, test } from "vitest";
import { deferred } from "../../../src/sync/deferred.ts";
import { subject } from "../../lib/exercise.ts";

const { buffered } = await subject<typeof import("./3-gate.solution.ts")>(import.meta.url);

function queue(...connections: string[]) {
  const calls: string[] = [];
  return {
    calls,
    async accept() {
      const connection = connections.shift() ?? expect.unreachable("nobody is left");
      calls.push(connection);
      return connection;
    },
  };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test("exercise 3: before the gate opens nobody is taken from the queue", async () => {
  const inner = queue("a", "b");
  const gate = deferred();
  const listener = buffered(inner, gate.promise);
  const first = listener.accept();
  await settle();
  expect(inner.calls).toEqual([]);
  gate.resolve();
  expect([await first, await listener.accept()]).toEqual(["a", "b"]);
});

test("exercise 3: two listeners share one gate", async () => {
  const gate = deferred();
  const [unix, tcp] = [buffered(queue("unix"), gate.promise), buffered(queue("tcp"), gate.promise)];
  const both = Promise.all([unix.accept(), tcp.accept()]);
  gate.resolve();
  expect(await both).toEqual(["unix", "tcp"]);
});

test("exercise 3: what the inner listener throws comes through", async () => {
  const broken = { accept: () => Promise.reject(new Error("use of closed network connection")) };
  await expect(buffered(broken, Promise.resolve()).accept()).rejects.toThrow("use of closed network connection");
});
