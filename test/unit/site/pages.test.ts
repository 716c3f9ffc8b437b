import { beforeAll, describe, expect, test } from "vitest";
import { fates, mapFaults } from "../../../book/site/generated-pages.ts";
import { Colours } from "../../../book/site/highlight.ts";
import { fenceHtml } from "../../../book/site/markdown-it.ts";
import { pageOf, resolveLink } from "../../../book/site/paths.ts";
import { outlineOf, sectionsOf, sitePage } from "../../../book/site/prose-page.ts";
import { signatureOf } from "../../../book/site/signature.ts";
import { parse } from "../../../book/symbols.ts";
import { collectTags } from "../../../book/tags.ts";
import { diskTree, overlay } from "../../../book/tree.ts";

const root = process.cwd();
const disk = diskTree(root);
const glossary = pageOf("book/pages/en/glossary.md");
const chapter = pageOf("chapters/01-config-flags/README.zh.md");
if (glossary === undefined || chapter === undefined) throw new Error("the pages have moved");
const symbols = {
  "src/engine/engine.ts#Engine": "/api/engine.html#Engine",
  "src/engine/engine.ts#Engine.register": "/api/engine.html#Engine.register",
  "src/engine/job.ts#Job": "/api/engine.html#Job",
  "src/daemon/state.ts#Job": "/api/daemon.html#Job",
};

const pageWith = (text: string, from = glossary) =>
  sitePage({ tree: overlay(disk, { [from.file]: `# A page\n\n${text}\n` }), symbols, live: () => false }, from);

test("a file of the repository leads to its page", () => {
  const url = (target: string) => resolveLink(disk, chapter, target)?.url;
  expect(url("../../src/engine/engine.ts#L1-L2")).toBe("/code/src/engine/engine.ts.html#L1-L2");
  expect(url("../../src/engine")).toBe("/code/src/engine/");
  expect(url("main.ts")).toBe("/code/chapters/01-config-flags/main.ts.html");
  expect(url("../02-engine/README.zh.md#a")).toBe("/zh/chapters/02-engine.html#a");
  expect(url("../../book/pages/zh/glossary.md")).toBe("/zh/glossary.html");
  expect(url("../../book/pages/zh/source-map.md")).toBe("/zh/source-map.html");
  expect(url("https://github.com/moby/moby/blob/v1.2.0/daemon/config.go#L1")).toMatch(/^https:/);
  expect(url("../../src/nothing.ts")).toBeUndefined();
});

test("a link with a symbol's name leads to the source, and once to the API", () => {
  const link = '[it](../../../src/engine/engine.ts#L1 "Engine.register")';
  const { markdown, faults, code } = pageWith(`${link} and ${link}`);
  expect(faults).toEqual([]);
  expect(code).toEqual(["src/engine/engine.ts"]);
  expect(markdown.match(/\/code\/src\/engine\/engine\.ts\.html#L1/g)).toHaveLength(2);
  expect(markdown.match(/<a class="api" href="\/api\/engine\.html#Engine\.register"/g)).toHaveLength(1);
});

test("the line that leads to the other language stays on GitHub: the site has a button", () => {
  expect(pageWith("[English](README.md)\n\nText.", chapter).markdown).not.toContain("English");
});

test("a link may begin on one line and end on the next", () => {
  const { markdown, faults } = pageWith("See [the\nengine](../../../src/engine/engine.ts#L1) here.");
  expect(faults).toEqual([]);
  expect(markdown).toContain("See [the\nengine](/code/src/engine/engine.ts.html#L1) here.");
  const titled = pageWith('See [it](../../../src/engine/engine.ts#L1\n"Engine") here.').markdown;
  expect(titled).toContain(
    '(/code/src/engine/engine.ts.html#L1\n"Engine")<a class="api" href="/api/engine.html#Engine"',
  );
});

describe("planted faults", () => {
  test("a dead link", () => {
    expect(pageWith("[it](../../../src/nothing.ts)").faults).toEqual([
      "book/pages/en/glossary.md has a dead link: ../../../src/nothing.ts",
    ]);
  });
  test("a symbol that was renamed", () => {
    expect(pageWith('[it](../../../src/engine/engine.ts#L1 "Engine.enlist")').faults).toEqual([
      "book/pages/en/glossary.md names Engine.enlist, which src/engine/engine.ts does not declare",
    ]);
  });
  test("an exported symbol that the API does not have", () => {
    expect(pageWith('[it](../../../src/engine/hack.ts#L1 "Hack")').faults).toEqual([
      "book/pages/en/glossary.md names Hack of src/engine/hack.ts, which the API does not have",
    ]);
  });
  test("a name in braces that nothing has, or two things have", () => {
    expect(pageWith("{@link Nothing}").faults).toEqual([
      "book/pages/en/glossary.md links to Nothing: 0 symbols have this name",
    ]);
    expect(pageWith("{@link Job}").faults).toEqual([
      "book/pages/en/glossary.md links to Job: 2 symbols have this name",
    ]);
    expect(pageWith("{@link Engine}").markdown).toContain("[`Engine`](/api/engine.html#Engine)");
  });
  test("what looks like an element and is none", () => {
    expect(pageWith("mnt/<id>").faults).toEqual([
      "book/pages/en/glossary.md:3 <id> is no HTML: a reader will not see it",
    ]);
    expect(pageWith("`mnt/<id>`").faults).toEqual([]);
  });
  test("a Go file nobody accounts for", () => {
    expect(mapFaults(fates([], ["daemon/new.go", "daemon/state_test.go"]))).toEqual([
      "book/data/not-here.json does not say why daemon/new.go has no place here",
    ]);
  });
});

test("links in code stay as they are", () => {
  expect(pageWith("`[a](nothing.ts)`\n\n```text sketch\n[a](nothing.ts)\n```").faults).toEqual([]);
});

test("every Go file of 1.2.0 is here, or says why not", () => {
  const all = fates(collectTags(root));
  expect(all.length).toBeGreaterThan(400);
  expect(mapFaults(all)).toEqual([]);
});

test("the second heading of a name has an anchor of its own", () => {
  expect(outlineOf("## Flags\n## `Flags`\n## 5.0 配置初始化 · Flags {#own}").map(({ id }) => id)).toEqual([
    "flags",
    "flags-1",
    "own",
  ]);
});

test("the search sees prose, not code", () => {
  const [first, second] = sectionsOf("# One\n\nRead [this](a.md) `now`.\n\n```ts\nsecret\n```\n\n## Two\n\n| a | b |");
  expect(first).toEqual({ title: "One", id: "", text: "Read this now ." });
  expect(second?.id).toBe("two");
});

test("a signature has no body and nothing private", () => {
  const text = [
    "/** Counts. */",
    "export class Counter<T> extends Base {",
    "  #n = 0;",
    "  /** How many. @origin a.go B */",
    "  readonly size: number = 1;",
    "  private hidden(): void {}",
    "  add(one: T): this {",
    "    return this;",
    "  }",
    "}",
  ].join("\n");
  const file = parse("counter.ts", text);
  const lines = signatureOf(file.statements[0]!, file);
  expect(lines.map((line) => line.text)).toEqual([
    "export class Counter<T> extends Base {",
    "  /** How many. */",
    "  readonly size: number = 1;",
    "  add(one: T): this;",
    "}",
  ]);
  expect(lines.flatMap(({ member }) => member ?? [])).toEqual(["size", "add"]);
});

describe("fences", () => {
  let colours: Colours;
  beforeAll(async () => {
    colours = await new Colours("/nowhere/colours.json").open();
  });

  test("a snippet says where it comes from, and links to its lines", () => {
    const html = fenceHtml(colours, () => ({ start: 3, end: 5 }), "ts src/a.ts#A.#b", "const a = '<';\n");
    expect(html).toContain('<a href="/code/src/a.ts.html#L3-L5" target="_self">src/a.ts:3</a>');
    expect(html).toContain("<b>A.#b</b>");
    expect(html).toContain('<i class="k">const</i>');
    expect(html).toContain("&lt;");
  });

  test("a console tells what is typed from what is answered", () => {
    const html = fenceHtml(colours, () => undefined, "console", "$ docker ps\n…\n{{.ID}} <b>");
    expect(html).toContain("<b>docker ps</b>");
    expect(html).toContain("{{.ID}} &lt;b&gt;");
    expect(html).toContain("<pre v-pre");
  });
});
