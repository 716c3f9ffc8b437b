/** An answer to exercise 2. @module */

const FALSE = ["", "0", "no", "false", "none"];
const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");

/** The list of 1.2.0. */
export class ListEnv {
  readonly list: string[] = [];

  /** Adds one entry at the end. */
  set(name: string, value: string): void {
    this.list.push(`${name}=${value}`);
  }

  /** The last value; empty when there is none. A name ends at the first `=`, whoever put it there. */
  get(name: string): string {
    const entry = this.list.findLast((text) => text.startsWith(`${name}=`) && text.indexOf("=") === name.length);
    return entry?.slice(name.length + 1) ?? "";
  }

  /** How many names there are. */
  len(): number {
    return new Set(this.list.map((text) => text.slice(0, text.indexOf("=")))).size;
  }

  /** False for five words only. */
  getBool(name: string): boolean {
    return !FALSE.includes(trim(this.get(name)).toLowerCase());
  }

  /** A whole number, or 0. */
  getInt(name: string): number {
    const text = trim(this.get(name));
    return /^[+-]?\d+$/.test(text) ? Number(text) : 0;
  }
}
