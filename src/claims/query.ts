/**
 * Selects claims from the derived tables: filters, orders, pages, counts.
 *
 * @module
 */

import { LogError, NotFoundError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { Parameter } from "../sqlite/query.ts";
import { isAuthor } from "../keys/author.ts";
import { encodeCanonical } from "../wire/canonical.ts";
import { isOpId } from "../wire/ids.ts";
import { isNatural } from "../wire/value.ts";
import { seqOf } from "../log/entries.ts";
import { derivedDamaged, derivedIntegers, derivedRow, derivedRows } from "../derived/damage.ts";
import type { ClaimFilter, ClaimOrder, ClaimStats, ClaimStatus } from "./claim.ts";
import { keyText, Standing, Support } from "./encoding.ts";

/** The tables of claims, in the order in which a join visits them. */
const FROM_KEYS = "FROM mnema_keys AS keyed JOIN mnema_values AS grouped ON grouped.key = keyed.id " +
  "JOIN mnema_claims AS claim ON claim.value = grouped.id";
/** The same in the order of the keys, which ends with the first page: for filters that no index serves. */
const FROM_SORTED_KEYS = FROM_KEYS.replaceAll(" JOIN ", " CROSS JOIN ");
const FROM_CLAIMS = "FROM mnema_claims AS claim CROSS JOIN mnema_values AS grouped ON grouped.id = claim.value " +
  "CROSS JOIN mnema_keys AS keyed ON keyed.id = grouped.key";

/** The SQL condition of each status. */
const STATUSES: Record<ClaimStatus, string> = {
  active: `standing = ${Standing.upheld} AND support = ${Support.sound} AND grouped.id = keyed.winner`,
  superseded: `standing = ${Standing.upheld} AND support = ${Support.sound} AND grouped.id <> keyed.winner`,
  pending: `support = ${Support.pending} AND standing = ${Standing.upheld}`,
  invalidated: `support = ${Support.invalidated} AND standing = ${Standing.upheld}`,
  corrected: `standing = ${Standing.corrected}`,
  refuted: `standing = ${Standing.refuted}`,
};

const COUNT_STATUSES = `SELECT CASE ${
  Object.entries(STATUSES).map(([status, condition]) => `WHEN ${condition} THEN '${status}'`).join(" ")
} END AS status, count(*) ${FROM_CLAIMS} GROUP BY status`;
const COUNT_KEYS = "SELECT count(*) FROM mnema_keys WHERE id IN (SELECT grouped.key FROM mnema_values AS grouped " +
  "WHERE EXISTS (SELECT 1 FROM mnema_claims AS claim WHERE claim.value = grouped.id))";

function isStatus(value: unknown): value is ClaimStatus {
  return typeof value === "string" && Object.hasOwn(STATUSES, value);
}

/** The place of a claim in every order. */
interface Place {
  key: string;
  depth: number;
  opId: string;
  confidence: number;
  seq: number;
}

const SELECT_PLACE = `SELECT keyed.key, depth, confidence ${FROM_CLAIMS} WHERE claim.seq = ?`;

/** How claims are ordered. */
interface Order {
  /** The columns of ORDER BY. */
  columns: readonly string[];
  /** Whether the order is descending. */
  descends: boolean;
  /** The condition that a claim comes after a place; `>` stands for the direction of the order. */
  after(place: Place): [condition: string, ...values: Parameter[]];
}

const ORDERS: Record<ClaimOrder, Order> = {
  key: {
    columns: ["keyed.key", "claim.depth", "claim.op_id"],
    descends: false,
    after: ({ key, depth, opId }) => [
      "keyed.key >= ? AND (keyed.key > ? OR (claim.depth, claim.op_id) > (?, ?))",
      key,
      key,
      depth,
      opId,
    ],
  },
  confidence: {
    columns: ["claim.confidence", "claim.seq"],
    descends: true,
    after: ({ confidence, seq }) => [
      "claim.confidence >= ? AND (claim.confidence > ? OR claim.seq > ?)",
      confidence,
      confidence,
      seq,
    ],
  },
  newest: { columns: ["claim.seq"], descends: true, after: ({ seq }) => ["claim.seq > ?", seq] },
};

/** Limit of a part to search for, in UTF-16 code units. */
const MAX_PART = 1024;

const isText = (value: unknown) => typeof value === "string" && value.isWellFormed();
const isPart = (value: unknown) => typeof value === "string" && value.length <= MAX_PART && value.isWellFormed();
const PART = `a string of at most ${MAX_PART} characters`;

/** The values that each field of a filter accepts. */
const FILTER_FIELDS: Record<keyof ClaimFilter, { what: string; accepts(value: unknown): boolean }> = {
  key: { what: "a string", accepts: isText },
  prefix: { what: "a string", accepts: isText },
  keyContains: { what: PART, accepts: isPart },
  valueContains: { what: PART, accepts: isPart },
  status: {
    what: `a status: ${Object.keys(STATUSES).join(", ")}`,
    accepts: isStatus,
  },
  author: {
    what: "an author id: mnk_ and 64 lower-case hex digits",
    accepts: (value) => typeof value === "string" && isAuthor(value),
  },
  deriver: { what: "a string", accepts: isText },
  input: {
    what: "an operation id: op_ and 64 lower-case hex digits",
    accepts: (value) => typeof value === "string" && isOpId(value),
  },
  order: {
    what: `an order: ${Object.keys(ORDERS).join(", ")}`,
    accepts: (value) => typeof value === "string" && Object.hasOwn(ORDERS, value),
  },
  reverse: { what: "a boolean", accepts: (value) => typeof value === "boolean" },
  after: {
    what: "an operation id: op_ and 64 lower-case hex digits",
    accepts: (value) => typeof value === "string" && isOpId(value),
  },
  limit: {
    what: "an integer of at least 0",
    accepts: isNatural,
  },
};

/**
 * Refuses a filter with an unknown field or an invalid value.
 *
 * @throws {LogError} `invalid-argument`.
 */
export function checkFilter(filter: ClaimFilter): void {
  for (const [field, value] of Object.entries(filter)) {
    if (!isFilterField(field)) {
      const fields = Object.keys(FILTER_FIELDS).join(", ");
      throw new LogError(
        "invalid-argument",
        `a filter of claims has no field ${JSON.stringify(field)}; its fields are ${fields}`,
      );
    }
    const { what, accepts } = FILTER_FIELDS[field];
    if (value === undefined || accepts(value)) continue;
    throw new LogError("invalid-argument", `the ${field} of a filter must be ${what}, not ${textOf(value)}`);
  }
}

function isFilterField(field: string): field is keyof ClaimFilter {
  return Object.hasOwn(FILTER_FIELDS, field);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/**
 * The `seq` of the claims that match a filter, in its order. Claims must be caught up.
 *
 * @throws {NotFoundError} When the claim to begin after is not in the log.
 * @throws {LogError} `not-a-claim` when it is another operation.
 */
export function selectClaims(connection: Connection, filter: ClaimFilter): Float64Array {
  const { key, prefix, keyContains, valueContains, status, author, deriver, input, after } = filter;
  const { order = "key", reverse = false, limit = Number.MAX_SAFE_INTEGER } = filter;
  const conditions: string[] = [];
  const parameters: Parameter[] = [];
  const restrict = (condition: string, ...values: Parameter[]) => {
    conditions.push(condition);
    parameters.push(...values);
  };
  if (key !== undefined) restrict("keyed.key = ?", keyText(key));
  if (prefix !== undefined && prefix !== "") {
    const text = keyText(prefix);
    restrict("keyed.key >= ? AND keyed.key < ?", text, successor(text));
  }
  if (keyContains !== undefined) restrict(...contains("keyed.key", keyText, keyContains));
  if (valueContains !== undefined) restrict(...contains(VALUE, quoted, valueContains));
  if (status !== undefined) restrict(STATUSES[status]);
  if (author !== undefined) restrict("claim.author = (SELECT id FROM mnema_names WHERE name = ?)", author);
  if (deriver !== undefined) restrict("claim.deriver = (SELECT id FROM mnema_names WHERE name = ?)", keyText(deriver));
  if (input !== undefined) {
    restrict(
      "claim.seq IN (SELECT claim FROM mnema_edges WHERE input = (SELECT seq FROM ops WHERE op_id = ?) " +
        "UNION SELECT claim FROM mnema_awaited WHERE op_id = ?)",
      input,
      input,
    );
  }
  const { columns, ...by } = ORDERS[order];
  const descends = by.descends !== reverse;
  if (after !== undefined) {
    const [condition, ...values] = by.after(placeOf(connection, after));
    restrict(descends ? condition.replaceAll(">", "<") : condition, ...values);
  }
  const isIndexed = [author, deriver, input].some((given) => given !== undefined) ||
    (status !== undefined && status !== "active" && status !== "superseded");
  const from = order !== "key" ? FROM_CLAIMS : isIndexed ? FROM_KEYS : FROM_SORTED_KEYS;
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const ordered = columns.map((column) => descends ? `${column} DESC` : column).join(", ");
  // One text: rows would take many times the memory.
  const sql = `SELECT group_concat(seq) FROM (SELECT claim.seq ${from}${where} ORDER BY ${ordered} LIMIT ?)`;
  const [list] = connection.query(sql).value<[unknown]>(...parameters, limit)!;
  return list === null ? new Float64Array() : Float64Array.from(derivedIntegers(connection, list));
}

/** Counts claims by their status. Claims must be caught up. */
export function countClaims(connection: Connection): ClaimStats {
  const statuses = { active: 0, superseded: 0, pending: 0, invalidated: 0, corrected: 0, refuted: 0 };
  let claims = 0;
  for (const [status, count] of derivedRows(connection, COUNT_STATUSES, ["any", "integer"])) {
    if (!isStatus(status)) throw derivedDamaged(connection, "a claim has no status");
    statuses[status] = count;
    claims += count;
  }
  const [keys] = derivedRow(connection, COUNT_KEYS, ["integer"])!;
  return { claims, keys, statuses };
}

function placeOf(connection: Connection, opId: string): Place {
  const seq = seqOf(connection, opId);
  if (seq === undefined) throw new NotFoundError(opId);
  const row = derivedRow(connection, SELECT_PLACE, ["text", "integer", "integer"], seq);
  if (row === undefined) throw new LogError("not-a-claim", `operation ${opId} is not a claim`);
  const [key, depth, confidence] = row;
  return { key, depth, opId, confidence, seq };
}

/** The canonical text of a value. A long one is hashed in the tables, and is read from the operation. */
const VALUE = "iif(grouped.value GLOB '#*', (SELECT wire -> '$.body.value' FROM ops WHERE ops.seq = claim.seq), " +
  "grouped.value)";

/** A text as it is in the canonical text of a value, without the quotes around it. */
function quoted(text: string): string {
  return encodeCanonical(text).slice(1, -1);
}

/**
 * The condition that a text has a part. LIKE ignores the case of ASCII letters alone.
 *
 * @param text The SQL of the text.
 * @param encode Encodes the part as the text is encoded.
 * @param part The part.
 */
function contains(text: string, encode: (part: string) => string, part: string): [string, ...string[]] {
  const lower = part.toLowerCase();
  const [first = "", ...rest] = lower;
  const variants = [part, lower, part.toUpperCase(), first.toUpperCase() + rest.join("")];
  const isAscii = !/[^\0-\x7f]/.test(part);
  const encoded = (isAscii ? [part] : variants).flatMap((variant) => [variant, encode(variant)]);
  const patterns = [...new Set(encoded.filter((variant) => !variant.includes("\0")))]
    .map((variant) => `%${variant.replaceAll(/[\\%_]/g, "\\$&")}%`);
  return [`(${patterns.map(() => `${text} LIKE ? ESCAPE '\\'`).join(" OR ")})`, ...patterns];
}

/** The upper bound of all texts that start with a text, in code-point order. */
function successor(text: string): string {
  const points = [...text].map((character) => character.codePointAt(0)!);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return "\u{10ffff}".repeat(513); // longer than any key
  points.push(last === 0xd7ff ? 0xe000 : last + 1);
  return String.fromCodePoint(...points);
}
