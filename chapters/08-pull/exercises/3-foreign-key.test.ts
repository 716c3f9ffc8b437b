import { expect, test } from "vitest";
import { deferred } from "../../../src/sync/deferred.ts";
import { imageStore } from "../../../test/support/image-store.ts";
import { subject } from "../../lib/exercise.ts";
import { OldPool } from "./3-foreign-key.ts";

const { story } = await subject<typeof import("./3-foreign-key.solution.ts")>(import.meta.url);

test("exercise 3: at the end of your story two clients download the same layer", () => {
  const pool = new OldPool();
  for (const [client, call] of story()) pool[call](client);
  expect(pool.downloading.length).toBeGreaterThanOrEqual(2);
});

test("exercise 3: on our pool the same story has one download at a time", async () => {
  const { store } = await imageStore();
  const running = new Set<string>();
  let most = 0;
  const works = new Map<string, ReturnType<typeof deferred<void>>>();
  for (const [client, call] of story()) {
    if (call === "end") works.get(client)?.resolve();
    else {
      const end = deferred();
      const work = async () => {
        most = Math.max(most, running.add(client).size);
        await end.promise;
        running.delete(client);
      };
      try {
        store.poolAdd("pull", "layer:x", work);
        works.set(client, end);
      } catch {
        // It waits.
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(most).toBe(1);
});
