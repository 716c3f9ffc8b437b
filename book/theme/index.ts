/**
 * The book's look and its moving parts, for VitePress.
 *
 * @module
 */

import type { Theme } from "vitepress";
import "./tokens.css";
import "./runner.css";
import "./search.css";
import "./site.css";
import "../../chapters/lib/live.css";
import { ChapterList } from "./chapter-list.ts";
import { Layout } from "./layout.ts";
import { Runner } from "./runner.ts";

const theme: Theme = {
  Layout,
  enhanceApp({ app }) {
    app.component("Runner", Runner);
    app.component("ChapterList", ChapterList);
  },
};
export default theme;
