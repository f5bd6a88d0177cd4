/**
 * The file by itself: whether SQLite can read it, and what SQLite's own check says of it.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { Findings } from "./findings.ts";
import { reading } from "./damage.ts";
import { isComputed } from "./schema.ts";
import type { SchemaObject } from "../log/objects.ts";
import type { Structure } from "./structure.ts";

const CACHE_KIB = 32 << 10;
/** SQLite stops looking when it has found so much. */
const MAX_MESSAGES = 100;
const HEADING = /^\*\*\* in database \w+ \*\*\*$/;

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
  const what = kept.length > 0 ? "ops" : MAX_MESSAGES;
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
  for (const message of all.slice(0, MAX_MESSAGES)) findings.addFault({ kind: "integrity", message });
  return all.length === 0 && findings.areSound(Infinity);
}
