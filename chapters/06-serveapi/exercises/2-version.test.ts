import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";

const { front } = await subject<typeof import("./2-version.solution.ts")>(import.meta.url);

const known = ["/_ping", "/info", "/version"];

/** What the original answered to GET on short, clean paths. */
const records: { request: { method: string; path: string }; response: { status: number; body: string } }[] =
  readFileSync(new URL("../../../test/golden/records/api-1.14.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(
      ({ request }) => request.method === "GET" && /^\/(v[^/?]*\/)?(_ping|info|version|nope)$/.test(request.path),
    );

test("exercise 2: every version on record is let in or refused as the original did", () => {
  expect(records.length).toBeGreaterThan(15);
  for (const { request, response } of records) {
    const expected = response.status === 200 ? undefined : { status: response.status, body: response.body };
    expect([request.path, front(request.path, known)]).toEqual([request.path, expected]);
  }
});

test("exercise 2: a path that nobody knows is not asked for its version", () => {
  expect(front("/v1.99/nope", known)).toEqual({ status: 404, body: "404 page not found\n" });
});

test("exercise 2: versions are compared as numbers, part by part", () => {
  expect(front("/v1.9/info", known)).toBeUndefined();
  expect(front("/v1.14.0/info", known)).toBeUndefined();
  expect(front("/v1.100/info", known)?.status).toBe(404);
});
