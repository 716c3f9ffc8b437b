import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashOf } from "../../book/theme/words.ts";
import type { Args, Live } from "../../chapters/lib/live.ts";
import { BufferWriter, type Writer } from "../../src/sync/io.ts";
import { executable, Reader } from "./browser.ts";

type Demo = (args: Args, out: Writer) => Promise<number>;

async function inNode(chapter: string, args: Args): Promise<string> {
  const { demo } = (await import(/* @vite-ignore */ `../../chapters/${chapter}/demo.ts`)) as { demo: Demo };
  const out = new BufferWriter();
  const status = await demo(args, out);
  return `${out.toString()}[${status}]`;
}

const chapters = readdirSync("book/dist/live").map((name) => name.replace(/\.js$/, ""));

describe.skipIf(executable === undefined)("a chapter runs in its page", () => {
  let reader: Reader;
  beforeAll(async () => {
    reader = await Reader.open();
  });
  afterAll(() => reader?.close());

  const outputOf = async (page: Awaited<ReturnType<Reader["page"]>>) => {
    await page.waitForSelector(".runner[data-state=done]", { timeout: 30_000 });
    const text = await page.textContent(".runner .output pre");
    const status = /(\d+)$/.exec((await page.textContent(".runner .status")) ?? "")?.[1];
    return `${text}[${status}]`;
  };

  test("every chapter that has a demonstration brings it along", () => {
    expect(chapters).toContain("01-config-flags");
  });

  test.for(chapters)(
    "%s prints what it prints in Node, for the example and each preset",
    { timeout: 120_000 },
    async (chapter) => {
      const { live } = (await import(/* @vite-ignore */ `../../chapters/${chapter}/live.ts`)) as { live: Live };
      const page = await reader.page(`/chapters/${chapter}.html`);
      await page.locator("#run").scrollIntoViewIfNeeded();
      expect(await outputOf(page)).toBe(await inNode(chapter, live.example));
      for (const [i, { args, label }] of live.presets.entries()) {
        await page.locator(".runner .presets button").nth(i).click();
        expect(await outputOf(page), label.en).toBe(await inNode(chapter, args));
        expect(await page.locator(".runner .presets button").nth(i).getAttribute("aria-pressed")).toBe("true");
        expect(await page.innerHTML(".runner .live"), label.en).not.toBe("");
        expect(await page.locator(".runner .complaint").count(), label.en).toBe(0);
      }
    },
  );

  test.for(chapters)("%s keeps its arguments in the address", async (chapter) => {
    const { live } = (await import(/* @vite-ignore */ `../../chapters/${chapter}/live.ts`)) as { live: Live };
    const args = live.presets.at(-1)?.args ?? live.example;
    const language = existsSync(`book/dist/zh/chapters/${chapter}.html`) ? "/zh" : "";
    const page = await reader.page(`${language}/chapters/${chapter}.html${hashOf(args)}`);
    expect(await outputOf(page)).toBe(await inNode(chapter, args));
    expect(await page.isVisible(".runner .command")).toBe(true);
  });

  test("a command line is typed and run without a mouse", async () => {
    const page = await reader.page("/chapters/01-config-flags.html");
    await page.locator("#run").scrollIntoViewIfNeeded();
    await page.waitForSelector(".runner[data-state=done]");
    await page.focus(".runner .line");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("-d --mtu 9000 --dns '10.0.0.2'");
    await page.keyboard.press("Enter");
    const wanted = await inNode("01-config-flags", ["-d", "--mtu", "9000", "--dns", "10.0.0.2"]);
    await expect.poll(() => outputOf(page)).toBe(wanted);
    expect(page.url()).toContain("#run=");
  });

  test("an open quote is told, and the output before stays", async () => {
    const page = await reader.page("/chapters/01-config-flags.html");
    await page.locator("#run").scrollIntoViewIfNeeded();
    const before = await outputOf(page);
    await page.fill(".runner .line", "-d 'open");
    await page.click(".runner .run");
    expect(await page.textContent(".runner .complaint")).toContain("' is not closed");
    expect(await outputOf(page)).toBe(before);
  });

  test.for(chapters)("%s: what the picture offers is reached by Tab and taken by Enter", async (chapter) => {
    const { live } = (await import(/* @vite-ignore */ `../../chapters/${chapter}/live.ts`)) as { live: Live };
    const page = await reader.page(`/chapters/${chapter}.html`);
    await page.locator("#run").scrollIntoViewIfNeeded();
    await page.waitForSelector(".runner[data-state=done]");
    const current = JSON.stringify(live.example);
    const offers = await page.locator(".runner .live [data-args]").evaluateAll((elements) =>
      elements.map((element) => ({
        args: element.getAttribute("data-args") ?? "",
        reachable: element instanceof HTMLButtonElement || element.getAttribute("tabindex") === "0",
      })),
    );
    expect(offers.filter(({ reachable }) => !reachable)).toEqual([]);
    const at = offers.findIndex(({ args }) => JSON.stringify(JSON.parse(args)) !== current);
    if (at < 0) return console.log(`${chapter}: its picture offers nothing to choose`);
    await page.locator(".runner .live [data-args]").nth(at).focus();
    await page.keyboard.press("Enter");
    const args = JSON.parse(offers[at]?.args ?? "[]") as string[];
    await expect.poll(() => outputOf(page)).toBe(await inNode(chapter, args));
  });

  test("nothing was asked of another server, and nothing complained", () => {
    expect(reader.complaints).toEqual([]);
  });
});
