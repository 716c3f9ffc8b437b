import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { declarationOf } from "../../symbols.ts";
import type { SiteData } from "../../theme/data.ts";
import { diskTree } from "../../tree.ts";
import { Colours } from "../highlight.ts";
import { markdownOptions } from "../markdown-it.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const data = JSON.parse(readFileSync(`${root}/book/out/site.json`, "utf8")) as SiteData;
const colours = await new Colours(`${root}/book/out/cache/colours-prose.json`).open();
const tree = diskTree(root);

export default defineConfig<SiteData>({
  title: "Drydock",
  titleTemplate: ":title · Drydock",
  description: "Docker 1.2.0 taken apart in TypeScript: a working engine and an annotated walkthrough",
  srcDir: "../out/pages",
  outDir: "../out/dist",
  cacheDir: "../out/cache/vitepress",
  cleanUrls: false,
  // The site's own check looks at every link, also at those to the pages of the source.
  ignoreDeadLinks: true,
  head: [["link", { rel: "icon", href: "/favicon.svg" }]],
  locales: {
    root: { label: "English", lang: "en" },
    zh: {
      label: "简体中文",
      lang: "zh-CN",
      description: "用 TypeScript 拆解 Docker 1.2.0：可以运行的引擎，逐行讲解的走读",
    },
  },
  themeConfig: data,
  markdown: markdownOptions(colours, (place) => declarationOf(tree, place)),
  buildEnd: () => colours.save(),
  vite: { build: { chunkSizeWarningLimit: 4000, reportCompressedSize: false } },
});
