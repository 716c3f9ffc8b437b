import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { ask, follow } from "../demo.ts";

const { requests } = await subject<typeof import("./1-requests.solution.ts")>(import.meta.url);

/** What a real pull asked for after its pings. */
async function real(...args: string[]) {
  const { sent, shelf } = await follow(ask(args));
  const ids = Object.fromEntries([...shelf.roles].map(([id, role]) => [role, id]));
  const paths = sent.filter(({ step }) => step !== "ping").map(({ path }) => path.slice("/v1/".length));
  return { paths, ids: ids as { base: string; app: string; tools: string } };
}

test("exercise 1: nothing is here yet", async () => {
  const { paths, ids } = await real("app:1.0");
  expect(requests("app", [ids.app, ids.base], new Set())).toEqual(paths);
});

test("exercise 1: some of it is here, or all of it", async () => {
  const { paths, ids } = await real("--have", "base:1.0", "tools:1.0");
  expect(requests("tools", [ids.tools, ids.base], new Set([ids.base]))).toEqual(paths);
  const all = await real("--have", "app:1.0", "app:1.0");
  expect(requests("app", [ids.app, ids.base], new Set([ids.app, ids.base]))).toEqual(all.paths);
});

test("exercise 1: a repository with a namespace", () => {
  expect(requests("user/app", ["c", "b", "a"], new Set(["a"]))).toEqual([
    "repositories/user/app/images",
    "repositories/user/app/tags",
    "images/c/ancestry",
    "images/b/json",
    "images/b/layer",
    "images/c/json",
    "images/c/layer",
  ]);
});
