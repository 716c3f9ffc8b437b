/**
 * A list of environments: what `docker ps` and `docker images` get.
 *
 * @origin engine/table.go
 * @module
 */

import type { Writer } from "../sync/io.ts";
import { compareBytes } from "../utils/go-json.ts";
import { asObject, decodeNext, JsonError, unmarshal } from "../utils/go-json-decode.ts";
import { Env, parseInt64 } from "./env.ts";

/** @origin engine/table.go Table */
export class Table {
  /** In the order they are written. */
  readonly rows: Env[] = [];
  #sortKey: string;

  /** @param sortKey - the name whose value {@link sort} compares */
  constructor(sortKey = "") {
    this.#sortKey = sortKey;
  }

  /** Changes the name that decides the order. */
  setKey(sortKey: string): void {
    this.#sortKey = sortKey;
  }

  /** Adds a row at the end. */
  add(row: Env): void {
    this.rows.push(row);
  }

  /** How many rows there are. */
  len(): number {
    return this.rows.length;
  }

  /**
   * Sorts by the key: two integers by value, anything else by its bytes.
   *
   * @deviation Rows with equal keys keep their order; Go 1.3's sort leaves it open.
   */
  sort(): void {
    this.#sortBy(1);
  }

  /** Sorts the other way round. */
  reverseSort(): void {
    this.#sortBy(-1);
  }

  #sortBy(direction: 1 | -1): void {
    const keyed = this.rows.map((row) => {
      const text = row.get(this.#sortKey);
      return { row, text, int: parseInt64(text) };
    });
    keyed.sort((a, b) => {
      const order =
        a.int !== undefined && b.int !== undefined
          ? Number(a.int > b.int) - Number(a.int < b.int)
          : compareBytes(a.text, b.text);
      return order * direction;
    });
    keyed.forEach(({ row }, i) => {
      this.rows[i] = row;
    });
  }

  /** A JSON array; every row brings the newline it ends with. */
  toListString(): string {
    return `[${this.rows.map((row) => row.encode()).join(",")}]`;
  }

  /** Writes {@link toListString} in one piece. */
  async writeListTo(destination: Writer): Promise<void> {
    await destination.write(this.toListString());
  }

  /** Writes the rows one after another, without brackets. */
  async writeTo(destination: Writer): Promise<void> {
    await destination.write(this.rows.map((row) => row.encode()).join(""));
  }

  /**
   * Adds the objects of a JSON array; what is no object in it is left out.
   *
   * @throws {JsonError} when it is no JSON array
   */
  readListFrom(source: string | Uint8Array): void {
    const list = unmarshal(typeof source === "string" ? source : Buffer.from(source).toString("utf8"));
    if (list === null) return;
    if (!Array.isArray(list)) {
      const kind = typeof list === "boolean" ? "bool" : typeof list;
      throw new JsonError(`json: cannot unmarshal ${kind} into Go value of type []interface {}`);
    }
    for (const item of list) {
      if (typeof item === "object" && item !== null && !Array.isArray(item)) this.#addObject(item);
    }
  }

  /**
   * Adds JSON objects that follow each other.
   *
   * @throws {JsonError} at the first that is none; those before it have been added
   */
  readFrom(source: string | Uint8Array): void {
    const text = typeof source === "string" ? source : Buffer.from(source).toString("utf8");
    let next = decodeNext(text);
    while (next !== undefined) {
      this.#addObject(asObject(next.value));
      next = decodeNext(text, next.end);
    }
  }

  #addObject(object: Record<string, unknown>): void {
    const row = new Env();
    for (const key of Object.keys(object)) row.setAuto(key, object[key]);
    this.add(row);
  }
}
