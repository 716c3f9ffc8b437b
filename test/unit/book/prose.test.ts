import { expect, test } from "vitest";
import { isQuote, quoted } from "../../../book/golden.ts";
import { anchorsOf, fencesOf, linksOf, slugOf, wordsOf } from "../../../book/markdown.ts";
import { checkPage, checkProse, fillPage, pages, proseChapters, skeletonFaults } from "../../../book/prose.ts";
import { replayFence, shellWords } from "../../../book/transcripts.ts";
import { diskTree, overlay } from "../../../book/tree.ts";

const tree = diskTree(process.cwd());
const chapter = "01-config-flags";
const page = `chapters/${chapter}/README.md`;
const chinese = `chapters/${chapter}/README.zh.md`;
const text = tree.read(page) ?? "";

test.each(proseChapters(tree))(
  "%s: what the prose quotes, shows and links to is there, in both languages",
  async (name) => {
    expect(await checkProse(tree, name)).toEqual([]);
  },
);

test.each(proseChapters(tree))("%s is long enough to explain and short enough to read", (name) => {
  for (const path of pages.map((file) => `chapters/${name}/${file}`)) {
    expect([path, wordsOf(tree.read(path) ?? "") > 1500]).toEqual([path, true]);
    expect([path, wordsOf(tree.read(path) ?? "") < 7000]).toEqual([path, true]);
  }
});

/** The page with one thing changed in it. */
function planted(from: string, to: string, path = page) {
  const before = tree.read(path) ?? "";
  expect(before).toContain(from);
  return overlay(tree, { [path]: before.replace(from, () => to) });
}

test.each([
  ["a broken link", "(../../src/opts/ip.ts)", "(../../src/opts/gone.ts)", "dead link: ../../src/opts/gone.ts"],
  ["a dead anchor", "# 01 ·", "[x](#nowhere)\n\n# 01 ·", "dead anchor: #nowhere"],
  ["a dead anchor of another page", "[中文](README.zh.md)", "[中文](README.zh.md#x)", "dead anchor: README.zh.md#x"],
  [
    "a Go file that never was",
    "v1.2.0/docker/daemon.go#L44",
    "v1.2.0/docker/gone.go#L44",
    "v1.2.0 has no docker/gone.go",
  ],
  ["a Go line beyond the end", "config.go#L48)", "config.go#L480)", "daemon/config.go has 70 lines, not L480"],
  ["a link to a branch", "blob/v1.2.0/daemon/config.go#L48)", "blob/master/daemon/config.go#L48)", "is not pinned"],
  ["a fence of no kind", "```text sketch", "```text", "a fence is neither snippet, transcript, record nor sketch"],
  ["a snippet under no link", ' "bind")', ")", 'the snippet stands under no link titled "bind"'],
])("checkPage() finds %s", (_, from, to, fault) => {
  expect(checkPage(planted(from, to), page).join("\n")).toContain(fault);
});

test("a fence is filled with a record of the original, or with a part of it", () => {
  expect(quoted(tree, "json golden system.004 response.body.ApiVersion")).toBe("1.14");
  expect(quoted(tree, "json golden system.004 request")).toBe('{\n  "method": "GET",\n  "path": "/version"\n}');
  expect(quoted(tree, "text golden idle-TERM log.0")).toContain("Received signal 'terminated'");
  expect(quoted(tree, "text golden boot-log 1-2")?.split("\n")).toHaveLength(2);
  expect(quoted(tree, "json golden system.004 response.nothing")).toBeUndefined();
  expect(quoted(tree, "json golden nothing.001")).toBeUndefined();
  expect(["json golden system.004", "json", "json sketch"].map(isQuote)).toEqual([true, false, false]);
});

test("checkPage() finds a record that is not as it is shown, and one that is not there", () => {
  const fence = (id: string, body: string) =>
    overlay(tree, { [page]: `${text}\n\`\`\`json golden ${id} response.body.ApiVersion\n${body}\n\`\`\`\n` });
  expect(checkPage(fence("system.004", "1.14"), page)).toEqual([]);
  expect(checkPage(fence("system.004", "1.15"), page)).toEqual([expect.stringContaining("is stale")]);
  expect(checkPage(fence("system.994", "1.14"), page)).toEqual([expect.stringContaining("a record that is not there")]);
});

test("checkPage() finds a link whose lines have moved", () => {
  const [link = ""] = /default-host\.ts#L\d+-L\d+ "/.exec(text) ?? [];
  expect(checkPage(planted(link, 'default-host.ts#L1-L2 "'), page).join("\n")).toContain("is stale");
});

test("checkPage() finds a snippet that the source has left behind", () => {
  const source = "src/daemon/config.ts";
  const changed = planted("You specified -b & --bip", "You gave -b & --bip", source);
  expect(checkPage(changed, page)).toEqual([expect.stringMatching(/README\.md:\d+ is stale: run npm run book$/)]);
  const filled = overlay(changed, { [page]: fillPage(changed, page).page });
  expect(checkPage(filled, page)).toEqual([]);
});

test("checkPage() finds a symbol that was renamed", () => {
  const changed = planted("function getDefaultNetworkMtu", "function renamed", "src/daemon/config.ts");
  const bind = planted("function bind(", "function tie(", "src/daemon/config.ts");
  expect(checkPage(changed, page)).toEqual([]);
  expect(checkPage(bind, page)).toEqual([
    expect.stringContaining("quotes src/daemon/config.ts#bind, which is not there"),
    expect.stringContaining("links to bind in ../../src/daemon/config.ts, which is not there"),
  ]);
});

test("checkPage() finds a table of claims that is stale", () => {
  expect(checkPage(planted("| [001/5.0/1]", "| [001/5.0/0]"), page).join("\n")).toContain("is stale");
});

test("checkProse() finds a console that shows something else", async () => {
  const faults = await checkProse(
    planted("* --mtu                 0                                      1450", "* --mtu  0  1500"),
    chapter,
  );
  expect(faults.join("\n")).toContain('"$ npm run chapter 01" does not print this');
});

test("checkProse() finds a missing translation, and one that is built otherwise", async () => {
  const missing = await checkProse(overlay(tree, { [chinese]: undefined }), chapter);
  expect(missing).toContain(`${chinese} is missing`);
  const differ = (from: string, to: string) => skeletonFaults(planted(from, to, chinese), chapter);
  expect(differ("### 5.1 flag", "#### 5.1 flag")).toEqual([`chapters/${chapter}: the two languages differ in levels`]);
  expect(differ('<a id="003-s2"></a>', "")).toEqual([`chapters/${chapter}: the two languages differ in anchors`]);
  expect(differ("$ echo $?\n0", "$ echo $?\n1")).toEqual([`chapters/${chapter}: the two languages differ in fences`]);
});

test("replayFence() runs the program and asks for its exit status", async () => {
  expect(await replayFence("$ bin/docker -v\nDocker version 1.2.0, build fa7b24f\n$ echo $?\n0")).toEqual([]);
  expect(await replayFence("$ bin/docker --nope\n…\n$ echo $?\n2")).toEqual([]);
  expect(await replayFence("$ bin/docker -v\nDocker version 9\n$ echo $?\n1")).toHaveLength(2);
  expect(await replayFence("$ rm -r x")).toEqual(["cannot be replayed: rm -r x"]);
  expect(await replayFence("no command")).toEqual(["does not begin with a command: no command"]);
});

test("shellWords() keeps what quotes hold together", () => {
  expect(shellWords(`docker -g "a b" --x='c d' e`)).toEqual(["docker", "-g", "a b", "--x=c d", "e"]);
});

test("slugOf() is GitHub's", () => {
  expect(["5.0 配置初始化 · Configuration", "`a.b()`, c_d"].map(slugOf)).toEqual([
    "50-配置初始化--configuration",
    "ab-c_d",
  ]);
});

test("linksOf() and anchorsOf() leave fences and code spans alone", () => {
  const sample = '# A b\n\n`[x](y)` [z](w#q "T")\n\n```text sketch\n# no\n[a](b)\n```\n<a id="own"></a>\n';
  expect(linksOf(sample)).toEqual([{ target: "w#q", title: "T", line: 3 }]);
  expect([...anchorsOf(sample)]).toEqual(["own", "a-b"]);
  expect(fencesOf(sample)).toEqual([{ info: "text sketch", body: "# no\n[a](b)", start: 4, end: 7 }]);
});
