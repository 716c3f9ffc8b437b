import { expect, test } from "vitest";
import { clearImmediate, setImmediate, setTimeout } from "../../../book/site/shims/globals.ts";

test("in a page, too, everything immediate comes before a timer, and several timers come", async () => {
  const seen: string[] = [];
  const chain = (name: string, left: number): void => {
    seen.push(name);
    if (left > 0) setImmediate(() => chain(name, left - 1));
  };
  const timers = ["one", "two", "three"].map(
    (name) => new Promise<void>((resolve) => setTimeout(() => resolve(void seen.push(name)))),
  );
  setImmediate(() => chain("a", 3));
  setImmediate(() => chain("b", 3));
  clearImmediate(setImmediate(() => chain("never", 0)));
  // Blocks until the timers have gone off.
  for (const end = performance.now() + 10; performance.now() < end; );
  await Promise.all(timers);
  expect(seen).toEqual(["a", "b", "a", "b", "a", "b", "a", "b", "one", "two", "three"]);
});
