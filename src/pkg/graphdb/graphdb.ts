/**
 * Names of containers as a graph: entities (containers) and named edges (names and links).
 *
 * ```text
 * 0 ── web ──▶ <id of web>            the container's own name, /web
 *              <id of web> ── db ──▶ <id of db>     the link /web/db
 * ```
 *
 * Invariants: entity `0` is the root; below one parent a name occurs once. Every change is one transaction that is on
 * disk when the call returns. The calls are synchronous: no other call can come between.
 *
 * @origin pkg/graphdb/graphdb.go
 * @module
 */

import posix from "node:path/posix";
import { messageOf, SystemError } from "../../errdefs/errdefs.ts";
import type { SqlConnection, SqlStatement } from "./conn-sqlite3.ts";
import { splitPath } from "./sort.ts";

const schema = `
CREATE TABLE IF NOT EXISTS entity (
        id text NOT NULL PRIMARY KEY
    );
CREATE TABLE IF NOT EXISTS edge (
        "entity_id" text NOT NULL,
        "parent_id" text NULL,
        "name" text NOT NULL,
        CONSTRAINT "parent_fk" FOREIGN KEY ("parent_id") REFERENCES "entity" ("id"),
        CONSTRAINT "entity_fk" FOREIGN KEY ("entity_id") REFERENCES "entity" ("id")
        );
CREATE UNIQUE INDEX IF NOT EXISTS "name_parent_ix" ON "edge" (parent_id, name);
`;

const statements = {
  entity: "SELECT id FROM entity WHERE id = ?;",
  addEntity: "INSERT INTO entity (id) VALUES (?);",
  addRootEdge: "INSERT INTO edge (entity_id, name) VALUES (?,?);",
  addEdge: "INSERT INTO edge (parent_id, name, entity_id) VALUES (?,?,?);",
  children: "SELECT entity_id, name FROM edge WHERE parent_id = ?;",
  entities: "SELECT id FROM entity WHERE id != '0';",
  refs: "SELECT COUNT(*) AS count FROM edge WHERE entity_id = ?;",
  refPaths: "SELECT name, parent_id FROM edge WHERE entity_id = ?;",
  removeEdge: "DELETE FROM edge WHERE parent_id = ? AND name = ?;",
  removeEdgesTo: "DELETE FROM edge WHERE entity_id = ?;",
  removeEdgesFrom: "DELETE FROM edge WHERE parent_id = ?;",
  removeEntity: "DELETE FROM entity WHERE id = ?;",
  rename: "UPDATE edge SET name = ? WHERE parent_id = ? AND name = ?;",
} as const;

/** A named way from one entity to another. @origin pkg/graphdb/graphdb.go Edge */
export interface Edge {
  readonly entityId: string;
  readonly parentId: string;
  readonly name: string;
}

/** An entity as a walk meets it. @origin pkg/graphdb/graphdb.go WalkMeta */
export interface WalkMeta {
  readonly id: string;
  readonly fullPath: string;
  readonly edge: Edge;
}

/** Whether a failed {@link Database.set} was refused because the name is taken. @origin pkg/graphdb/graphdb.go IsNonUniqueNameError */
export function isNonUniqueNameError(cause: unknown): boolean {
  const text = messageOf(cause);
  return (
    text.endsWith("name are not unique") ||
    (text.includes("UNIQUE constraint failed") && text.includes("edge.name")) ||
    text.endsWith("constraint failed")
  );
}

/** Whether a file could not be read because it is no database, or a broken one. */
export function isCorrupt(cause: unknown): boolean {
  return /file is not a database|disk image is malformed/.test(messageOf(cause));
}

/** The graph of names. @origin pkg/graphdb/graphdb.go Database */
export class Database {
  readonly #connection: SqlConnection;
  readonly #prepared = new Map<string, SqlStatement>();
  /**
   * What is below an entity, name → id, as far as anybody asked. Nobody else writes to the file, so it holds until we do:
   * every list of containers wants all names.
   */
  readonly #below = new Map<string, Map<string, string>>();

  /** @param fresh - makes the tables and the root */
  constructor(connection: SqlConnection, fresh: boolean) {
    this.#connection = connection;
    if (!fresh) return;
    // One transaction: a daemon killed in here leaves a file without tables, which is made anew.
    this.#transaction(() => {
      this.#connection.exec(schema);
      this.#sql("addEntity").run("0");
      this.#sql("addRootEdge").run("0", "/");
    });
  }

  /** @origin pkg/graphdb/graphdb.go Close */
  close(): void {
    this.#connection.close();
  }

  /**
   * Gives the entity `id` (made if need be) the name `path`.
   *
   * @throws when the parent is unknown, is the entity itself, or the name is taken ({@link isNonUniqueNameError})
   * @origin pkg/graphdb/graphdb.go Set
   */
  set(path: string, id: string): void {
    const [parentPath, name] = splitPath(path);
    const parent = this.#find(parentPath);
    this.#transaction(() => {
      if (this.#sql("entity").get(id) === undefined) this.#sql("addEntity").run(id);
      if (parent === undefined) throw new Error(`Cannot find child for ${parentPath}`);
      if (parent === id) throw new Error("Cannot set self as child");
      this.#sql("addEdge").run(parent, name, id);
    });
    if (parent !== undefined) this.#below.get(parent)?.set(name, id);
  }

  /** @origin pkg/graphdb/graphdb.go Exists */
  exists(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** The id of the entity at `path`. @origin pkg/graphdb/graphdb.go Get */
  get(path: string): string | undefined {
    return this.#find(path);
  }

  /** Full paths below `path` and the ids there; `depth` −1 is without limit. @origin pkg/graphdb/graphdb.go List */
  list(path: string, depth: number): Map<string, string> {
    return new Map((this.#find(path) === undefined ? [] : this.children(path, depth)).map((c) => [c.fullPath, c.id]));
  }

  /**
   * What is below `path`, parents before their children. An entity that is linked in a circle is not entered again;
   * 1.2.0 walks until it dies.
   *
   * @param depth - 0 for direct children, −1 without limit
   * @throws when there is nothing at `path`
   * @origin pkg/graphdb/graphdb.go Children
   */
  children(path: string, depth: number): WalkMeta[] {
    const id = this.#find(path);
    if (id === undefined) throw new Error(`Cannot find child for ${path}`);
    const out: WalkMeta[] = [];
    this.#walk(id, path, depth, new Set([id]), out);
    return out;
  }

  #walk(parentId: string, path: string, depth: number, above: Set<string>, out: WalkMeta[]): void {
    for (const [name, entityId] of this.#children(parentId)) {
      const fullPath = posix.join(path, name);
      out.push({ id: entityId, fullPath, edge: { parentId, name, entityId } });
      if (depth === 0 || above.has(entityId)) continue;
      above.add(entityId);
      this.#walk(entityId, fullPath, depth === -1 ? -1 : depth - 1, above, out);
      above.delete(entityId);
    }
  }

  #children(parentId: string): ReadonlyMap<string, string> {
    let names = this.#below.get(parentId);
    if (names === undefined) {
      const rows = this.#sql("children").all(parentId) as { entity_id: string; name: string }[];
      names = new Map(rows.map((row) => [row.name, row.entity_id]));
      this.#below.set(parentId, names);
    }
    return names;
  }

  /** How many names an entity has. @origin pkg/graphdb/graphdb.go Refs */
  refs(id: string): number {
    return (this.#sql("refs").get(id) as { count: number }).count;
  }

  /** The edges that lead to an entity. @origin pkg/graphdb/graphdb.go RefPaths */
  refPaths(id: string): Edge[] {
    const rows = this.#sql("refPaths").all(id) as { name: string; parent_id: string }[];
    return rows.map((row) => ({ entityId: id, name: row.name, parentId: row.parent_id }));
  }

  /** Ids of all entities but the root: what boot compares with the containers there are. @since Drydock */
  entities(): string[] {
    return (this.#sql("entities").all() as { id: string }[]).map((row) => row.id);
  }

  /** Takes a name away; the entity stays. A name that is not there is no error. @origin pkg/graphdb/graphdb.go Delete */
  delete(path: string): void {
    if (path === "/") throw new Error("Cannot delete root entity");
    const [parentPath, name] = splitPath(path);
    const parent = this.#find(parentPath);
    if (parent === undefined) throw new Error(`Cannot find child for ${parentPath}`);
    this.#sql("removeEdge").run(parent, name);
    this.#below.get(parent)?.delete(name);
  }

  /**
   * Removes an entity and all its names.
   *
   * @returns how many names it had
   * @origin pkg/graphdb/graphdb.go Purge
   * @deviation The links the entity had to others go too; 1.2.0 leaves them behind for ever.
   */
  purge(id: string): number {
    const names = this.refPaths(id);
    const removed = this.#transaction(() => {
      const { changes } = this.#sql("removeEdgesTo").run(id);
      this.#sql("removeEdgesFrom").run(id);
      this.#sql("removeEntity").run(id);
      return changes;
    });
    for (const { parentId, name } of names) this.#below.get(parentId)?.delete(name);
    this.#below.delete(id);
    return removed;
  }

  /** Gives an edge another name below the same parent. @origin pkg/graphdb/graphdb.go Rename */
  rename(path: string, to: string): void {
    const [parentPath, name] = splitPath(path);
    const [newParentPath, newName] = splitPath(to);
    if (parentPath !== newParentPath) {
      throw new Error(`Cannot rename when root paths do not match ${parentPath} != ${newParentPath}`);
    }
    const parent = this.#find(parentPath);
    if (parent === undefined) throw new Error(`Cannot find child for ${parentPath}`);
    if (this.#sql("rename").run(newName, parent, name).changes === 0) {
      throw new Error(`Cannot locate edge for ${parent} ${name}`);
    }
    this.#below.delete(parent);
  }

  #find(path: string): string | undefined {
    let id = "0";
    for (const part of path.split("/")) {
      if (part === "") continue;
      const child = this.#children(id).get(part);
      if (child === undefined) return undefined;
      id = child;
    }
    return id;
  }

  #sql(name: keyof typeof statements): SqlStatement {
    const known = this.#prepared.get(name);
    if (known !== undefined) return known;
    const made = this.#connection.prepare(statements[name]);
    this.#prepared.set(name, made);
    return made;
  }

  #transaction<T>(work: () => T): T {
    this.#connection.exec("BEGIN EXCLUSIVE");
    try {
      const result = work();
      this.#connection.exec("COMMIT");
      return result;
    } catch (cause) {
      try {
        this.#connection.exec("ROLLBACK");
      } catch {
        // A full disk or a failing one has ended the transaction already; what counts is why.
      }
      if (!messageOf(cause).includes("database or disk is full")) throw cause;
      throw new SystemError("Cannot write the names of the containers: no space left on device", { cause });
    }
  }
}
