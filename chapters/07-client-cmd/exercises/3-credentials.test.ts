import { expect, test } from "vitest";
import { encodeAuthHeader } from "../../../src/api/client/config-file.ts";
import { subject } from "../../lib/exercise.ts";
import { follow } from "../trace.ts";

const { readCredentials } = await subject<typeof import("./3-credentials.solution.ts")>(import.meta.url);

/** The head of the first request of a command line. */
async function headOf(...line: string[]): Promise<string> {
  const request = (await follow(line)).rounds[0]?.request;
  return [request?.first, ...(request?.headers ?? []).map(([name, value]) => `${name}: ${value}`)].join("\r\n");
}

test("exercise 3: a recorded pull names its user and the password", async () => {
  expect(readCredentials(await headOf("HOME=/home/me", "pull", "busybox"))).toEqual({
    username: "me",
    password: "s3cret",
  });
});

test("exercise 3: without credentials the header is there, and names nobody", async () => {
  expect(readCredentials(await headOf("pull", "busybox"))).toBeUndefined();
  expect(readCredentials(await headOf("images"))).toBeUndefined();
});

test("exercise 3: base64 for URLs has - and _ where the usual one has + and /", () => {
  const value = encodeAuthHeader({ username: "ü?>", password: "~~~???" });
  expect(value).toMatch(/[-_]/);
  expect(readCredentials(`POST /x HTTP/1.1\r\nx-registry-auth: ${value}\r\n`)).toEqual({
    username: "ü?>",
    password: "~~~???",
  });
});
