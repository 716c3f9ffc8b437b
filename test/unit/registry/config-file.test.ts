import { memfs } from "memfs";
import { expect, test } from "vitest";
import type { FileSystem } from "../../../src/host/host.ts";
import { decodeAuth, loadConfig, resolveAuthConfig } from "../../../src/registry/config-file.ts";

const INDEX = "https://index.docker.io/v1/";

/** Reads `~/.dockercfg` with this content. */
function load(content: string | undefined) {
  const { fs } = memfs(content === undefined ? { "/root": null } : { "/root/.dockercfg": content });
  return loadConfig({ fs: fs.promises as unknown as FileSystem }, "/root/");
}

test("loadConfig() reads credentials by registry and leaves the server's address out", async () => {
  const { config, error } = await load(
    `{"${INDEX}":{"auth":"bWU6cHc=","email":"e@x"},"reg.example.com":{"auth":"YTpiOmM=","email":"q"}}`,
  );
  expect(error).toBeUndefined();
  expect([...config.configs]).toEqual([
    [INDEX, { username: "me", password: "pw", email: "e@x" }],
    ["reg.example.com", { username: "a", password: "b:c", email: "q" }],
  ]);
});

test("loadConfig() takes no file, and `null`, for an empty one", async () => {
  for (const content of [undefined, "null", "{}"]) {
    const { config, error } = await load(content);
    expect({ size: config.configs.size, error }).toEqual({ size: 0, error: undefined });
  }
});

test("loadConfig() reads the two lines of old", async () => {
  const { config } = await load("username = bWU6cHc=\nemail = e@x\n");
  expect([...config.configs]).toEqual([
    [INDEX, { username: "me", password: "pw", email: "e@x", serveraddress: INDEX }],
  ]);
});

test.each([
  ["{bad", "The Auth config file is empty"],
  ["", "The Auth config file is empty"],
  ["a\nb", "Invalid Auth config file"],
  ["a = bWU6cHc=\nb", "Invalid Auth config file"],
  ["a = bWU=\nb = c", "Invalid auth configuration file"],
  ['{"x":{"auth":"bWU="}}', "Invalid auth configuration file"],
  ['{"x":{"auth":"b*U="}}', "illegal base64 data at input byte 1"],
])("loadConfig() says what is wrong with %j", async (content, message) => {
  expect((await load(content)).error?.message).toBe(message);
});

test("decodeAuth() drops zero bytes around the password", () => {
  expect(decodeAuth(Buffer.from("me:\0pw\0\0").toString("base64"))).toEqual({ username: "me", password: "pw" });
});

test("resolveAuthConfig() finds a registry under other spellings of its host", async () => {
  const { config } = await load(
    `{"${INDEX}":{"auth":"aW46ZGV4"},"https://a.example/v1/":{"auth":"YTpi"},"b.example:5000":{"auth":"Yjpj"}}`,
  );
  const user = (host: string) => resolveAuthConfig(config, host).username;
  expect([
    user(""),
    user(INDEX),
    user("a.example"),
    user("b.example:5000"),
    user("http://b.example:5000/v1/"),
    user("c.example"),
  ]).toEqual(["in", "in", "a", "b", "b", undefined]);
});
