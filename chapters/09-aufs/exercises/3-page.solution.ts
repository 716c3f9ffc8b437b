/** An answer to exercise 3. @module */

const PAGE = 4095;
const ID = 64;

/** As 1.2.0 writes them, cut as the kernel cuts them. */
function options(root: string, layers: number): string {
  const path = (n: number) => `${root}/aufs/diff/${String(n).padStart(ID, "0")}`;
  const branches = Array.from({ length: layers }, (_, n) => `${path(n + 1)}=ro+wh:`);
  return `br:${path(0)}=rw:${branches.join("")},xino=/dev/shm/aufs.xino`.slice(0, PAGE);
}

/** Counts what is left between the colons. */
export function remains(root: string, layers: number): { readonly named: number; readonly cut: string } {
  const [, ...texts] = options(root, layers).slice("br:".length).split(":");
  const last = texts.pop() ?? "";
  const whole = texts.length + (last.endsWith("=ro+wh") || /\/\d{64}(=ro)?$/.test(last) ? 1 : 0);
  return { named: whole, cut: whole > texts.length || last === "" || last.startsWith(",") ? "" : last };
}

/**
 * A branch takes the root and `/aufs/diff/`, the id, and seven characters more. With a root of nine characters that makes
 * 91 bytes, and 45 times 91 is 4095: the page ends just behind a branch.
 */
export function unluckyRoot(): string {
  return "/srv/dock";
}
