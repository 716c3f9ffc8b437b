import { expect, test } from "vitest";
import { isGit, isUrl } from "../../../src/utils/utils.ts";

// origin: utils/utils_test.go TestIsGIT and its neighbours
test("isGit() and isUrl() tell where a build context lies", () => {
  const git = ["git://h/r", "github.com/u/r", "git@github.com:u/r", "http://h/r.git", "https://h/r.git"];
  const neither = ["https://h/r", "ssh://h/r.git", "./github.com/u/r", "gitlab.com/u/r", "r.git", "", "GIT://h/r"];
  expect([...git, ...neither].filter(isGit)).toEqual(git);
  expect([...git, ...neither].filter(isUrl)).toEqual(["http://h/r.git", "https://h/r.git", "https://h/r"]);
});
