import { expect, test } from "vitest";
import { subject } from "../../lib/exercise.ts";
import { headerOf } from "../messages.ts";
import { follow, type Trace } from "../trace.ts";
import { addresses } from "../world.ts";

const { wire } = await subject<typeof import("./2-wire.solution.ts")>(import.meta.url);

const at = ["-H", addresses.plain];

/** What the client sent. */
function sent({ rounds }: Trace) {
  const request = rounds[0]?.request;
  return { line: request?.first.replace(/ HTTP.*/, ""), host: request && headerOf(request, "Host") };
}

test("exercise 2: a path gets the daemon's address, a URL keeps the host it names", async () => {
  const address = addresses.plain.replace("tcp://", "");
  const [called, streamed] = [await follow([...at, "ps"]), await follow([...at, "pull", "busybox"])];
  expect(wire("GET", "/v1.14/containers/json", address)).toEqual(sent(called));
  expect(wire("POST", "http://v1.14/images/create?fromImage=busybox&tag=", address)).toEqual(sent(streamed));
});

test("exercise 2: mended as in 1.3.0, the version is in the path again", () => {
  expect(wire("GET", "/v1.14/events", "d:1")).toEqual({ line: "GET /v1.14/events", host: "d:1" });
});
