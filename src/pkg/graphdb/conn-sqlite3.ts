/**
 * Opens the link graph's SQLite file.
 *
 * The native library is loaded at the first call, so that a client command never pays for it.
 *
 * @origin pkg/graphdb/conn_sqlite3.go
 * @module
 */

import { isErrno } from "../../errdefs/errdefs.ts";
import type { Host } from "../../host/host.ts";
import { Database } from "./graphdb.ts";

/** A prepared statement. */
export interface SqlStatement {
  run(...parameters: string[]): { readonly changes: number };
  get(...parameters: string[]): unknown;
  all(...parameters: string[]): unknown[];
}

/** What the graph needs of a SQLite library; all calls are synchronous. */
export interface SqlConnection {
  exec(sql: string): unknown;
  prepare(sql: string): SqlStatement;
  close(): unknown;
}

/**
 * Opens the database at `path` and makes the tables when the file is new or empty.
 *
 * @throws when it cannot be read (`isCorrupt`) or made
 * @origin pkg/graphdb/conn_sqlite3.go NewSqliteConn
 */
export async function newSqliteConn(path: string, host: Pick<Host, "fs">): Promise<Database> {
  let fresh = false;
  try {
    fresh = (await host.fs.stat(path)).size === 0;
  } catch (cause) {
    if (!isErrno(cause, "ENOENT")) throw cause;
    fresh = true;
  }
  const { default: Sqlite } = await import("libsql");
  const connection = new Sqlite(path) as unknown as SqlConnection;
  try {
    return open(connection, fresh);
  } catch (cause) {
    connection.close();
    throw cause;
  }
}

function open(connection: SqlConnection, fresh: boolean): Database {
  // Not switched on in 1.2.0, whose purge leaves edges to entities that are gone; the library's default is on.
  connection.exec("PRAGMA foreign_keys=OFF");
  connection.exec("PRAGMA synchronous=FULL");
  const database = new Database(connection, fresh);
  database.entities(); // read once, so that a broken file is noticed here
  return database;
}
