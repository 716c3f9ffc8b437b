import { expect, test } from "vitest";
import { memoryHost } from "../../../src/host/memory/memory.ts";
import type { FetchOptions } from "../../../src/host/net.ts";
import { HttpClient } from "../../../src/registry/client.ts";
import { insecurePolicy } from "../../../src/registry/insecure.ts";
import { trustedLocation } from "../../../src/registry/session.ts";
import { readAll } from "../../../src/sync/io.ts";

type Answer = (url: URL, options: FetchOptions) => Response;

function client(answer: Answer, files: Record<string, string> = {}, insecure: string[] = []) {
  const calls: { url: string; options: FetchOptions }[] = [];
  const host = memoryHost({
    files,
    fetch: async (url, options = {}) => {
      calls.push({ url, options });
      return answer(new URL(url), options);
    },
  });
  return { host, calls, http: new HttpClient(host, { insecure: insecurePolicy(insecure), certsDir: "/certs" }) };
}

const header = (options: FetchOptions | undefined, name: string) => new Headers(options?.headers).get(name);
const redirect = (to: string) => new Response(null, { status: 302, headers: { Location: to } });

test("HttpClient follows ten redirects and not one more", async () => {
  const { http, calls } = client((url) => redirect(`https://r.test/${Number(url.pathname.slice(1)) + 1}`));
  await expect(http.send({ url: "https://r.test/0" })).rejects.toThrow(
    "Get https://r.test/0: stopped after 10 redirects",
  );
  expect(calls).toHaveLength(11);
});

test("HttpClient keeps Authorization for its own origin, and follows nothing but http and https", async () => {
  const headers = { Authorization: "Basic x", "X-Meta-A": "1" };
  for (const [to, expected] of [
    ["https://r.test/next", "Basic x"],
    ["https://other.test/next", null],
    ["https://r.test:444/next", null],
  ] as const) {
    const { http, calls } = client((url) => (url.pathname === "/" ? redirect(to) : new Response("ok")));
    const response = await http.send({ url: "https://r.test/", headers });
    await response.discard();
    expect([header(calls[1]?.options, "authorization"), header(calls[1]?.options, "x-meta-a")]).toEqual([
      expected,
      "1",
    ]);
  }
  const { http } = client((url) => redirect(url.pathname === "/a" ? "file:///etc/passwd" : "http://other.test/"));
  await expect(http.send({ url: "https://r.test/a" })).rejects.toThrow('unsupported protocol scheme "file"');
  await expect(http.send({ url: "https://r.test/b" })).rejects.toThrow("refused to follow a redirect to plain http");
});

// origin: registry/registry_test.go TestTrustedLocation
test("trustedLocation() trusts docker.com and docker.io by https only", () => {
  const trusted = (url: string) => trustedLocation(new URL(url));
  for (const url of ["http://example.com", "https://example.com:7777", "http://docker.io", "https://fakedocker.com"]) {
    expect(trusted(url)).toBe(false);
  }
  for (const url of ["https://docker.io", "https://test.docker.com:80"]) expect(trusted(url)).toBe(true);
});

test("HttpClient shows the certificates of a host, one after another, and trusts its authorities", async () => {
  const files = {
    "/certs/r.test:444/ca.crt": "CA",
    "/certs/r.test:444/a.cert": "A",
    "/certs/r.test:444/a.key": "a",
    "/certs/r.test:444/b.cert": "B",
    "/certs/r.test:444/b.key": "b",
  };
  const { http, calls } = client((_, { tls }) => new Response("", { status: tls?.cert === "A" ? 403 : 200 }), files);
  const response = await http.send({ url: "https://r.test:444/" });
  expect(response.status).toBe(200);
  expect(calls.map(({ options }) => options.tls)).toEqual([
    { ca: "CA", cert: "A", key: "a", insecure: false },
    { ca: "CA", cert: "B", key: "b", insecure: false },
  ]);
});

test("HttpClient names a key without certificate and the other way round", async () => {
  const text = (files: Record<string, string>) =>
    client(() => new Response(""), files)
      .http.send({ url: "https://r.test/" })
      .then(
        () => "",
        (cause: Error) => cause.message,
      );
  expect(await text({ "/certs/r.test/x.cert": "" })).toBe("Missing key x.key for certificate x.cert");
  expect(await text({ "/certs/r.test/x.key": "" })).toBe("Missing certificate x.cert for key x.key");
});

test("HttpClient gives up after a minute of silence, however slowly its answer is read", async () => {
  const chunks = ["a", "b"];
  const { http, host } = client(
    () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            const chunk = chunks.shift();
            if (chunk === undefined) await new Promise(() => undefined);
            else controller.enqueue(Buffer.from(chunk));
          },
        }),
      ),
  );
  const response = await http.send({ url: "https://r.test/" });
  const reader = response.body[Symbol.asyncIterator]();
  await reader.next();
  await host.clock.advance(600_000);
  expect(Buffer.from((await reader.next()).value as Uint8Array).toString()).toBe("b");
  const silent = expect(reader.next()).rejects.toMatchObject({ message: "read r.test: i/o timeout", timeout: true });
  await host.clock.advance(59_000);
  await host.clock.advance(1_000);
  await silent;
  expect(host.clock.sleepers).toBe(0);
});

test("HttpClient remembers cookies for their host", async () => {
  const { http, calls } = client(
    (url) => new Response(url.pathname, { headers: { "Set-Cookie": "session=7; Path=/" } }),
  );
  for (const url of ["https://r.test/1", "https://r.test/2", "https://other.test/"]) {
    expect((await readAll((await http.send({ url })).body)).length).toBeGreaterThan(0);
  }
  expect(calls.map(({ options }) => header(options, "cookie"))).toEqual([null, "session=7", null]);
});

test("insecurePolicy() knows this machine, names and networks", () => {
  const policy = insecurePolicy(["r.test", "q.test:5000", "10.0.0.0/8"]);
  const all = [
    "127.0.0.1:5000",
    "127.9.9.9",
    "localhost",
    "localhost:1",
    "[::1]:5000",
    "r.test",
    "r.test:99",
    "q.test:5000",
    "10.255.0.1:5000",
  ];
  expect(all.filter((authority) => !policy(authority))).toEqual([]);
  const none = [
    "q.test",
    "128.0.0.1",
    "11.0.0.1",
    "localhost.evil.test",
    "127.0.0.1.evil.test",
    "[::2]:1",
    "10.evil.test",
  ];
  expect(none.filter(policy)).toEqual([]);
  expect(() => insecurePolicy(["10.0.0.0/33"])).toThrow("Invalid network in --insecure-registry: 10.0.0.0/33");
});

test("HttpClient goes through the proxy of the environment, but not to this machine", async () => {
  const { host, http, calls } = client(() => new Response("x"));
  Object.assign(host.env, { HTTPS_PROXY: "http://u:p@proxy.test:3128", NO_PROXY: "direct.test" });
  for (const to of ["https://r.test/", "https://direct.test/", "http://localhost:5000/"]) {
    await (await http.send({ url: to })).discard();
  }
  expect(calls.map(({ options }) => options.proxy)).toEqual(["http://u:p@proxy.test:3128", undefined, undefined]);
});

test("HttpClient sends again what a redirect wants again, and only where it was told to", async () => {
  const { http, calls } = client((url) =>
    url.pathname === "/a" ? new Response(null, { status: 307, headers: { Location: "/b" } }) : new Response("x"),
  );
  const bodies: string[] = [];
  const put = async (follow?: "same-method") => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("bytes");
    }
    const response = await http.send({ method: "PUT", url: "https://r.test/a", body, ...(follow && { follow }) });
    await response.discard();
    return response.status;
  };
  expect(await put()).toBe(307);
  expect(await put("same-method")).toBe(200);
  for (const { options } of calls) bodies.push((await readAll(options.body as AsyncIterable<Uint8Array>)).toString());
  expect(bodies).toEqual(["bytes", "bytes", "bytes"]);
});

test("HttpClient announces a stream, but not twice where nobody knows what that means", async () => {
  const { http, calls } = client((_url, options) => new Response("x", { status: options.expectContinue ? 417 : 201 }));
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("bytes");
  }
  const response = await http.send({ method: "PUT", url: "https://r.test/a", body });
  expect(response.status).toBe(201);
  expect(calls.map(({ options }) => options.expectContinue)).toEqual([true, false]);
  await (await http.send({ method: "PUT", url: "https://r.test/a", body: "text" })).discard();
  expect(calls.at(-1)?.options.expectContinue).toBeUndefined();
});
