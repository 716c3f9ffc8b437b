import { expect, test } from "vitest";
import { proxyFor } from "../../../src/registry/proxy.ts";

const of = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env);

test.each<[string, Record<string, string>, string | undefined]>([
  ["https://r.example/v2/", {}, undefined],
  ["https://r.example/v2/", { HTTPS_PROXY: "http://p:1" }, "http://p:1"],
  ["https://r.example/v2/", { https_proxy: "http://p:1" }, "http://p:1"],
  ["https://r.example/v2/", { HTTP_PROXY: "p:1" }, "http://p:1"],
  ["http://r.example/v2/", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["http://r.example/v2/", { HTTP_PROXY: "https://u:s@p:1" }, "https://u:s@p:1"],
  ["http://localhost:5000/v2/", { HTTP_PROXY: "http://p:1" }, undefined],
  ["http://127.8.0.1/v2/", { HTTP_PROXY: "http://p:1" }, undefined],
  ["http://[::1]:5000/v2/", { HTTP_PROXY: "http://p:1" }, undefined],
])("proxyFor(%s) with %j is %s", (url, env, expected) => {
  expect(of(url, env)).toBe(expected);
});

// The cases of Go's net/http, transport_test.go TestUseProxy, and networks, which came later.
test.each([
  ["barbaz.net", false],
  ["foobar.com", false],
  ["www.foobar.com", false],
  ["foofoobar.com", true],
  ["baz.com", true],
  ["LOCALHOST.NET", true],
  ["local.localhost.net", true],
  ["bAR.FOO", false],
  ["192.0.2.1", true],
  ["10.1.2.3", false],
  ["11.1.2.3", true],
  ["named.example:5000", false],
])("%s uses the proxy: %s", (host, uses) => {
  const env = {
    HTTP_PROXY: "http://p:1",
    NO_PROXY: "foobar.com, .barbaz.net,bar.foo:80,10.0.0.0/8,x/y,named.example:5000",
  };
  expect(of(`http://${host}/`, env) !== undefined).toBe(uses);
});

test("a star excepts everything; a proxy of another kind is refused by name, without its password", () => {
  expect(of("http://a.example/", { HTTP_PROXY: "http://p:1", no_proxy: "*" })).toBeUndefined();
  expect(() => of("http://a.example/", { HTTP_PROXY: "socks5://u:secret@p:1" })).toThrow(
    /^Cannot use the proxy.*socks5:/,
  );
  expect(() => of("http://a.example/", { HTTP_PROXY: "http://u:secret@p:x" })).toThrow(/no address$/);
});
