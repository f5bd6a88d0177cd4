/**
 * A substitute for `jsr:@db/sqlite@^0.13` where jsr.io cannot be reached: SQLite
 * through Deno's FFI, over the `libsqlite3` the system has.
 *
 * Written from the package's public API and observed behaviour. It has what
 * this project uses and no more, and does it as the package does, quirks
 * included: code that runs on one runs unchanged on the other.
 *
 * ```ts
 * import { Database } from "@db/sqlite";
 *
 * const db = new Database(":memory:", { int64: true });
 * db.exec("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
 * db.exec("INSERT INTO note (body) VALUES (?)", "hello");
 * console.log(db.prepare("SELECT body FROM note WHERE id = ?").get(1)); // { body: "hello" }
 * db.close();
 * ```
 *
 * Needs `--allow-ffi`, and `--allow-env` to read `DENO_SQLITE_PATH`, the path
 * of another library to use.
 *
 * @module
 */

export { Database } from "./database.ts";
export type { DatabaseOpenOptions, Transaction } from "./database.ts";
export { Statement } from "./statement.ts";
export type { BindValue, RestBindParameters } from "./statement.ts";
export { SqliteError } from "./ffi.ts";
