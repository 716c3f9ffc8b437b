/**
 * Aligns tab separated text in columns, as Go's `text/tabwriter` does.
 *
 * A cell is text that ends with a tab. Neighbouring lines which have a cell in the same column form a block, and the
 * widest cell sets the column's width in that block only: a line without that column ends it. The text after a line's
 * last tab is no cell and never widens anything.
 *
 * @module
 */

/** How columns are laid out; widths in characters. */
export interface TabWriterOptions {
  /** Least width of a column, padding included; default 0. */
  readonly minWidth?: number;
  /** Width of a tab character, where padding is done with tabs; default 8. */
  readonly tabWidth?: number;
  /** Added to the widest cell; default 1. */
  readonly padding?: number;
  /** Default is a blank. With `"\t"` the columns are multiples of `tabWidth`. */
  readonly padChar?: string;
}

/** Collects lines; {@link TabWriter.flush} hands the aligned text to the sink in one call. */
export class TabWriter<R = void> {
  readonly #sink: (text: string) => R;
  readonly #minWidth: number;
  readonly #tabWidth: number;
  readonly #padding: number;
  readonly #padChar: string;
  #text = "";

  /** @param sink - receives the aligned text; what it returns (a promise, say) is what `flush` returns */
  constructor(sink: (text: string) => R, options: TabWriterOptions = {}) {
    this.#sink = sink;
    this.#minWidth = options.minWidth ?? 0;
    this.#tabWidth = options.tabWidth ?? 8;
    this.#padding = options.padding ?? 1;
    this.#padChar = options.padChar ?? " ";
  }

  /** Takes text: `\t` and `\v` end a cell, `\n` a line, `\f` a line and all columns. */
  write(text: string): void {
    this.#text += text;
  }

  /** Aligns what was written since the last call. An unfinished line counts, and stays unfinished. */
  flush(): R {
    const parts = this.#text.split("\f");
    this.#text = "";
    const aligned = parts.map((part, i) => this.#align(i + 1 < parts.length ? `${part}\n` : part));
    return this.#sink(aligned.join(""));
  }

  #align(text: string): string {
    const lines = text.split("\n").map((line) => line.split(/[\t\v]/));
    const out: string[] = [];
    this.#format(lines, 0, lines.length, [], out);
    return out.join("\n");
  }

  /** Formats lines `from` to `to`, the columns left of `widths.length` being settled. */
  #format(lines: string[][], from: number, to: number, widths: number[], out: string[]): void {
    const column = widths.length;
    const hasCell = (at: number) => at < to && column < (lines[at]?.length ?? 0) - 1;
    let start = from;
    for (let at = from; at < to; at++) {
      if (!hasCell(at)) continue;
      this.#print(lines, start, at, widths, out);
      start = at;
      let width = this.#minWidth;
      for (; hasCell(at); at++) width = Math.max(width, runes(lines[at]?.[column] ?? "") + this.#padding);
      widths.push(width);
      this.#format(lines, start, at, widths, out);
      widths.pop();
      start = at;
    }
    this.#print(lines, start, to, widths, out);
  }

  #print(lines: string[][], from: number, to: number, widths: number[], out: string[]): void {
    for (const line of lines.slice(from, to)) {
      const last = line.length - 1;
      out.push(line.map((cell, i) => (i < last ? cell + this.#pad(runes(cell), widths[i] ?? 0) : cell)).join(""));
    }
  }

  #pad(used: number, width: number): string {
    if (this.#padChar !== "\t") return this.#padChar.repeat(Math.max(0, width - used));
    if (this.#tabWidth === 0) return "";
    const full = Math.ceil(width / this.#tabWidth) * this.#tabWidth;
    return "\t".repeat(Math.ceil((full - used) / this.#tabWidth));
  }
}

/** Characters as Go counts them: code points, whatever their width on a screen. */
function runes(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
