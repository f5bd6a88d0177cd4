/**
 * Opens an SQLite file once Deno has allowed it, with the settings that every connection has and those of the caller.
 *
 * @module
 */

import type { Database } from "@db/sqlite";
import { FileError, LogError } from "../errors.ts";
import { Connection } from "./connection.ts";
import { cannotOpen, cannotRead, needsWriting, refusedWrite, translate } from "./failures.ts";
import { inspectBeside, pathOf, type PreparedFile, prepareFile, stampOf } from "./files.ts";
import { openDatabase, requireSqlite } from "./native.ts";
import { Placement } from "./placement.ts";
import { rewriteWal } from "./rewrite.ts";

/** The first version with `->>` for JSON. */
const MIN_SQLITE_VERSION = [3, 38];

/** Flags of `sqlite3_open_v2`. */
const OPEN_READONLY = 0x01;
const OPEN_READWRITE = 0x02;
const OPEN_URI = 0x40;
const OPEN_NOFOLLOW = 0x0100_0000;

/** SQLite opens `-wal` and `-shm` with its first read. */
const FIRST_READ = "PRAGMA schema_version";

/** How a file is opened. */
export interface ConnectionOptions {
  /** Refuses every change. */
  readonly: boolean;
  /** Makes the file when there is none. */
  create: boolean;
  /** How long to wait for a lock that another connection holds, in milliseconds. */
  busyTimeoutMs: number;
  /** More settings, by the name of the PRAGMA. */
  settings?: Readonly<Record<string, string | number>>;
  /** Opens a file that may be damaged: what the first read throws about its content is left to later reads. */
  allowDamage?: boolean;
}

/**
 * Opens a file, or memory.
 *
 * @param location A path, a `file:` URL, or `":memory:"`.
 * @param options How to open it.
 * @throws {Deno.errors.NotCapable} When Deno's permissions do not allow the path or what SQLite puts beside it.
 * @throws {FileError} When the file cannot be used.
 */
export function openConnection(location: string | URL, options: ConnectionOptions): Connection {
  const path = pathOf(location);
  requireSqlite();
  if (path === ":memory:") {
    const connection = connect(path, path, options, {}, {});
    // No other connection can read it, so nothing needs to be committed: for a commit SQLite may look at every page
    // that it has in memory.
    connection.beginForever();
    return connection;
  }
  const prepared = prepareFile(path, options);
  if (options.readonly) return openPrepared(path, prepared, options);
  const { file, name, walBytes = 0 } = prepared;
  const connection = connect(path, file, options, { flags: OPEN_READWRITE | OPEN_NOFOLLOW }, { name });
  try {
    if (walBytes > 0) rewriteWal(connection, name);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/**
 * Opens a file for reading. Where what SQLite keeps beside it cannot be made, in a folder that cannot be written or on a
 * full disk, a file without commits in its `-wal` is read as it is, without a lock: once somebody writes to it, every
 * query throws.
 *
 * @param path The path as it was given, for messages.
 * @param prepared The file that it means.
 * @param options How to open it.
 */
export function openPrepared(path: string, prepared: PreparedFile, options: ConnectionOptions): Connection {
  const { file, name, nativeReadonly } = prepared;
  const flags = (nativeReadonly ? OPEN_READONLY : OPEN_READWRITE) | OPEN_NOFOLLOW;
  try {
    return connect(path, file, options, { flags }, { name });
  } catch (error) {
    if (!needsWriting(error)) throw error;
    const { wal = 0, journal = 0 } = inspectBeside(path, name);
    if (wal > 0 || journal > 0) throw cannotRead(error, path, wal > 0 ? "-wal" : "-journal");
    const stamp = stampOf(name);
    const uri = `file:${file.split("/").map(encodeURIComponent).join("/")}?immutable=1`;
    const isUnchanged = () => stampOf(name) === stamp;
    return connect(path, uri, options, { flags: OPEN_READONLY | OPEN_URI | OPEN_NOFOLLOW }, { isUnchanged });
  }
}

function connect(
  path: string,
  file: string,
  options: ConnectionOptions,
  native: { flags?: number },
  { name, isUnchanged }: { name?: string; isUnchanged?: () => boolean },
): Connection {
  let database: Database | undefined;
  try {
    database = openDatabase(file, { ...native, int64: true, parseJson: false });
    const placement = name === undefined ? undefined : new Placement(name);
    const connection = new Connection(path, database, options, { placement, isUnchanged });
    refuseOldSqlite(connection);
    configure(connection, options);
    return connection;
  } catch (error) {
    database?.close();
    const translated = translate(error, path);
    throw cannotOpen(error, path) ?? (options.readonly ? translated : refusedWrite(translated, path));
  }
}

function configure(
  connection: Connection,
  { readonly, settings, allowDamage }: ConnectionOptions,
): void {
  // temp_store: what a sort spills must not become a file that Deno was not asked about. None of these reads the
  // schema, which may be damaged.
  const common = { temp_store: "MEMORY", trusted_schema: "OFF" };
  connection.waitForLocks();
  const all = { ...common, ...settings, ...readonly ? { query_only: "ON" } : {} };
  connection.execute(Object.entries(all).map(([name, value]) => `PRAGMA ${name} = ${value}`).join(";"));
  try {
    connection.query(FIRST_READ).value();
  } catch (error) {
    const isUnusable = needsWriting(error) || (error instanceof FileError && error.code === "not-a-database");
    if (!allowDamage || isUnusable) throw error;
  }
}

function refuseOldSqlite(connection: Connection): void {
  const [version] = connection.query("SELECT sqlite_version()").value() as [string];
  const [major, minor] = version.split(".").map(Number);
  if (major > MIN_SQLITE_VERSION[0] || (major === MIN_SQLITE_VERSION[0] && minor >= MIN_SQLITE_VERSION[1])) return;
  throw new LogError(
    "old-sqlite",
    `SQLite ${version} is too old: the log needs ${MIN_SQLITE_VERSION.join(".")} or later; install one, or name its ` +
      "library in DENO_SQLITE_PATH",
  );
}
