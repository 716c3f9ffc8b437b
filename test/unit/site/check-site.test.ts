import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { bundleChapter } from "../../../book/site/bundle.ts";
import { checkSite } from "../../../book/site/check-site.ts";
import { fileFor, serveSite } from "../../../book/site/serve.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory("site-");
});

function put(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

const whole = {
  "index.html": `<a href="/a/b.html#here">x</a> <a href='#'>y</a> <a href="https://elsewhere.example/">z</a>`,
  "a/b.html": `<p id="here"><a href="/">up</a> <a href="../code/">lines</a> <script src="/x.js"></script> <a href="#%E9%85%8D">han</a> <b id="配"></b>`,
  "code/index.html": `<a href="/code/f.ts.html#L1-L2">f</a>`,
  "code/f.ts.html": `<span id="L1">a</span><span id="L2">b</span>`,
  "x.js": "",
};

describe("the check of the built site", () => {
  test("finds nothing wrong with a whole one", () => {
    put(whole);
    expect(checkSite(folder)).toEqual([]);
  });

  test.each([
    ["a dead link", `<a href="/gone.html">`, "/index.html has a dead link: /gone.html"],
    ["a dead anchor", `<a href="/a/b.html#gone">`, "/index.html has a dead anchor: /a/b.html#gone"],
    [
      "a line behind the last",
      `<a href="/code/f.ts.html#L2-L3">`,
      "/index.html has a dead anchor: /code/f.ts.html#L2-L3",
    ],
    ["a missing picture", `<img src="no.svg">`, "/index.html loads what is not there: no.svg"],
    [
      "another server",
      `<script src="https://cdn.example/a.js">`,
      "/index.html loads from another server: https://cdn.example/a.js",
    ],
    [
      "a protocol left out",
      `<link href="//cdn.example/a.css">`,
      "/index.html loads from another server: //cdn.example/a.css",
    ],
    ["one name twice", `<i id="a"></i><i id="a"></i>`, "/index.html has two places called #a"],
  ])("finds %s", (_, html, fault) => {
    put({ ...whole, "index.html": html });
    expect(checkSite(folder)).toEqual([fault]);
  });
});

describe("the bundle of a chapter", () => {
  const chapter = (text: string) => {
    put({ "chapters/01-x/demo.ts": text });
    return bundleChapter(folder, { chapter: "01-x", files: ["demo.ts"] }, join(folder, "out"));
  };

  test("has stand-ins for what a page lacks", async () => {
    const text =
      'import { join } from "node:path/posix";\nexport const demo = () => join(String(Buffer.from("a")), process.platform);';
    expect(await chapter(text)).toEqual([]);
  });

  test("refuses a module that a page cannot have", async () => {
    const faults = await chapter('import { readFileSync } from "node:fs";\nexport const demo = readFileSync;');
    expect(faults.join()).toContain("chapters/01-x/demo.ts imports node:fs, which a page does not have");
  });
});

describe("the small server", () => {
  test("gives nothing outside its folder", () => {
    put({ "site/index.html": "in", "secret.txt": "out", "site-too/a.txt": "out" });
    const site = join(folder, "site");
    expect(fileFor(site, "/")).toBe(join(site, "index.html"));
    expect(
      ["/../secret.txt", "/%2e%2e/secret.txt", "/../site-too/a.txt", "/%", "/a%00"].map((path) => fileFor(site, path)),
    ).toEqual(Array(5).fill(undefined));
  });

  test("answers with type, 404 and 405", async () => {
    put({ "index.html": "<p>", "a.css": "b{}", "404.html": "none" });
    const site = await serveSite(folder);
    const css = await fetch(`${site.url}/a.css`);
    const none = await fetch(`${site.url}/none`);
    const post = await fetch(site.url, { method: "POST" });
    await site.close();
    expect([css.status, css.headers.get("content-type"), await css.text()]).toEqual([
      200,
      "text/css; charset=utf-8",
      "b{}",
    ]);
    expect([none.status, await none.text(), post.status]).toEqual([404, "none", 405]);
  });
});
