/**
 * Whether SQLite can read the file, and the result of SQLite's integrity check.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { Findings } from "./findings.ts";
import { counted } from "../text.ts";
import { reading } from "./damage.ts";
import { isComputed } from "./schema.ts";
import type { SchemaObject } from "../log/objects.ts";
import type { Structure } from "./structure.ts";

const CACHE_KIB = 32 << 10;
/** Limit of the messages of the integrity check. */
const MAX_MESSAGES = 100;
const HEADING = /^\*\*\* in database \w+ \*\*\*$/;

/**
 * Reads the file for the first time.
 *
 * @returns Whether the schema can be read.
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
    // Lets SQLite go on where a part of the schema, or of the file, is missing. Nothing is written.
    connection.execute("PRAGMA writable_schema = ON");
    if (damage() !== undefined) return false;
  }
  connection.execute(`PRAGMA cache_size = ${-CACHE_KIB}`);
  return true;
}

/**
 * Runs SQLite's integrity check of its structures, and of the indexes against the tables.
 *
 * @returns Whether the indexes of `ops` are intact.
 */
export function checkIntegrity(
  connection: Connection,
  objects: readonly SchemaObject[],
  structure: Structure,
  findings: Findings,
): boolean {
  // To check these SQLite would evaluate foreign expressions. That they exist is a finding of the schema check.
  const computed = objects.filter(isComputed);
  const excluded = [...computed, ...structure.unsafe];
  if (excluded.length > 0) {
    findings.skip(`the structure of all but ops, because of ${listNames(excluded)}`);
    if (excluded.some(({ table }) => table === "ops")) {
      findings.skip("the structure of ops and its indexes");
      reportFaults([], structure, findings);
      return false;
    }
  }
  const what = excluded.length > 0 ? "ops" : MAX_MESSAGES;
  const said: string[] = [];
  reading(
    () => connection.query(`PRAGMA integrity_check(${what})`).forEach((row) => said.push(String(row.integrity_check))),
    (damage) => void said.push(damage),
  );
  const messages = said.flatMap((text) => text.split("\n")).filter((line) => !["", "ok"].includes(line))
    .filter((line) => !HEADING.test(line));
  return reportFaults(messages, structure, findings);
}

/** The names of objects, as in `a, b and 2 objects without a name`. */
function listNames(objects: readonly { name: string }[]): string {
  const named = objects.map(({ name }) => name).filter((name) => name !== "");
  const unnamed = objects.length - named.length;
  if (unnamed === 0) return named.join(", ");
  const count = `${counted(unnamed, "object")} without a name`;
  return named.length === 0 ? count : `${named.join(", ")} and ${count}`;
}

/** Reports the messages of SQLite, or where there are none, what was found without it. */
function reportFaults(messages: readonly string[], { faults }: Structure, findings: Findings): boolean {
  const all = messages.length > 0 ? messages : faults;
  for (const message of all.slice(0, MAX_MESSAGES)) findings.addFault({ kind: "integrity", message });
  return all.length === 0 && findings.areSound(Infinity);
}
