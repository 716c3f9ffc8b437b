import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";

const { statusOf } = await subject<typeof import("./1-status.solution.ts")>(import.meta.url);

/** Answers of the original whose body is the text of a failure, and nothing but it. */
const answers: { request: { method: string; path: string }; response: { status: number; body: string } }[] =
  readFileSync(new URL("../../../test/golden/records/api-1.14.jsonl", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(
      ({ response, request }) =>
        response.bodyType === "text" &&
        response.headers["Content-Type"]?.startsWith("text/plain") &&
        [400, 404, 406, 409, 500].includes(response.status) &&
        // These three do not come from a job.
        !/^(404 page not found|This is now implemented|client and server)/.test(response.body) &&
        !request.path.includes("/attach/ws"),
    );

test("exercise 1: every failure on record has the status that its text says", () => {
  expect(answers.length).toBeGreaterThan(100);
  const wrong = answers.filter(({ response }) => statusOf(response.body) !== response.status);
  expect(wrong.map(({ request, response }) => `${request.method} ${request.path}: ${response.body}`)).toEqual([]);
});

test("exercise 1: the first question that fits decides", () => {
  expect(statusOf("Conflict: No such container: web")).toBe(404);
  expect(statusOf("Impossible: Conflict")).toBe(409);
  expect(statusOf("Wrong login/password, please try again")).toBe(401);
  expect(statusOf("Account hasn't been activated")).toBe(403);
});

test("exercise 1: capitals count", () => {
  expect(statusOf("no such container: web")).toBe(500);
});
