import { expect, test } from "vitest";
import { live } from "../../../chapters/01-config-flags/live.ts";
import { cut, esc, hot, table, textWidth, tickStep, timeline, tree } from "../../../chapters/lib/draw.ts";

test("esc() leaves nothing that could end a text or an attribute", () => {
  expect(esc(`<a b="c">'&`)).toBe("&#60;a b=&#34;c&#34;&#62;&#39;&#38;");
});

test("textWidth() counts a Chinese character as wide as the type is high", () => {
  expect(textWidth("ab", 10)).toBe(12);
  expect(textWidth("镜像", 10)).toBe(20);
  expect(cut("镜像镜像", 30, 10)).toBe("镜像…");
  expect(cut("short", 100)).toBe("short");
});

test("tickStep() divides an axis into five to ten parts", () => {
  expect([1, 15, 100, 2.5].map(tickStep)).toEqual([0.2, 2, 20, 0.5]);
});

test("timeline() puts spans that overlap into rows of their own, and keeps labels inside the picture", () => {
  const drawn = timeline({
    caption: "c",
    from: 0,
    to: 10,
    tick: (at) => `${at} s`,
    lanes: [
      {
        name: "jobs",
        spans: [
          { from: 0, to: 5, label: "first", kind: "run" },
          { from: 1, to: 2, label: "a label longer than its span", kind: "wait" },
          { from: 9.9, to: 10, label: "at the very end", kind: "bad" },
        ],
        marks: [{ at: 10, label: "the end", kind: "note" }],
      },
    ],
    rules: [{ at: 5, label: "limit", kind: "bad" }],
  });
  const rects = [...drawn.matchAll(/<rect class="box k-(\w+)" x="([\d.]+)" y="([\d.]+)"/g)].map(([, kind, , y]) => [
    kind,
    y,
  ]);
  expect(new Set(rects.map(([, y]) => y)).size).toBeGreaterThan(1);
  expect(drawn).toMatch(/text-anchor="end">at the very end</);
  expect(drawn).toMatch(/text-anchor="end">the end</);
  expect(drawn).toContain(">limit<");
  expect(drawn).toContain(">4 s<");
});

test("tree() draws each node once and makes those with arguments buttons", () => {
  const drawn = tree(
    { label: "root", kind: "run", children: [{ label: "leaf", note: "0 ms", kind: "good", args: ["--job", "leaf"] }] },
    "jobs",
  );
  expect(drawn.match(/<rect/g)).toHaveLength(2);
  expect(drawn).toContain(`data-args="${esc('["--job","leaf"]')}"`);
  expect(drawn).toContain(">0 ms<");
});

test("hot() says its name and can be reached by Tab", () => {
  expect(hot(["a"], "press me", "")).toMatch(/role="button" tabindex="0" .* aria-label="press me"/);
});

test("table() escapes text and takes HTML that is marked as such", () => {
  expect(table(["h"], [{ cells: ["<x>", { html: "<b>y</b>" }], kind: "pick" }])).toMatch(
    /<tr class="k-pick"><td>&#60;x&#62;<\/td><td><b>y<\/b><\/td><\/tr>/,
  );
});

test("the picture of chapter 01 marks where each value comes from", async () => {
  const drawn = await live.draw(live.example, "en");
  expect(drawn).toMatch(/<tr class="k-run"><td>-b, --bridge<\/td><td>&#34;&#34;<\/td><td>br0<\/td><td>→ br0<\/td>/);
  expect(drawn).toMatch(/<tr class="k-note"><td>--mtu<\/td><td>0<\/td><td><\/td><td>✱ 1450<\/td>/);
  expect(drawn).toContain("Warning: &#39;-icc&#39; is deprecated");
  for (const preset of live.presets) expect(await live.draw(preset.args, "zh")).toContain("退出状态");
});

test("a control of chapter 01 writes what it reads", () => {
  for (const control of live.controls) {
    if (control.kind !== "switch") continue;
    for (const on of [true, false]) expect(control.read(control.write(live.example, on))).toBe(on);
  }
});
