/**
 * Search without a server: an index that comes with the site, loaded when the reader begins to search.
 *
 * @module
 */

import MiniSearch from "minisearch";
import { defineComponent, h, nextTick, onBeforeUnmount, onMounted, ref, watch } from "vue";
import type { Language } from "../../chapters/lib/live.ts";
import { useLanguage } from "./language.ts";
import { SEARCH_OPTIONS, terms } from "./words-of-search.ts";

/** A place the search has found. */
interface Found {
  readonly url: string;
  readonly title: string;
  readonly where: string;
  readonly text: string;
}

const MOST = 24;
const indexes = new Map<Language, Promise<MiniSearch<Found>>>();

function indexOf(language: Language): Promise<MiniSearch<Found>> {
  const known = indexes.get(language);
  if (known !== undefined) return known;
  const loading = fetch(`/search-${language}.json`)
    .then((response) => response.text())
    .then((text) => MiniSearch.loadJSON<Found>(text, { ...SEARCH_OPTIONS, tokenize: terms }));
  indexes.set(language, loading);
  return loading;
}

/** The part of a text around the first term, with the terms marked. */
function excerpt(text: string, wanted: readonly string[]) {
  const lower = text.toLowerCase();
  const first = Math.min(...wanted.map((term) => lower.indexOf(term)).filter((at) => at >= 0), text.length);
  const from = first > 60 && first < text.length ? first - 40 : 0;
  const part = `${from > 0 ? "…" : ""}${text.slice(from, from + 170)}${text.length > from + 170 ? "…" : ""}`;
  return marked(part, wanted);
}

function marked(text: string, wanted: readonly string[]) {
  const safe = wanted.filter((term) => term !== "").map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (safe.length === 0) return [text];
  return text.split(new RegExp(`(${safe.join("|")})`, "i")).map((part, i) => (i % 2 === 1 ? h("mark", part) : part));
}

/** The search box: a button in the bar, and a dialog. */
export const Search = defineComponent({
  name: "SiteSearch",
  setup() {
    const { language, words } = useLanguage();
    const dialog = ref<HTMLDialogElement>();
    const input = ref<HTMLInputElement>();
    const query = ref("");
    const found = ref<readonly Found[]>([]);
    const chosen = ref(0);
    const ready = ref(false);

    async function open(): Promise<void> {
      dialog.value?.showModal();
      await nextTick();
      input.value?.select();
      await indexOf(language.value);
      ready.value = true;
      await look();
    }

    async function look(): Promise<void> {
      const index = await indexOf(language.value);
      const hits = index.search(query.value, {
        combineWith: "AND",
        prefix: true,
        fuzzy: (term) => (/^[a-z]{6,}$/.test(term) ? 0.15 : false),
        boost: { title: 4, where: 1.5 },
      });
      // A name that is exactly what was typed comes first.
      const wanted = query.value.trim().toLowerCase();
      const exact = (hit: unknown) => ((hit as Found).title.toLowerCase() === wanted ? 0 : 1);
      found.value = (hits as unknown as Found[])
        .slice()
        .sort((a, b) => exact(a) - exact(b))
        .slice(0, MOST);
      chosen.value = 0;
    }
    watch(query, look);

    function go(at: number): void {
      dialog.value?.querySelectorAll<HTMLAnchorElement>(".hits a")[at]?.click();
    }

    function keys(event: KeyboardEvent): void {
      const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
      if (step !== 0) {
        event.preventDefault();
        chosen.value = Math.max(0, Math.min(found.value.length - 1, chosen.value + step));
        void nextTick(() => dialog.value?.querySelector(".hits .chosen")?.scrollIntoView({ block: "nearest" }));
      } else if (event.key === "Enter") {
        event.preventDefault();
        go(chosen.value);
      }
    }

    function anywhere(event: KeyboardEvent): void {
      const typing = event.target instanceof Element && event.target.closest("input, textarea, select") !== null;
      if ((event.key === "/" && !typing) || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey))) {
        event.preventDefault();
        void open();
      }
    }
    onMounted(() => window.addEventListener("keydown", anywhere));
    onBeforeUnmount(() => window.removeEventListener("keydown", anywhere));

    return () => {
      const wanted = terms(query.value);
      return [
        h(
          "button",
          { type: "button", class: "search-button", "aria-label": words.value.search, onClick: () => void open() },
          [
            h("svg", { viewBox: "0 0 20 20", width: 16, height: 16, "aria-hidden": "true" }, [
              h("circle", { cx: 8.5, cy: 8.5, r: 5.5 }),
              h("path", { d: "M12.7 12.7 18 18" }),
            ]),
            h("span", words.value.search),
            h("kbd", "/"),
          ],
        ),
        h(
          "dialog",
          {
            ref: dialog,
            class: "search",
            "aria-label": words.value.search,
            onClick: (event: Event) => {
              if (event.target === dialog.value) dialog.value?.close();
            },
          },
          h("div", { class: "search-box" }, [
            h("input", {
              ref: input,
              type: "search",
              "aria-label": words.value.searchHint,
              placeholder: words.value.searchHint,
              value: query.value,
              autocomplete: "off",
              spellcheck: false,
              onInput: (event: Event) => {
                query.value = (event.target as HTMLInputElement).value;
              },
              onKeydown: keys,
            }),
            found.value.length === 0
              ? h(
                  "p",
                  { class: "keys" },
                  query.value !== "" && ready.value ? `${words.value.nothing} “${query.value}”` : words.value.keys,
                )
              : h(
                  "ul",
                  { class: "hits" },
                  found.value.map((hit, at) =>
                    h("li", { key: hit.url, class: at === chosen.value ? "chosen" : "" }, [
                      h(
                        "a",
                        {
                          href: hit.url,
                          onClick: () => dialog.value?.close(),
                          onMouseenter: () => (chosen.value = at),
                        },
                        [
                          h("b", marked(hit.title, wanted)),
                          h("small", hit.where),
                          h("span", excerpt(hit.text, wanted)),
                        ],
                      ),
                    ]),
                  ),
                ),
          ]),
        ),
      ];
    };
  },
});
