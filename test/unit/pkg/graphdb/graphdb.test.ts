import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newSqliteConn, type SqlConnection } from "../../../../src/pkg/graphdb/conn-sqlite3.ts";
import { Database, isCorrupt, isNonUniqueNameError } from "../../../../src/pkg/graphdb/graphdb.ts";
import { pathDepth, sortByDepth, splitPath } from "../../../../src/pkg/graphdb/sort.ts";

let dir: string;
let db: Database;
beforeEach(async () => {
  dir = await fs.mkdtemp(join(tmpdir(), "graphdb-"));
  db = await newSqliteConn(join(dir, "linkgraph.db"), { fs });
});
afterEach(async () => {
  db.close();
  await fs.rm(dir, { recursive: true });
});

// origin: pkg/graphdb/graphdb_test.go TestSetEntityWithDifferentName
test("Database.set() gives one entity several names", () => {
  db.set("/test", "1");
  db.set("/other", "1");
  expect([db.get("/test"), db.get("/other"), db.refs("1")]).toEqual(["1", "1", 2]);
});

// origin: pkg/graphdb/graphdb_test.go TestSetDuplicateEntity
test("Database.set() refuses a name that is taken and leaves nothing behind", () => {
  db.set("/foo", "42");
  let failure: unknown;
  try {
    db.set("/foo", "43");
  } catch (cause) {
    failure = cause;
  }
  expect(isNonUniqueNameError(failure)).toBe(true);
  expect([db.get("/foo"), db.entities()]).toEqual(["42", ["42"]]);
});

// origin: pkg/graphdb/graphdb_test.go TestCreateChild, TestMissingParent
test("Database.set() needs the parent and refuses an entity below itself", () => {
  db.set("/db", "1");
  db.set("/db/child", "2");
  expect(db.get("/db/child")).toBe("2");
  expect(() => db.set("/nope/child", "3")).toThrow("Cannot find child for /nope");
  expect(() => db.set("/db/self", "1")).toThrow("Cannot set self as child");
});

// origin: pkg/graphdb/graphdb_test.go TestListAllSubChildren, TestChildren
test("Database.children() walks to the depth that was asked for, parents first", () => {
  for (const [path, id] of [
    ["/webapp", "1"],
    ["/db", "2"],
    ["/webapp/db", "2"],
    ["/webapp/db/logs", "4"],
  ] as const) {
    db.set(path, id);
  }
  expect(db.children("/webapp", 0).map((c) => c.fullPath)).toEqual(["/webapp/db"]);
  expect(db.children("/webapp", -1).map((c) => [c.fullPath, c.id])).toEqual([
    ["/webapp/db", "2"],
    ["/webapp/db/logs", "4"],
  ]);
  expect(sortByDepth([...db.list("/", -1).keys()])).toEqual([
    "/webapp/db/logs",
    "/db/logs",
    "/webapp/db",
    "/db",
    "/webapp",
  ]);
});

test("Database.children() comes to an end where links go in a circle", () => {
  db.set("/a", "1");
  db.set("/b", "2");
  db.set("/a/b", "2");
  db.set("/b/a", "1");
  expect(
    db
      .children("/", -1)
      .map((c) => c.fullPath)
      .sort(),
  ).toEqual(["/a", "/a/b", "/a/b/a", "/b", "/b/a", "/b/a/b"]);
});

// origin: pkg/graphdb/graphdb_test.go TestDeleteRootEntity, TestDeleteEntity
test("Database.delete() takes the name and leaves the entity", () => {
  db.set("/a", "1");
  db.delete("/a");
  expect([db.exists("/a"), db.entities()]).toEqual([false, ["1"]]);
  expect(() => db.delete("/")).toThrow("Cannot delete root entity");
  expect(() => db.delete("/missing")).not.toThrow();
});

// origin: pkg/graphdb/graphdb_test.go TestPurgeId
test("Database.purge() removes an entity with all names and links of it", () => {
  db.set("/webapp", "1");
  db.set("/db", "2");
  db.set("/webapp/db", "2");
  db.set("/db/back", "1");
  expect(db.purge("2")).toBe(2);
  expect([db.exists("/db"), db.exists("/webapp/db"), db.refPaths("1").map((e) => e.name)]).toEqual([
    false,
    false,
    ["webapp"],
  ]);
});

// origin: pkg/graphdb/graphdb_test.go TestRename
test("Database.rename() moves a name below the same parent only", () => {
  db.set("/webapp", "1");
  db.set("/webapp/db", "2");
  db.rename("/webapp/db", "/webapp/newdb");
  expect([db.exists("/webapp/db"), db.get("/webapp/newdb")]).toEqual([false, "2"]);
  expect(() => db.rename("/webapp/newdb", "/db")).toThrow("Cannot rename when root paths do not match /webapp != /");
  expect(() => db.rename("/nope", "/x")).toThrow("Cannot locate edge for 0 nope");
});

test("newSqliteConn() finds again what was there before", async () => {
  db.set("/a", "1");
  db.close();
  db = await newSqliteConn(join(dir, "linkgraph.db"), { fs });
  expect(db.get("/a")).toBe("1");
  expect(db.get("/")).toBe("0");
});

test("splitPath() and pathDepth() agree for every path", () => {
  const segment = fc.stringMatching(/^[a-z0-9_.-]{1,8}$/).filter((s) => s !== "." && s !== "..");
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (parts) => {
      const [parent, name] = splitPath(`/${parts.join("/")}`);
      expect(name).toBe(parts.at(-1));
      expect(pathDepth(parent)).toBe(parts.length - 1);
    }),
  );
});

/** A connection to a disk that has no room left: SQLite has ended the transaction itself by the time it is told to. */
const fullDisk: SqlConnection = {
  exec(sql) {
    if (sql === "COMMIT") throw new Error("database or disk is full");
    if (sql === "ROLLBACK") throw new Error("cannot rollback - no transaction is active");
  },
  prepare: () => ({ run: () => ({ changes: 1 }), get: () => undefined, all: () => [] }),
  close: () => undefined,
};

test("Database says that the disk is full, not that there is nothing to roll back", () => {
  const full = new Database(fullDisk, false);
  expect(() => full.set("/web", "1")).toThrow("no space left on device");
  expect(() => full.purge("1")).toThrow("no space left on device");
  expect(full.get("/web")).toBeUndefined();
});

test("newSqliteConn() tells a file that is no database", async () => {
  const path = join(dir, "broken.db");
  await fs.writeFile(path, "no database ".repeat(400));
  const failure = await newSqliteConn(path, { fs }).catch((cause: unknown) => cause);
  expect(isCorrupt(failure)).toBe(true);
});
