import { expect, test } from "vitest";
import { Engine } from "../../../src/engine/engine.ts";
import type { JobResponse } from "../../../src/engine/http.ts";
import { memoryHost } from "../../../src/host/memory/memory.ts";

/** A response that remembers. */
function response() {
  const seen = { headers: {} as Record<string, unknown>, status: 0, body: "", flushed: 0, ended: false };
  const made = {
    setHeader: (name: string, value: unknown) => void (seen.headers[name] = value),
    writeHead: (status: number) => void (seen.status = status),
    flushHeaders: () => void seen.flushed++,
    write(chunk: Uint8Array | string, done: (error?: Error) => void) {
      seen.body += chunk.toString();
      done();
      return true;
    },
    end: () => void (seen.ended = true),
    get writableEnded() {
      return seen.ended;
    },
  };
  return { seen, made: made as unknown as JobResponse };
}

function engine(): Engine {
  const eng = new Engine(memoryHost());
  eng.register("echo", async (job) => {
    await job.stdout.write("");
    await job.printf(`${job.args.join("|")}\n`);
    return job.errorf("and an error");
  });
  return eng;
}

test("Engine.serveHTTP() runs the job named by the path and mixes both streams, always with 200", async () => {
  const { seen, made } = response();
  await engine().serveHTTP(made, { url: "/v1.14/echo?a=x&b=no&a=y%20z" });
  expect(seen).toEqual({
    headers: { "Job-Name": "echo", "Job-Args": ["x", "y z"] },
    status: 200,
    body: "x|y z\nand an error\n",
    flushed: 1,
    ended: true,
  });
});

test("Engine.serveHTTP() answers 200 with the error in the body for an unknown job", async () => {
  const { seen, made } = response();
  await engine().serveHTTP(made, { url: "/nope" });
  expect([seen.status, seen.body, seen.headers]).toEqual([200, "nope: command not found\n", { "Job-Name": "nope" }]);
});

test("Engine.serveHTTP() lets no line end into a header and survives odd paths", async () => {
  const eng = engine();
  const first = response();
  await eng.serveHTTP(first.made, { url: "/echo?a=x%0d%0aSet-Cookie:%20a&a=%C3%A9" });
  expect(first.seen.headers["Job-Args"]).toEqual(["x  Set-Cookie: a", "\u00c3\u00a9"]);
  for (const url of ["/", "", "//host/x", "/%zz", "/?a", undefined]) {
    const { seen, made } = response();
    await eng.serveHTTP(made, url === undefined ? {} : { url });
    expect(seen.status).toBe(200);
  }
});

test("Engine.serveHTTP() ends the job's writing when the client is gone", async () => {
  const { made } = response();
  made.write = ((_chunk: unknown, done: (error: Error) => void) => {
    done(new Error("write EPIPE"));
    return false;
  }) as unknown as JobResponse["write"];
  const eng = new Engine(memoryHost());
  let failure: unknown;
  eng.register("stream", async (job) => {
    await job.printf("x").catch((error: unknown) => {
      failure = error;
    });
  });
  await eng.serveHTTP(made, { url: "/stream" });
  expect(failure).toMatchObject({ message: "write EPIPE" });
});
