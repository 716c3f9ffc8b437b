/**
 * The controls of a chapter's picture as form fields. Each reads its state from the arguments.
 *
 * @module
 */

import { h, type VNode } from "vue";
import type { Args, Control, Language } from "../../chapters/lib/live.ts";

/** Where a control stands, and whom it tells. */
export interface ControlPlace {
  readonly id: string;
  readonly args: Args;
  readonly language: Language;
  /** Takes new arguments; making them may fail. */
  change(next: () => Args): void;
}

/** What a control reads; arguments that somebody typed need not make sense to it. */
function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const value = (event: Event) => (event.target as HTMLInputElement).value;

/** The field of a control. */
export function controlField(control: Control, { id, args, language, change }: ControlPlace): VNode {
  const label = h("label", { for: id }, control.label[language]);
  switch (control.kind) {
    case "range": {
      const now = safely(() => control.read(args), control.min);
      const { min, max, step } = control;
      const onInput = (event: Event) => change(() => control.write(args, Number(value(event))));
      return h("div", { class: "field range" }, [
        label,
        h("input", { id, type: "range", min, max, step, value: now, onInput }),
        h("output", { for: id }, `${now} ${control.unit}`.trim()),
      ]);
    }
    case "choice": {
      const now = safely(() => control.read(args), "");
      const options = control.options.map((option) =>
        h("option", { value: option.value, selected: option.value === now }, option.label[language]),
      );
      const onChange = (event: Event) => change(() => control.write(args, value(event)));
      return h("div", { class: "field" }, [label, h("select", { id, value: now, onChange }, options)]);
    }
    case "switch": {
      const checked = safely(() => control.read(args), false);
      const onChange = (event: Event) => change(() => control.write(args, (event.target as HTMLInputElement).checked));
      return h("div", { class: "field switch" }, [h("input", { id, type: "checkbox", checked, onChange }), label]);
    }
    case "text": {
      const now = safely(() => control.read(args), "");
      const onChange = (event: Event) => change(() => control.write(args, value(event)));
      const look = { id, type: "text", size: control.size, value: now, onChange, spellcheck: false };
      return h("div", { class: "field" }, [label, h("input", { ...look, autocomplete: "off", autocapitalize: "off" })]);
    }
    case "button": {
      const onClick = () => change(() => control.press(args));
      return h("div", { class: "field" }, h("button", { type: "button", onClick }, control.label[language]));
    }
  }
}
