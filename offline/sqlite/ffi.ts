// The C functions of libsqlite3 this package calls, and the library itself,
// loaded when the module is imported.
//
// Every signature is one Deno can compile to a direct call: a call costs some
// 20 ns. See https://sqlite.org/c3ref/funclist.html for what each does.

/** Result codes, https://sqlite.org/rescode.html. */
export const OK = 0;
export const MISUSE = 21;
export const ROW = 100;
export const DONE = 101;

/** Flags of `sqlite3_open_v2`, https://sqlite.org/c3ref/open.html. */
export const OPEN_READONLY = 0x1;
export const OPEN_READWRITE = 0x2;
export const OPEN_CREATE = 0x4;
export const OPEN_MEMORY = 0x80;

/** Types of a column's value, https://sqlite.org/c3ref/c_blob.html. */
export const INTEGER = 1;
export const FLOAT = 2;
export const TEXT = 3;
export const BLOB = 4;

/** The subtype SQLite's JSON functions give to the text they return. */
export const JSON_SUBTYPE = 74;

/** The `sqlite3_stmt_status` counter of times a schema change recompiled it. */
export const STATUS_REPREPARE = 5;

const symbols = {
  sqlite3_initialize: { parameters: [], result: "i32" },
  sqlite3_errmsg: { parameters: ["pointer"], result: "pointer" },
  sqlite3_errstr: { parameters: ["i32"], result: "pointer" },
  sqlite3_free: { parameters: ["pointer"], result: "void" },

  sqlite3_open_v2: {
    parameters: ["buffer", "buffer", "i32", "pointer"],
    result: "i32",
  },
  sqlite3_close_v2: { parameters: ["pointer"], result: "i32" },
  sqlite3_exec: {
    parameters: ["pointer", "buffer", "pointer", "pointer", "buffer"],
    result: "i32",
  },
  sqlite3_changes: { parameters: ["pointer"], result: "i32" },
  sqlite3_total_changes: { parameters: ["pointer"], result: "i32" },
  // A 64-bit integer in C. The package reads 32 bits of it, and so do we.
  sqlite3_last_insert_rowid: { parameters: ["pointer"], result: "i32" },
  sqlite3_get_autocommit: { parameters: ["pointer"], result: "i32" },

  sqlite3_prepare_v2: {
    parameters: ["pointer", "buffer", "i32", "buffer", "pointer"],
    result: "i32",
  },
  sqlite3_step: { parameters: ["pointer"], result: "i32" },
  sqlite3_reset: { parameters: ["pointer"], result: "i32" },
  sqlite3_finalize: { parameters: ["pointer"], result: "i32" },
  sqlite3_stmt_status: { parameters: ["pointer", "i32", "i32"], result: "i32" },

  sqlite3_bind_parameter_count: { parameters: ["pointer"], result: "i32" },
  sqlite3_bind_parameter_index: {
    parameters: ["pointer", "buffer"],
    result: "i32",
  },
  sqlite3_clear_bindings: { parameters: ["pointer"], result: "i32" },
  sqlite3_bind_null: { parameters: ["pointer", "i32"], result: "i32" },
  sqlite3_bind_int: { parameters: ["pointer", "i32", "i32"], result: "i32" },
  sqlite3_bind_int64: { parameters: ["pointer", "i32", "i64"], result: "i32" },
  sqlite3_bind_double: { parameters: ["pointer", "i32", "f64"], result: "i32" },
  sqlite3_bind_text: {
    parameters: ["pointer", "i32", "buffer", "i32", "pointer"],
    result: "i32",
  },
  sqlite3_bind_blob: {
    parameters: ["pointer", "i32", "buffer", "i32", "pointer"],
    result: "i32",
  },

  sqlite3_column_count: { parameters: ["pointer"], result: "i32" },
  sqlite3_column_name: { parameters: ["pointer", "i32"], result: "pointer" },
  sqlite3_column_type: { parameters: ["pointer", "i32"], result: "i32" },
  sqlite3_column_int: { parameters: ["pointer", "i32"], result: "i32" },
  sqlite3_column_int64: { parameters: ["pointer", "i32"], result: "i64" },
  sqlite3_column_double: { parameters: ["pointer", "i32"], result: "f64" },
  sqlite3_column_text: { parameters: ["pointer", "i32"], result: "pointer" },
  sqlite3_column_blob: { parameters: ["pointer", "i32"], result: "pointer" },
  sqlite3_column_bytes: { parameters: ["pointer", "i32"], result: "i32" },
  sqlite3_column_value: { parameters: ["pointer", "i32"], result: "pointer" },
  sqlite3_value_subtype: { parameters: ["pointer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** libsqlite3's functions. */
export const sqlite: Deno.DynamicLibrary<typeof symbols>["symbols"] = load();

function load() {
  try {
    const path = Deno.env.get("DENO_SQLITE_PATH");
    return path ? open(path) : openSystemLibrary();
  } catch (cause) {
    // The package wraps whatever went wrong, a missing permission too.
    throw new Error("Failed to load SQLite3 Dynamic Library", { cause });
  }
}

/** Where the package would download a library, this takes the system's. */
function openSystemLibrary() {
  const [first, ...others] = systemNames();
  try {
    return open(first);
  } catch (error) {
    // Not allowed to look is not the same as not there.
    if (others.length === 0 || error instanceof Deno.errors.NotCapable) throw error;
    return open(others[0]);
  }
}

function open(name: string) {
  const loaded = Deno.dlopen(name, symbols).symbols;
  const code = loaded.sqlite3_initialize();
  if (code !== OK) throw new Error(`sqlite3_initialize returned ${code}`);
  return loaded;
}

/** What the system's loader knows SQLite's library as. */
function systemNames(): string[] {
  switch (Deno.build.os) {
    case "windows":
      return ["sqlite3.dll", "winsqlite3.dll"];
    case "darwin":
      return ["libsqlite3.dylib"];
    default:
      return ["libsqlite3.so.0"];
  }
}

/** A failure SQLite reported as a code alone. */
export class SqliteError extends Error {
  override name = "SqliteError";

  /**
   * @param code The result code, https://sqlite.org/rescode.html.
   * @param message What the code means; the error's message is `code: message`.
   */
  constructor(public code: number = 1, message: string = "Unknown Error") {
    super(`${code}: ${message}`);
  }
}

/**
 * Throws if `code` says that a call failed: a plain `Error` with the message
 * SQLite has for the connection when there is one, else a `SqliteError`.
 */
export function check(code: number, db?: Deno.PointerValue): void {
  if (code === OK || code === DONE) return;
  if (code === MISUSE) throw new SqliteError(code, "SQLite3 API misuse");
  if (db === undefined) {
    throw new SqliteError(code, string(sqlite.sqlite3_errstr(code)));
  }
  throw new Error(string(sqlite.sqlite3_errmsg(db)));
}

/** The text at `pointer`, up to its first NUL. */
export function string(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** `text` in UTF-8 with a NUL after it, as C wants it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}
