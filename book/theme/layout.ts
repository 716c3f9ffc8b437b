/**
 * The frame of every page: the bar at the top, the contents at the side, the text, and what comes before and after.
 *
 * @module
 */

import { Content, useData, useRoute } from "vitepress";
import { computed, defineComponent, h, onBeforeUnmount, onMounted, ref, type VNode, watch } from "vue";
import { languageOf, type NavItem, type PageFront, type SiteData, twinOf } from "./data.ts";
import { keepLanguage, recallLanguage, useLanguage } from "./language.ts";
import { Search } from "./search.ts";

/** A hull on the keel blocks of a dry dock. */
const mark = () =>
  h("svg", { class: "mark", viewBox: "0 0 32 32", width: 26, height: 26, "aria-hidden": "true" }, [
    h("path", { d: "M2 8v18h28V8", class: "dock" }),
    h("path", { d: "M6.5 11h19l-2.6 8.2a3 3 0 0 1-2.9 2.1h-8a3 3 0 0 1-2.9-2.1z", class: "hull" }),
    h("path", { d: "M12 11V6h8v5M11.5 21.5V26M16 21.5V26M20.5 21.5V26", class: "lines" }),
  ]);

const icon = (path: string) =>
  h("svg", { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" }, h("path", { d: path }));

const MENU = "M3 5h14M3 10h14M3 15h14";
const MOON = "M16.5 12.4A7 7 0 0 1 7.6 3.5a7 7 0 1 0 8.9 8.9z";

/** The layout of the site. */
export const Layout = defineComponent({
  name: "BookLayout",
  setup() {
    const { theme, page, frontmatter, isDark } = useData<SiteData>();
    const route = useRoute();
    const { language, words, shared } = useLanguage();
    const open = ref(false);
    const here = ref("");
    const front = computed(() => frontmatter.value as PageFront);
    const nav = computed(() => theme.value.nav[language.value]);
    const path = computed(() => `/${page.value.relativePath.replace(/(?:index)?\.md$/, "")}`);
    const url = (item: NavItem) => item.url.replace(/\.html$/, "");
    const isHere = (item: NavItem) => url(item) === path.value;
    const prefix = computed(() => (language.value === "zh" ? "/zh/" : "/"));

    const twin = computed(() => {
      const english = languageOf(path.value) === "zh" ? twinOf(path.value) : path.value;
      const file = english.endsWith("/") ? english : `${english}.html`;
      const known = theme.value.twins.includes(file);
      if (language.value === "zh") return known ? file : "/";
      return known ? `/zh${file}` : "/zh/";
    });

    function switchLanguage(): void {
      keepLanguage(language.value === "zh" ? "en" : "zh");
    }

    let waiting = false;
    /** Finds the section that is being read: the last one whose heading has gone by. */
    function follow(): void {
      waiting = false;
      const items = front.value.outline ?? [];
      const passed = items.findLast(({ id }) => {
        const top = document.getElementById(id)?.getBoundingClientRect().top;
        return top !== undefined && top < 140;
      });
      here.value = passed?.id ?? items[0]?.id ?? "";
    }
    function scrolled(): void {
      if (!waiting) requestAnimationFrame(follow);
      waiting = true;
    }

    watch(
      () => route.path,
      () => {
        open.value = false;
        if (!shared.value && typeof localStorage !== "undefined") keepLanguage(language.value);
        setTimeout(follow, 100);
      },
    );
    onMounted(() => {
      recallLanguage();
      if (!shared.value) keepLanguage(language.value);
      follow();
      window.addEventListener("scroll", scrolled, { passive: true });
      // The place in a long list of contents is in sight.
      const link = document.querySelector<HTMLElement>(".side [aria-current]");
      const side = link?.closest<HTMLElement>(".side");
      if (link && side && link.offsetTop > side.clientHeight - 80) side.scrollTop = link.offsetTop - 120;
    });
    onBeforeUnmount(() => window.removeEventListener("scroll", scrolled));

    const outline = (): VNode | null => {
      const items = front.value.outline ?? [];
      if (items.length === 0) return null;
      return h(
        "ul",
        { class: "outline", "aria-label": words.value.onThisPage },
        items.map(({ level, text, id }) =>
          h(
            "li",
            { class: [`level-${level}`, id === here.value && "here"] },
            h("a", { href: `#${encodeURIComponent(id)}` }, text),
          ),
        ),
      );
    };

    const list = (items: readonly NavItem[]) =>
      h(
        "ul",
        items.map((item) =>
          h("li", { class: isHere(item) ? "here" : "" }, [
            h(
              "a",
              {
                href: item.url,
                ...(isHere(item) ? { "aria-current": "page" } : {}),
                ...(item.url.startsWith("/code/") ? { target: "_self" } : {}),
              },
              [item.number === undefined ? null : h("span", { class: "number" }, item.number), h("span", item.text)],
            ),
            isHere(item) ? outline() : null,
          ]),
        ),
      );

    const side = () =>
      h("nav", { class: ["side", open.value && "open"], id: "contents", "aria-label": words.value.chapters }, [
        front.value.kind === "api" ? [h("h2", words.value.packages), list(theme.value.packages)] : null,
        h("h2", words.value.chapters),
        list(nav.value.chapters),
        h("h2", words.value.reference),
        list(nav.value.reference),
      ]);

    const top = () =>
      h("header", { class: "top" }, [
        h(
          "button",
          {
            type: "button",
            class: "menu",
            "aria-label": open.value ? words.value.close : words.value.menu,
            "aria-expanded": open.value,
            "aria-controls": "contents",
            onClick: () => {
              open.value = !open.value;
            },
          },
          icon(MENU),
        ),
        h("a", { class: "brand", href: prefix.value }, [
          mark(),
          h("b", words.value.title),
          h("span", words.value.subtitle),
        ]),
        h("div", { class: "tools" }, [
          h("a", { class: "word", href: "/api/" }, words.value.api),
          h("a", { class: "word", href: "/code/src/", target: "_self" }, words.value.source),
          h(Search),
          h(
            shared.value ? "button" : "a",
            {
              class: "word language",
              ...(shared.value ? { type: "button" } : { href: twin.value }),
              lang: language.value === "zh" ? "en" : "zh-CN",
              title: words.value.languageLabel,
              onClick: switchLanguage,
            },
            words.value.language,
          ),
          h(
            "button",
            {
              type: "button",
              class: "theme",
              "aria-label": words.value.theme,
              title: words.value.theme,
              onClick: () => {
                isDark.value = !isDark.value;
              },
            },
            icon(MOON),
          ),
        ]),
      ]);

    const around = () => {
      const items = nav.value.chapters;
      const at = items.findIndex(isHere);
      if (at < 0) return null;
      const one = (item: NavItem | undefined, kind: "previous" | "next") =>
        item === undefined
          ? h("span")
          : h("a", { class: kind, href: item.url }, [
              h("small", words.value[kind]),
              h("b", [item.number, " ", item.text]),
            ]);
      return h("nav", { class: "around", "aria-label": words.value.chapters }, [
        one(items[at - 1], "previous"),
        one(items[at + 1], "next"),
      ]);
    };

    return () => {
      const missing = page.value.isNotFound === true;
      const home = front.value.kind === "home" || missing;
      const content = missing
        ? h("div", { class: "missing" }, [
            h("h1", "404"),
            h("p", words.value.notFound),
            h("p", h("a", { href: prefix.value }, words.value.home)),
          ])
        : h(Content);
      return h("div", { class: ["book", `kind-${front.value.kind ?? "page"}`, open.value && "menu-open"] }, [
        h("a", { class: "skip", href: "#content" }, words.value.skip),
        top(),
        h("div", { class: ["frame", home && "wide"] }, [
          side(),
          h("main", { id: "content", lang: shared.value ? "en" : undefined }, [
            h("article", { class: "doc" }, content),
            around(),
          ]),
        ]),
      ]);
    };
  },
});
