/**
 * The file by itself: whether SQLite can read it, and what SQLite's own check says of it.
 *
 * @module
 */

import { FileError, LogError } from "../../errors.ts";
import type { Connection } from "../../log/connection.ts";
import type { Findings } from "./findings.ts";
import { isComputed, type SchemaObject } from "./schema.ts";

const CACHE_KIB = 32 << 10;
/** SQLite stops looking when it has found so much. */
const MOST_MESSAGES = 100;
const HEADING = /^\*\*\* in database \w+ \*\*\*$/;

/**
 * What SQLite says of damage; undefined for an error that is not about what stands in the file, which is to be thrown.
 *
 * @param error What a query has thrown.
 */
export function damageOf(error: unknown): string | undefined {
  if (!(error instanceof FileError) || error.code === "locked" || error.code === "read-only") return undefined;
  const said = error.cause instanceof Error ? error.cause.message : error.message;
  return /disk I\/O error|out of memory|unable to open/.test(said) ? undefined : said;
}

/** Runs `read`; what SQLite says of damage while it runs is told to `onDamage`, whose value takes its place. */
export function reading<T>(read: () => T, onDamage: (said: string) => T): T {
  try {
    return read();
  } catch (error) {
    const said = damageOf(error);
    if (said === undefined) throw error;
    return onDamage(said);
  }
}

/**
 * Reads the file for the first time.
 *
 * @returns Whether there is anything to read: not where it is no SQLite file.
 * @throws {FileError} `read-only` where an interrupted change would have to be rolled back first.
 */
export function openSchema(connection: Connection, findings: Findings): boolean {
  const probe = () => void connection.query("SELECT count(*) FROM main.sqlite_schema").value();
  const say = (message: string) => findings.addFault({ kind: "integrity", message });
  try {
    const said = reading(() => probe(), (said) => said);
    if (said !== undefined) {
      say(said);
      // Lets SQLite go on where part of the schema, or of the file, is missing. Nothing is written all the same.
      connection.execute("PRAGMA writable_schema = ON");
      const again = reading(() => probe(), (said) => said);
      if (again !== undefined) return false;
    }
    connection.execute(`PRAGMA cache_size = ${-CACHE_KIB}`);
    return true;
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== "read-only") throw error;
    const { path } = connection;
    throw new FileError(
      "read-only",
      path,
      `a change to ${path} was interrupted and must be rolled back, which an audit may not do: open the log to append`,
      { cause: error },
    );
  }
}

/** Runs SQLite's own check of its structures, and of the indexes against the tables. */
export function checkIntegrity(connection: Connection, objects: readonly SchemaObject[], findings: Findings): void {
  const computed = objects.filter(isComputed);
  if (computed.length > 0) {
    // To check these SQLite would compute whatever their author wrote, for as long as that takes.
    findings.unchecked.push(
      `the structure of the file but for ops: ${computed.map(({ name }) => name).join(", ")} would be computed`,
    );
    if (computed.some(({ table }) => table === "ops")) return;
  }
  const what = computed.length > 0 ? "ops" : MOST_MESSAGES;
  const said = reading(
    () => connection.query(`PRAGMA integrity_check(${what})`).values<[string]>().flatMap(([text]) => text.split("\n")),
    (said) => [said],
  );
  if (said.length === 1 && said[0] === "ok") return;
  const messages = said.filter((line) => line !== "" && !HEADING.test(line));
  for (const message of messages.slice(0, MOST_MESSAGES)) findings.addFault({ kind: "integrity", message });
}
