import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type ServedSite, serveSite } from "../../book/site/serve.ts";

/** Where the browser is; `undefined` on a machine without one. */
export const executable = (process.env["PATH"] ?? "")
  .split(delimiter)
  .flatMap((dir) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(dir, name)))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

if (executable === undefined) console.log("skipped: the pages of the book need chromium (apt-get install chromium)");

/** The served site and a browser; everything that is not as it should be ends up in `complaints`. */
export class Reader {
  readonly complaints: string[] = [];
  readonly #site: ServedSite;
  readonly #browser: Browser;

  private constructor(site: ServedSite, browser: Browser) {
    this.#site = site;
    this.#browser = browser;
  }

  /** Serves `book/dist` and starts a browser. */
  static async open(): Promise<Reader> {
    const site = await serveSite("book/dist");
    const browser = await chromium.launch({
      ...(executable && { executablePath: executable }),
      args: ["--no-sandbox"],
    });
    return new Reader(site, browser);
  }

  get url(): string {
    return this.#site.url;
  }

  /** A window of its own: errors of its pages, and requests to other servers, are complaints. */
  async window(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    await context.route("**", (route) => {
      const address = route.request().url();
      if (address.startsWith(`${this.url}/`) || address.startsWith("data:")) return route.continue();
      this.complaints.push(`a request leaves the site: ${address}`);
      return route.abort();
    });
    context.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      this.complaints.push(`${message.page()?.url()} ${message.type()}: ${message.text()}`);
    });
    context.on("weberror", (error) => {
      this.complaints.push(`${error.page()?.url()} throws: ${error.error().message}`);
    });
    return context;
  }

  /** A page of the site. */
  async page(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await this.window(options)).newPage();
    await page.goto(`${this.url}${path}`);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#site.close();
  }
}
