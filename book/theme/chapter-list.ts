/**
 * The chapters on the first page.
 *
 * @module
 */

import { useData } from "vitepress";
import { defineComponent, h } from "vue";
import type { SiteData } from "./data.ts";
import { useLanguage } from "./language.ts";

/** `<ChapterList />` */
export const ChapterList = defineComponent({
  name: "ChapterList",
  setup() {
    const { theme } = useData<SiteData>();
    const { language } = useLanguage();
    return () =>
      h(
        "ol",
        { class: "chapter-list" },
        theme.value.nav[language.value].chapters.map(({ text, url, number }) =>
          h("li", h("a", { href: url }, [h("span", { class: "number" }, number), h("b", text)])),
        ),
      );
  },
});
