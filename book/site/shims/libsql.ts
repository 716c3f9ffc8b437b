/** SQLite, which a page does not have: the engine is given another graph of names there. @module */

/** Refuses to be opened. */
export default class Sqlite {
  constructor(path: string) {
    throw new Error(`Cannot open ${path}: a page has no SQLite`);
  }
}
