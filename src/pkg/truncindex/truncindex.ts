/**
 * Finds an id by any prefix that only one id has.
 *
 * The ids live in a prefix tree whose edges carry whole runs of characters: a lookup walks as many nodes as there are
 * forks on the way, two or three among thousands of random ids, and stops at the second id it meets.
 *
 * Invariant: a node other than the root ends an id or has at least two children.
 *
 * @origin pkg/truncindex/truncindex.go
 * @module
 */

import { BadRequestError, NoSuchError } from "../../errdefs/errdefs.ts";

interface Node {
  /** The characters between the parent and here. */
  label: string;
  /** Whether an id ends here. */
  ends: boolean;
  /** By first character of the label. */
  readonly children: Map<string, Node>;
}

/** @origin pkg/truncindex/truncindex.go TruncIndex */
export class TruncIndex {
  readonly #root: Node = { label: "", ends: false, children: new Map() };
  #size = 0;

  /** @param ids - the first ids; those that {@link add} refuses are left out in silence, as in 1.2.0 */
  constructor(ids: Iterable<string> = []) {
    for (const id of ids) {
      if (refusal(id) === undefined) this.#insert(id);
    }
  }

  /** How many ids there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds an id.
   *
   * @throws {BadRequestError} when it is empty, holds a blank or is there already
   * @origin pkg/truncindex/truncindex.go (*TruncIndex).Add
   */
  add(id: string): void {
    const text = refusal(id);
    if (text !== undefined) throw new BadRequestError(text);
    if (!this.#insert(id)) throw new BadRequestError(`Id already exists: '${id}'`);
  }

  /**
   * Removes an id; a prefix of it is not enough.
   *
   * @throws {NoSuchError} when there is none
   * @origin pkg/truncindex/truncindex.go (*TruncIndex).Delete
   */
  delete(id: string): void {
    if (id === "" || !this.#remove(id)) throw new NoSuchError("id", `'${id}'`);
  }

  /**
   * Gives the only id that starts with `prefix`.
   *
   * An id that is the start of another one cannot be found any more, not even by its full length.
   *
   * @throws {BadRequestError} for the empty prefix; {NoSuchError} when no id has it, or several
   * @origin pkg/truncindex/truncindex.go (*TruncIndex).Get
   */
  get(prefix: string): string {
    if (prefix === "") throw new BadRequestError("prefix can't be empty");
    let node = this.#root;
    let found = "";
    while (found.length < prefix.length) {
      const child = node.children.get(prefix[found.length] ?? "");
      const rest = prefix.slice(found.length);
      if (child === undefined || !(child.label.startsWith(rest) || rest.startsWith(child.label))) {
        throw new NoSuchError("id", prefix);
      }
      node = child;
      found += child.label;
    }
    // A node that has children stands for two ids at least: see the invariant.
    if (node.children.size > 0) throw new NoSuchError("id", prefix);
    return found;
  }

  #insert(id: string): boolean {
    let node = this.#root;
    let rest = id;
    for (;;) {
      const child = node.children.get(rest[0] ?? "");
      if (child === undefined) {
        node.children.set(rest[0] ?? "", { label: rest, ends: true, children: new Map() });
        break;
      }
      const shared = sharedLength(child.label, rest);
      node = shared < child.label.length ? split(node, child, shared) : child;
      rest = rest.slice(shared);
      if (rest !== "") continue;
      if (node.ends) return false;
      node.ends = true;
      break;
    }
    this.#size++;
    return true;
  }

  #remove(id: string): boolean {
    const path = [this.#root];
    let rest = id;
    while (rest !== "") {
      const child = path.at(-1)?.children.get(rest[0] ?? "");
      if (child === undefined || !rest.startsWith(child.label)) return false;
      path.push(child);
      rest = rest.slice(child.label.length);
    }
    const node = path.at(-1);
    const parent = path.at(-2);
    if (node === undefined || parent === undefined || !node.ends) return false;
    node.ends = false;
    if (node.children.size === 0) {
      parent.children.delete(node.label[0] ?? "");
      if (parent !== this.#root) mend(parent);
    } else {
      mend(node);
    }
    this.#size--;
    return true;
  }
}

/** Why an id cannot be in an index. */
function refusal(id: string): string | undefined {
  if (id.includes(" ")) return "Illegal character: ' '";
  return id === "" ? "prefix can't be empty" : undefined;
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Puts a node between `parent` and `child`, after the first `at` characters of the child's label. */
function split(parent: Node, child: Node, at: number): Node {
  const middle: Node = { label: child.label.slice(0, at), ends: false, children: new Map() };
  child.label = child.label.slice(at);
  middle.children.set(child.label[0] ?? "", child);
  parent.children.set(middle.label[0] ?? "", middle);
  return middle;
}

/** Joins a node that ends no id with its only child. */
function mend(node: Node): void {
  const [only] = node.children.values();
  if (node.ends || only === undefined || node.children.size > 1) return;
  node.label += only.label;
  node.ends = only.ends;
  node.children.clear();
  for (const [key, child] of only.children) node.children.set(key, child);
}
