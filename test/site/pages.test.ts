import { relative, sep } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { filesBelow } from "../../book/site/check-site.ts";
import { executable, Reader } from "./browser.ts";

test("the site builds without a fault", () => {
  expect(inject("build").faults).toBe("");
  expect(inject("build").status).toBe(0);
});

describe.skipIf(executable === undefined)("in a browser", () => {
  let reader: Reader;
  beforeAll(async () => {
    reader = await Reader.open();
  });
  afterAll(() => reader?.close());

  const all = filesBelow("book/dist")
    .filter((file) => file.endsWith(".html"))
    .map((file) => `/${relative("book/dist", file).split(sep).join("/")}`);
  const isSource = (path: string) => path.startsWith("/code/");
  // Source pages are made by one function: some of each kind stand for all.
  const paths = [...all.filter((path) => !isSource(path)), ...all.filter(isSource).filter((_, i) => i % 20 === 0)];

  test("every page loads without an error, in both languages, and fits a phone", { timeout: 300_000 }, async () => {
    const faults: string[] = [];
    const queue = [...paths];
    const look = async (colorScheme: "light" | "dark") => {
      const page = await (await reader.window({ viewport: { width: 360, height: 780 }, colorScheme })).newPage();
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        await page.goto(`${reader.url}${path}`);
        await page.waitForSelector("h1");
        const seen = await page.evaluate(() => ({
          heading: document.querySelector("h1")?.textContent ?? "",
          language: document.documentElement.lang,
          over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        }));
        if (seen.heading === "") faults.push(`${path} has no heading`);
        if (seen.over > 0) faults.push(`${path} is ${seen.over} pixels wider than a phone`);
        const wanted = path.startsWith("/zh/") ? "zh-CN" : "en";
        if (path !== "/404.html" && seen.language !== wanted) faults.push(`${path} says it is in ${seen.language}`);
      }
    };
    await Promise.all([look("light"), look("dark")]);
    expect(paths.length).toBeGreaterThan(80);
    expect([...faults, ...reader.complaints]).toEqual([]);
  });

  test("the other language is one click away, on the same page", async () => {
    const page = await reader.page("/chapters/01-config-flags.html");
    await page.click("a.language");
    await page.waitForURL("**/zh/chapters/01-config-flags.html");
    await expect.poll(() => page.textContent("h1")).toContain("从命令行到配置");
    await expect.poll(() => page.textContent(".search-button")).toContain("搜索");
    await page.click("a.language");
    await page.waitForURL((url) => url.pathname === "/chapters/01-config-flags.html");
    await expect.poll(() => page.textContent(".search-button")).toContain("Search");
  });

  test("the API's frame keeps the language the reader came with", async () => {
    const page = await reader.page("/zh/glossary.html");
    await page.click("a.word:has-text('API')");
    await page.waitForURL("**/api/**");
    await expect.poll(() => page.textContent(".search-button")).toContain("搜索");
    await page.click("button.language");
    await expect.poll(() => page.textContent(".search-button")).toContain("Search");
    expect(new URL(page.url()).pathname).toMatch(/^\/api\//);
  });

  test("light and dark change by a button, and the choice stays", async () => {
    const page = await reader.page("/glossary.html", { colorScheme: "light" });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.click("button.theme");
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.goto(`${reader.url}/code/src/engine/engine.ts.html`);
    expect(await ground()).toBe(dark);
  });

  test("a phone has the contents behind a button", async () => {
    const page = await reader.page("/chapters/01-config-flags.html", { viewport: { width: 360, height: 780 } });
    expect(await page.isVisible(".side")).toBe(false);
    await page.click("button.menu");
    await page.click(".side a[href='/glossary.html']");
    await page.waitForURL("**/glossary.html");
    await expect.poll(() => page.isVisible(".side")).toBe(false);
  });

  test("a range of lines in an address is marked on the source's page", async () => {
    const page = await reader.page("/code/src/engine/engine.ts.html#L10-L12");
    expect(await page.locator(".l.on").count()).toBe(3);
  });

  test("a symbol in the prose leads to its lines, and to the API", async () => {
    const page = await reader.page("/chapters/01-config-flags.html");
    const api = page.locator("a.api[title='API: FlagSet.parse']").first();
    const href = await api.getAttribute("href");
    await api.click();
    await page.waitForURL("**/api/pkg/mflag.html**");
    expect(href).toBe("/api/pkg/mflag.html#FlagSet.parse");
    expect(await page.locator("[id='FlagSet.parse']").textContent()).toContain("parse(args: readonly string[]): void");
  });

  test("search finds English and Chinese, by keyboard alone", async () => {
    const page = await reader.page("/chapters/01-config-flags.html");
    const search = async (text: string) => {
      await page.keyboard.press("/");
      await page.fill("dialog.search input", text);
      await expect.poll(() => page.locator(".hits li").count()).toBeGreaterThan(0);
      return page.locator(".hits li").allInnerTexts();
    };
    expect((await search("parseDuration"))[0]).toContain("parseDuration");
    await page.keyboard.press("Escape");
    expect((await search("deprecated name")).join()).toContain("A command line becomes a configuration");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.isVisible("dialog.search")).toBe(false);

    await page.goto(`${reader.url}/zh/`);
    expect((await search("配置初始化"))[0]).toContain("配置初始化");
    await page.keyboard.press("Escape");
    expect((await search("镜像")).length).toBeGreaterThan(2);
    await page.keyboard.press("ArrowDown");
    const chosen = await page.locator(".hits .chosen a").getAttribute("href");
    await page.keyboard.press("Enter");
    await page.waitForURL(
      (url) => url.href.endsWith(chosen ?? "?") || decodeURI(url.href).endsWith(decodeURI(chosen ?? "?")),
    );
  });

  test("nothing was asked of another server, and nothing complained", () => {
    expect(reader.complaints).toEqual([]);
  });
});
