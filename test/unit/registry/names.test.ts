import fc from "fast-check";
import { expect, test } from "vitest";
import {
  familiarName,
  indexServerAddress,
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

test("familiarName() drops what today's clients write in full", () => {
  expect(["docker.io/library/busybox:1", "docker.io/a/b", "quay.io/library/x", "busybox"].map(familiarName)).toEqual([
    "busybox:1",
    "a/b",
    "quay.io/library/x",
    "busybox",
  ]);
});
