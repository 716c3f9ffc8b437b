/**
 * Which language the site speaks on a page.
 *
 * Chapters have an address in each language. The API has one: its texts are the source's own, and the words around them
 * are in the language the reader came from.
 *
 * @module
 */

import { useData } from "vitepress";
import { type ComputedRef, computed, ref } from "vue";
import type { Language } from "../../chapters/lib/live.ts";
import { languageOf, type PageFront } from "./data.ts";
import { strings } from "./strings.ts";

const KEY = "drydock-language";
const preferred = ref<Language>("en");

/** Recalls the language of the page before. Only a browser can. */
export function recallLanguage(): void {
  if (localStorage.getItem(KEY) === "zh") preferred.value = "zh";
}

/** Keeps the language for pages that have none of their own. */
export function keepLanguage(language: Language): void {
  preferred.value = language;
  localStorage.setItem(KEY, language);
}

/** The page's language, and the site's words in it. */
export function useLanguage(): {
  language: ComputedRef<Language>;
  words: ComputedRef<(typeof strings)["en"]>;
  /** Whether the page is the same for both. */
  shared: ComputedRef<boolean>;
} {
  const { page, frontmatter } = useData();
  const shared = computed(() => (frontmatter.value as PageFront).kind === "api");
  const language = computed(() => (shared.value ? preferred.value : languageOf(`/${page.value.relativePath}`)));
  return { language, words: computed(() => strings[language.value]), shared };
}
