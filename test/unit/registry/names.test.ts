import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  familiarName,
  indexServerAddress,
  isRepositoryPath,
  resolveRepositoryName,
  resolveRepositoryPath,
} from "../../../src/registry/names.ts";

const INDEX = indexServerAddress();
const namespace = (name: string) =>
  `Invalid namespace name (${name}), only [a-z0-9_] are allowed, size between 4 and 30`;
const repository = (name: string) => `Invalid repository name (${name}), only [a-z0-9-_.] are allowed`;

// origin: registry/registry_test.go TestResolveRepositoryName, and the vectors run against the original
test.each([
  ["ubuntu", [INDEX, "ubuntu"]],
  ["abcd/x", [INDEX, "abcd/x"]],
  ["foo/bar", namespace("foo")],
  ["UB", repository("UB")],
  ["localhost/abcd/e", ["localhost", "abcd/e"]],
  ["localhost:5000/x", ["localhost:5000", "x"]],
  ["abc.d/x/y", namespace("x")],
  ["a/b/c", namespace("a")],
  ["reg.io/abcd/ef/g", repository("ef/g")],
  ["index.docker.io/foo", 'Invalid repository name, try "foo" instead'],
  ["", repository("")],
  ["abc:def", repository("abc:def")],
  ["https://x/y", 'Invalid repository name (ex: "registry.domain.tld/myrepos")'],
])("resolveRepositoryName(%j) is %j", (name, expected) => {
  if (typeof expected === "string") {
    expect(() => resolveRepositoryName(name)).toThrow(expected);
  } else {
    expect(Object.values(resolveRepositoryName(name))).toEqual(expected);
  }
});

test("resolveRepositoryPath() takes short and long names of version 2, and refuses the rest in 1.2.0's words", () => {
  expect(resolveRepositoryPath("foo/bar")).toEqual({ hostname: INDEX, remoteName: "foo/bar" });
  expect(resolveRepositoryPath("localhost:5000/a/b-c/d__e/f.g")).toEqual({
    hostname: "localhost:5000",
    remoteName: "a/b-c/d__e/f.g",
  });
  expect(() => resolveRepositoryPath("localhost:5000/UP")).toThrow(repository("UP"));
  expect(() => resolveRepositoryPath("a/../b")).toThrow(namespace("a"));
});

test("resolveRepositoryPath() lets nothing through that could leave a path or an address", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => {
      try {
        const { remoteName } = resolveRepositoryPath(name);
        return /^[a-z0-9._/-]+$/.test(remoteName) && !remoteName.split("/").includes("..");
      } catch {
        return true;
      }
    }),
  );
});

/** What skopeo says when a name is well-formed, and the file it is looked for in is not there. */
const NO_FILE = "no such file or directory";
const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;
if (!hasSkopeo) console.log("skipped: skopeo is not installed");

test.runIf(hasSkopeo)(
  "isRepositoryPath() allows what skopeo does",
  () => {
    const part = fc.oneof(
      fc.stringMatching(/^[a-z0-9]{1,4}$/),
      fc.constantFrom("_", "__", "___", "-", "--", ".", "..", "/", "//", "_-", "A", "a", "é", "~", "%2f"),
    );
    const name = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(name, (path) => {
        const { stderr } = spawnSync("skopeo", ["inspect", `docker-archive:/nonexistent:registry.test/${path}`]);
        expect(isRepositoryPath(path)).toBe(stderr.toString().includes(NO_FILE));
      }),
      { numRuns: 50, examples: [["a"], ["a__b"], ["a___b"], ["a-_b"], ["a/b-/c"], ["a.b/c"], ["a--b"]] },
    );
  },
  60_000,
);

test("familiarName() drops what today's clients write in full", () => {
  expect(["docker.io/library/busybox:1", "docker.io/a/b", "quay.io/library/x", "busybox"].map(familiarName)).toEqual([
    "busybox:1",
    "a/b",
    "quay.io/library/x",
    "busybox",
  ]);
});
