import { expect, test } from "vitest";
import { coverageLine } from "../../../book/coverage.ts";
import { terms } from "../../../book/glossary.ts";
import { claims, coverage } from "../../../book/links.ts";
import { checkBookPages, generated, pagesOf } from "../../../book/pages.ts";
import { diskTree, overlay } from "../../../book/tree.ts";

const tree = diskTree(process.cwd());

test("the pages beside the chapters are up to date, in both languages, and every link of theirs is alive", () => {
  expect(checkBookPages(tree)).toEqual([]);
  expect(pagesOf(tree, "en")).toEqual(expect.arrayContaining(["coverage.md", "errata.md", "glossary.md"]));
});

test("the coverage page accounts for every claim, and the errata for every one that is not right", () => {
  const page = tree.read("book/pages/en/coverage.md") ?? "";
  const rows = page.split("\n").filter((line) => /^\| \d{3}\//.test(line));
  expect(rows.map((line) => line.split(" ")[1])).toEqual(claims.map(({ id }) => id));
  const errata = tree.read("book/pages/zh/errata.md") ?? "";
  const listed = errata.split("\n").flatMap((line) => /^\| (\d{3}\/\S+) /.exec(line)?.[1] ?? []);
  expect(listed.sort()).toEqual(
    claims
      .filter(({ verdict }) => verdict !== "ok")
      .map(({ id }) => id)
      .sort(),
  );
});

test("the README says how many claims are tested", () => {
  expect(tree.read("README.md")).toContain(coverageLine());
  expect(coverageLine()).toContain(`${coverage().tested} have a test`);
  const old = overlay(tree, { "README.md": (tree.read("README.md") ?? "").replace(/\*\*\d+ have/, "**0 have") });
  expect(checkBookPages(old)).toEqual(["README.md is stale: run npm run book"]);
});

test("each term has one id, both languages, and a chapter of the book", () => {
  expect(new Set(terms.map(({ id }) => id)).size).toBe(terms.length);
  for (const term of terms) {
    for (const text of [term.en, term.zh, term.meansEn, term.meansZh])
      expect([term.id, text]).not.toEqual([term.id, ""]);
    expect([term.id, /\p{Script=Han}/u.test(term.meansZh)]).toEqual([term.id, true]);
    expect(term.chapter).toMatch(/^\d\d-[a-z-]+$/);
  }
});

test("checkBookPages() finds a stale page, a missing translation and one that is built otherwise", () => {
  const glossary = "book/pages/en/glossary.md";
  const changed = overlay(tree, { [glossary]: `${tree.read(glossary)}\nmore\n` });
  expect(checkBookPages(changed)).toContain(`${glossary} is stale: run npm run book`);
  const extra = overlay(tree, { "book/pages/en/x.md": "# x\n" });
  const listing = { ...extra, list: (path: string) => (path === "book/pages/en" ? ["x.md"] : tree.list(path)) };
  expect(checkBookPages(listing)).toContain("book/pages/zh/x.md is missing");
  expect(Object.keys(generated(tree))).toContain("README.md");
});
