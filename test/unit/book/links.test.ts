import { expect, test } from "vitest";
import {
  anchorOf,
  type Claim,
  checkLinks,
  claimOf,
  claims,
  coverage,
  fragmentOf,
  goFault,
  sectionOf,
} from "../../../book/links.ts";
import { declarationOf } from "../../../book/symbols.ts";
import { testsOf } from "../../../book/tests.ts";
import { diskTree, overlay } from "../../../book/tree.ts";
import { placeOf } from "../../../chapters/lib/claim.ts";

const tree = diskTree(process.cwd());
const suite = "chapters/01-config-flags/chapter.test.ts";
const one = claimOf("001/5.0/19") as Claim;

test("every claim is tested, or says why not, or waits for its chapter; and all it points to is there", () => {
  expect(checkLinks(tree)).toEqual([]);
  const { all, tested, reason, later } = coverage();
  expect(all).toBe(183);
  expect(tested + reason + later).toBe(all);
  expect(tested).toBeGreaterThanOrEqual(36);
});

test("every claim has an id of its own and stands in a known section", () => {
  expect(new Set(claims.map(({ id }) => id)).size).toBe(claims.length);
  expect(claims.map((claim) => claim.id.startsWith(`${sectionOf(claim).id}/`))).not.toContain(false);
});

test.each<[string, Partial<Claim>, string]>([
  ["a symbol that is gone", { ts: ["src/daemon/config.ts#nothing"] }, "src/daemon/config.ts#nothing is not there"],
  ["a file that is gone", { ts: ["src/daemon/gone.ts#x"] }, "src/daemon/gone.ts#x is not there"],
  ["a symbol that is not exported", { ts: ["src/daemon/config.ts#bind"] }, "src/daemon/config.ts#bind is not exported"],
  ["no symbol", { ts: [] }, "names no symbol"],
  ["a Go file that never was", { go: ["daemon/nothing.go:1"] }, "v1.2.0 has no Go file daemon/nothing.go"],
  [
    "a Go range beyond the end",
    { go: ["daemon/config.go:65-71"] },
    "daemon/config.go has 70 lines, not daemon/config.go:65-71",
  ],
  ["another test's name", { test: "001/5.0/19 else" }, 'the table says "001/5.0/19 else"'],
  ["no reason", { status: "reason" }, "no reason is stated"],
  ["an unknown status", { status: "soon" }, "its status is soon"],
  ["a chapter that is written", { status: "later" }, "the claim waits for it"],
])("checkLinks() finds %s", (_, changed, fault) => {
  expect(checkLinks(tree, [{ ...one, ...changed }])).toEqual([expect.stringContaining(fault)]);
});

test("checkLinks() finds a missing test, a test without an assertion and a missing section", () => {
  const source = tree.read(suite) ?? "";
  const gone = overlay(tree, { [suite]: source.replace('"001/5.0/19"', '"001/5.0/99"') });
  expect(checkLinks(gone, [one])).toEqual(["001/5.0/19: 0 tests begin with its id"]);
  const idle = overlay(tree, { [suite]: `claim("001/5.0/19", "${one.test?.slice(11)}", () => { work(); });` });
  expect(checkLinks(idle, [one])).toEqual(["001/5.0/19: its test asserts nothing"]);
  const anchor = anchorOf(sectionOf(one));
  const page = "chapters/01-config-flags/README.zh.md";
  const bare = overlay(tree, { [page]: (tree.read(page) ?? "").replace(`<a id="${anchor}"></a>`, "") });
  expect(checkLinks(bare, [one])).toEqual([`001/5.0/19: ${page} has no anchor ${anchor}`]);
});

test("goFault() knows the lines of each Go file of v1.2.0", () => {
  expect(["daemon/config.go:1-70", "daemon/config.go:70"].map(goFault)).toEqual([undefined, undefined]);
  expect(
    ["daemon/config.go:0", "daemon/config.go:9-8", "daemon/config.go"].map((r) => goFault(r) !== undefined),
  ).toEqual([true, true, true]);
});

test("declarationOf() finds functions, members and private ones, without their docstrings", () => {
  const at = (place: string) => declarationOf(tree, place);
  expect(at("src/daemon/config.ts#bind")?.text).toMatch(/^function bind\(/);
  expect(at("src/daemon/config.ts#defaultNetworkMtu")?.text).toBe("const defaultNetworkMtu = 1500;");
  expect(at("src/pkg/mflag/flag-set.ts#FlagSet.nArg")?.text).toBe("nArg(): number {\n  return this.#args.length;\n}");
  expect(at("src/pkg/mflag/flag-set.ts#FlagSet.#warn")?.exported).toBe(true);
  expect([at("src/daemon/config.ts"), at("src/daemon/config.ts#DaemonConfig.nothing")]).toEqual([undefined, undefined]);
});

test("testsOf() follows helpers of the same file that assert", () => {
  const source = `function check() { expect(1).toBe(1); }
    claim("a/1/1", "asserts", () => { check(); });
    claim("a/1/2", "does not", () => { other(); });`;
  expect(testsOf(source)).toEqual([
    { name: "a/1/1 asserts", asserts: true },
    { name: "a/1/2 does not", asserts: false },
  ]);
});

test("placeOf() names chapter, section and Go lines of a claim", () => {
  expect(placeOf("001/5.0/20").split("\n")).toEqual([
    "chapter  01-config-flags",
    "section  001/5.0 配置初始化 (Configuration initialisation)",
    "claim    DisableNetwork is defined but never initialised [wrong]",
    'holds    Set from BridgeIface == "none"',
    "Go       daemon/daemon.go:687, daemon/config.go:13 at v1.2.0",
  ]);
  expect(() => placeOf("001/9/9")).toThrow("There is no claim 001/9/9");
});

test("fragmentOf() leaves no parenthesis that would end a link", () => {
  const section = sectionOf({ id: "001/5/2" });
  expect(anchorOf(section)).toContain("mainDaemon(-)");
  expect(fragmentOf(section)).toMatch(/^001-5-mainDaemon%28-%29%E7%9A%84/);
  expect(decodeURIComponent(fragmentOf(section))).toBe(anchorOf(section));
});
