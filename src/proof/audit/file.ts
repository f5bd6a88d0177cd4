/**
 * The file by itself: whether SQLite can read it, and what SQLite's own check says of it.
 *
 * @module
 */

import { FileError } from "../../errors.ts";
import type { Connection } from "../../log/connection.ts";
import type { Findings } from "./findings.ts";
import { isComputed, type SchemaObject } from "./schema.ts";
import type { Structure } from "./structure.ts";

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
 */
export function openSchema(connection: Connection, findings: Findings): boolean {
  const damage = () =>
    reading(
      () => void connection.query("SELECT count(*) FROM main.sqlite_schema").value(),
      (said): string | undefined => said,
    );
  const said = damage();
  if (said !== undefined) {
    findings.addFault({ kind: "integrity", message: said });
    // Lets SQLite go on where part of the schema, or of the file, is missing. Nothing is written all the same.
    connection.execute("PRAGMA writable_schema = ON");
    if (damage() !== undefined) return false;
  }
  connection.execute(`PRAGMA cache_size = ${-CACHE_KIB}`);
  return true;
}

/**
 * Runs SQLite's own check of its structures, and of the indexes against the tables.
 *
 * @returns Whether the indexes of `ops` can be relied upon.
 */
export function checkIntegrity(
  connection: Connection,
  objects: readonly SchemaObject[],
  structure: Structure,
  findings: Findings,
): boolean {
  // To check these SQLite would compute whatever their author wrote. That they are there is a finding of the schema.
  const computed = objects.filter(isComputed);
  const kept = [...computed, ...structure.unsafe];
  if (kept.length > 0) {
    findings.skip(`the structure of the file but for ops: ${kept.map(({ name }) => name).join(", ")}`);
    if (kept.some(({ table }) => table === "ops")) {
      findings.skip("the structure of ops and its indexes");
      tellFaults([], structure, findings);
      return false;
    }
  }
  const what = kept.length > 0 ? "ops" : MOST_MESSAGES;
  const said: string[] = [];
  reading(
    () => connection.query(`PRAGMA integrity_check(${what})`).forEach((row) => said.push(String(row.integrity_check))),
    (damage) => void said.push(damage),
  );
  const messages = said.flatMap((text) => text.split("\n")).filter((line) => !["", "ok"].includes(line))
    .filter((line) => !HEADING.test(line));
  return tellFaults(messages, structure, findings);
}

/** Tells what SQLite says, or what was found without it where it says nothing. */
function tellFaults(messages: readonly string[], { faults }: Structure, findings: Findings): boolean {
  const all = messages.length > 0 ? messages : faults;
  for (const message of all.slice(0, MOST_MESSAGES)) findings.addFault({ kind: "integrity", message });
  return all.length === 0 && findings.areSound(Infinity);
}
