/**
 * Runs a chapter's demonstration in the page: the same files, the same engine, on a machine that exists only in memory.
 *
 * The arguments are the whole state. Controls, presets and the picture change them, and the address keeps them.
 *
 * @module
 */

import { computed, defineComponent, h, nextTick, onBeforeUnmount, onMounted, ref } from "vue";
import type { Args, Live } from "../../chapters/lib/live.ts";
import { controlField } from "./controls.ts";
import { useLanguage } from "./language.ts";
import { argsIn, hashOf, joinLine, splitLine } from "./words.ts";

type Demo = (args: Args, out: { write(chunk: Uint8Array | string): void }) => Promise<number>;

/** What a chapter brings to the page. */
interface Loaded {
  readonly demo: Demo;
  readonly live?: Live;
}

const load = (chapter: string) => import(/* @vite-ignore */ `/live/${chapter}.js`) as Promise<Loaded>;

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));

/** The arguments that a piece of the picture stands for. */
function argsOf(target: EventTarget | null): { element: Element; args: string[] } | undefined {
  const element = target instanceof Element ? target.closest("[data-args]") : null;
  const text = element?.getAttribute("data-args");
  if (element === null || text === null || text === undefined) return undefined;
  return { element, args: JSON.parse(text) as string[] };
}

/** `<Runner chapter="01-config-flags" />`; `compact` shows the picture alone. */
export const Runner = defineComponent({
  name: "ChapterRunner",
  props: { chapter: { type: String, required: true }, compact: { type: Boolean, default: false } },
  setup(props) {
    const { language, words } = useLanguage();
    const root = ref<HTMLElement>();
    const canvas = ref<HTMLElement>();
    const loaded = ref<Loaded>();
    const args = ref<Args>([]);
    const line = ref("");
    const output = ref("");
    const status = ref<number>();
    const picture = ref("");
    const complaint = ref("");
    const pictureComplaint = ref("");
    const state = ref<"asleep" | "loading" | "running" | "done">("asleep");
    const copied = ref(false);
    let turn = 0;
    let running: Promise<void> = Promise.resolve();
    let observer: IntersectionObserver | undefined;

    /** Makes what the picture offers usable by keyboard. */
    function makeReachable(): void {
      for (const element of canvas.value?.querySelectorAll("[data-args]") ?? []) {
        if (element instanceof HTMLButtonElement) continue;
        element.setAttribute("role", "button");
        element.setAttribute("tabindex", "0");
      }
    }

    async function draw(now: number, live: Live): Promise<void> {
      try {
        const html = await live.draw(args.value, language.value);
        if (now !== turn) return;
        const active = document.activeElement;
        const focused = canvas.value?.contains(active) ? active?.getAttribute("data-args") : null;
        picture.value = html;
        pictureComplaint.value = "";
        await nextTick();
        makeReachable();
        if (typeof focused === "string") {
          canvas.value?.querySelector<HTMLElement>(`[data-args="${CSS.escape(focused)}"]`)?.focus();
        }
      } catch (cause) {
        if (now === turn) pictureComplaint.value = messageOf(cause);
      }
    }

    async function execute(now: number, demo: Demo): Promise<void> {
      const decoder = new TextDecoder();
      let text = "";
      try {
        const code = await demo(args.value, {
          write: (chunk) => {
            text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
          },
        });
        if (now !== turn) return;
        status.value = code;
        complaint.value = "";
      } catch (cause) {
        if (now !== turn) return;
        status.value = undefined;
        complaint.value = messageOf(cause);
      }
      output.value = text;
    }

    /** Takes arguments: shows them, draws them, runs them. */
    async function take(next: Args, keep: boolean): Promise<void> {
      args.value = next;
      line.value = joinLine(next);
      if (keep) history.replaceState(history.state, "", hashOf(next));
      const now = ++turn;
      state.value = "running";
      const parts = await wake();
      if (now !== turn) return;
      state.value = "running";
      // One run after the other: each has the machine for itself, as in a terminal.
      const before = running;
      running = (async () => {
        await before;
        if (now === turn && parts.live) await draw(now, parts.live);
        if (now === turn && !props.compact) await execute(now, parts.demo);
        if (now === turn) state.value = "done";
      })();
      await running;
    }

    async function wake(): Promise<Loaded> {
      if (loaded.value === undefined) {
        state.value = "loading";
        loaded.value = await load(props.chapter);
      }
      return loaded.value;
    }

    async function begin(): Promise<void> {
      observer?.disconnect();
      if (state.value !== "asleep") return;
      try {
        const { live } = await wake();
        await take(live?.example ?? [], false);
      } catch (cause) {
        complaint.value = messageOf(cause);
      }
    }

    function submit(): void {
      try {
        void take(splitLine(line.value), true);
      } catch (cause) {
        complaint.value = messageOf(cause);
      }
    }

    function fromHash(): void {
      const kept = argsIn(location.hash);
      if (kept === undefined || props.compact) return;
      root.value?.scrollIntoView({ block: "start" });
      take(kept, false).catch((cause: unknown) => {
        complaint.value = messageOf(cause);
      });
    }

    async function share(): Promise<void> {
      history.replaceState(history.state, "", hashOf(args.value));
      try {
        await navigator.clipboard.writeText(location.href);
        copied.value = true;
        setTimeout(() => {
          copied.value = false;
        }, 1500);
      } catch {
        // Without leave to use the clipboard the address bar has the link.
      }
    }

    function pick(event: Event): void {
      if (event instanceof KeyboardEvent && event.key !== "Enter" && event.key !== " ") return;
      const picked = argsOf(event.target);
      if (picked === undefined) return;
      // A button turns Enter into a click by itself.
      if (event instanceof KeyboardEvent && picked.element instanceof HTMLButtonElement) return;
      event.preventDefault();
      void take(picked.args, !props.compact);
    }

    onMounted(() => {
      if (argsIn(location.hash) !== undefined && !props.compact) fromHash();
      else if (root.value !== undefined) {
        observer = new IntersectionObserver((entries) => {
          if (entries.some(({ isIntersecting }) => isIntersecting)) void begin();
        });
        observer.observe(root.value);
      }
      window.addEventListener("hashchange", fromHash);
    });
    onBeforeUnmount(() => {
      observer?.disconnect();
      window.removeEventListener("hashchange", fromHash);
    });

    const fields = (live: Live) =>
      live.controls.map((control, index) =>
        controlField(control, {
          id: `${props.chapter}-control-${index}`,
          args: args.value,
          language: language.value,
          change(next) {
            try {
              void take(next(), !props.compact);
            } catch (cause) {
              complaint.value = messageOf(cause);
            }
          },
        }),
      );

    const number = computed(() => props.chapter.slice(0, 2));
    const chosen = (preset: Args) => JSON.stringify(preset) === JSON.stringify(args.value);

    const presets = (live: Live) =>
      h("div", { class: "presets", role: "group", "aria-label": words.value.presets }, [
        h("span", { class: "lead" }, words.value.presets),
        ...live.presets.map((preset) =>
          h(
            "button",
            {
              type: "button",
              "aria-pressed": chosen(preset.args),
              onClick: () => void take(preset.args, !props.compact),
            },
            preset.label[language.value],
          ),
        ),
      ]);

    const command = () =>
      h(
        "form",
        {
          class: "command",
          onSubmit: (event: Event) => {
            event.preventDefault();
            submit();
          },
        },
        [
          h("span", { class: "prompt", "aria-hidden": "true" }, `$ npm run chapter ${number.value} --`),
          h("input", {
            type: "text",
            class: "line",
            "aria-label": words.value.command,
            value: line.value,
            spellcheck: false,
            autocomplete: "off",
            autocapitalize: "off",
            onInput: (event: Event) => {
              line.value = (event.target as HTMLInputElement).value;
            },
          }),
          h("button", { type: "submit", class: "run" }, words.value.run),
          h(
            "button",
            { type: "button", class: "share", onClick: () => void share() },
            copied.value ? words.value.copied : words.value.share,
          ),
        ],
      );

    const drawing = (live: Live) => [
      pictureComplaint.value === ""
        ? null
        : h("p", { class: "complaint" }, `${words.value.pictureFailed} ${pictureComplaint.value}`),
      h("figure", { class: "picture" }, [
        h("div", { ref: canvas, class: "live", innerHTML: picture.value, onClick: pick, onKeydown: pick }),
        h("figcaption", live.caption[language.value]),
      ]),
    ];

    return () => {
      const parts = loaded.value;
      const live = parts?.live;
      const note = state.value === "loading" || state.value === "asleep" ? words.value.loading : "";
      return h(
        "section",
        {
          ref: root,
          class: ["runner", props.compact && "compact"],
          id: props.compact ? undefined : "run",
          "data-state": state.value,
          "aria-label": words.value.live,
        },
        [
          h("header", [h("b", words.value.live), " ", h("span", words.value.liveNote)]),
          live === undefined ? null : presets(live),
          props.compact ? null : command(),
          live === undefined || live.controls.length === 0
            ? null
            : h("div", { class: "controls", role: "group", "aria-label": words.value.controls }, fields(live)),
          note === "" ? null : h("p", { class: "note" }, note),
          complaint.value === ""
            ? null
            : h("p", { class: "complaint", role: "alert" }, `${words.value.failed} ${complaint.value}`),
          live === undefined ? null : drawing(live),
          props.compact || parts === undefined
            ? null
            : h("div", { class: "output" }, [
                h("p", { class: "lead" }, [
                  words.value.output,
                  status.value === undefined
                    ? null
                    : h(
                        "span",
                        { class: ["status", status.value === 0 ? "good" : "bad"] },
                        `${words.value.status} ${status.value}`,
                      ),
                ]),
                h("pre", { tabindex: "0", "aria-live": "polite" }, output.value),
              ]),
        ],
      );
    };
  },
});
