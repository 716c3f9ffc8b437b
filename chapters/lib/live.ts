/**
 * What a chapter's page shows beside its text: controls, and a picture of what happened.
 *
 * Everything is a function of the demonstration's arguments. A control rewrites them, a click in the picture replaces
 * them, the address of the page keeps them; whatever a reader arrives at can be typed in a terminal, too. Nothing here
 * knows a browser: the page's runner shows it, and a test draws it without one.
 *
 * @module
 */

/** The languages of the book. */
export type Language = "en" | "zh";

/** A text in both languages. */
export type Text = Readonly<Record<Language, string>>;

/** The arguments of a demonstration, as typed after `npm run chapter NN --`. */
export type Args = readonly string[];

/** A named command line. */
export interface Preset {
  readonly label: Text;
  readonly args: Args;
}

/** Something the reader changes; each control reads its state from the arguments and writes it back. */
export type Control =
  | {
      readonly kind: "range";
      readonly label: Text;
      readonly min: number;
      readonly max: number;
      readonly step: number;
      /** Behind the number: `s`, `ms`. */
      readonly unit: string;
      read(args: Args): number;
      write(args: Args, value: number): Args;
    }
  | {
      readonly kind: "choice";
      readonly label: Text;
      readonly options: readonly { readonly value: string; readonly label: Text }[];
      read(args: Args): string;
      write(args: Args, value: string): Args;
    }
  | {
      readonly kind: "switch";
      readonly label: Text;
      read(args: Args): boolean;
      write(args: Args, value: boolean): Args;
    }
  | {
      readonly kind: "text";
      readonly label: Text;
      /** Width in characters. */
      readonly size: number;
      read(args: Args): string;
      write(args: Args, value: string): Args;
    }
  | {
      readonly kind: "button";
      readonly label: Text;
      press(args: Args): Args;
    };

/** The live side of a chapter; `live.ts` exports one as `live`. */
export interface Live {
  /** What the page begins with, and what the demonstration does without arguments. */
  readonly example: Args;
  /** Command lines worth trying; the first is the example. */
  readonly presets: readonly Preset[];
  readonly controls: readonly Control[];
  /** What the picture shows, for those who do not see it and as its caption. */
  readonly caption: Text;
  /**
   * Draws what the arguments lead to, from the trace of a run of its own.
   *
   * An element with `data-args` (see `hot()` in draw.ts) takes these arguments when it is clicked, or reached by Tab and
   * pressed by Enter.
   *
   * @returns HTML; usually one `<svg>`, or several parts one below the other
   * @throws an error whose message says what is wrong with the arguments
   */
  draw(args: Args, language: Language): Promise<string>;
}
