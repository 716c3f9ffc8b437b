/**
 * The names of the containers without SQLite: what the link graph asks of a database, answered from memory.
 *
 * A chapter runs in a page, where there is no native library. The graph itself is the engine's own; only what is below
 * its statements is here.
 *
 * @module
 */

import type { SqlConnection, SqlStatement } from "../../src/pkg/graphdb/conn-sqlite3.ts";
import { Database } from "../../src/pkg/graphdb/graphdb.ts";

/** A row of the table `edge`. */
interface EdgeRow {
  readonly entity_id: string;
  readonly parent_id: string;
  readonly name: string;
}

/** The two tables, and the statements the graph uses, told by their text. */
class MemoryTables implements SqlConnection {
  #entities: string[] = [];
  #edges: EdgeRow[] = [];
  #before: { entities: string[]; edges: EdgeRow[] } | undefined;

  exec(sql: string): void {
    if (sql.startsWith("BEGIN")) this.#before = { entities: [...this.#entities], edges: [...this.#edges] };
    if (sql !== "ROLLBACK" || this.#before === undefined) return;
    this.#entities = this.#before.entities;
    this.#edges = this.#before.edges;
  }

  close(): void {}

  prepare(sql: string): SqlStatement {
    const all = (...given: string[]) => this.#select(sql, given);
    return { run: (...given) => ({ changes: this.#change(sql, given) }), get: (...given) => all(...given)[0], all };
  }

  #select(sql: string, [first]: string[]): unknown[] {
    if (sql.startsWith("SELECT id FROM entity WHERE id = ?")) {
      return this.#entities.filter((id) => id === first).map((id) => ({ id }));
    }
    if (sql.startsWith("SELECT id FROM entity")) {
      return this.#entities.filter((id) => id !== "0").map((id) => ({ id }));
    }
    if (sql.includes("WHERE parent_id = ?")) return this.#edges.filter(({ parent_id }) => parent_id === first);
    const leading = this.#edges.filter(({ entity_id }) => entity_id === first);
    return sql.includes("COUNT(*)") ? [{ count: leading.length }] : leading;
  }

  #change(sql: string, given: string[]): number {
    const [a = "", b = "", c = ""] = given;
    if (sql.startsWith("INSERT INTO entity")) return this.#entities.push(a) && 1;
    if (sql.includes("(entity_id, name)")) return this.#add({ entity_id: a, parent_id: "", name: b });
    if (sql.startsWith("INSERT INTO edge")) return this.#add({ parent_id: a, name: b, entity_id: c });
    if (sql.startsWith("UPDATE edge")) return this.#rename(a, b, c);
    if (sql.startsWith("DELETE FROM entity")) {
      this.#entities = this.#entities.filter((id) => id !== a);
      return 1;
    }
    if (sql.includes("AND name = ?")) return this.#remove((edge) => edge.parent_id === a && edge.name === b);
    if (sql.includes("WHERE entity_id = ?")) return this.#remove((edge) => edge.entity_id === a);
    return this.#remove((edge) => edge.parent_id === a);
  }

  #add(edge: EdgeRow): number {
    if (this.#edges.some(({ parent_id, name }) => parent_id === edge.parent_id && name === edge.name)) {
      throw new Error("UNIQUE constraint failed: edge.parent_id, edge.name");
    }
    return this.#edges.push(edge) && 1;
  }

  #rename(to: string, parent: string, from: string): number {
    const edge = this.#edges.find(({ parent_id, name }) => parent_id === parent && name === from);
    if (edge === undefined) return 0;
    this.#add({ ...edge, name: to }); // first: when it is refused, the old one stays
    return this.#remove((one) => one === edge);
  }

  #remove(gone: (edge: EdgeRow) => boolean): number {
    const before = this.#edges.length;
    this.#edges = this.#edges.filter((edge) => !gone(edge));
    return before - this.#edges.length;
  }
}

/** A new, empty graph of names: give it to `newDaemon` as `openGraph`. */
export function memoryNames(): Database {
  return new Database(new MemoryTables(), true);
}
