/**
 * The claims that a refute or a correction would fell, before it is made.
 *
 * It would be the last of its key in replay order. The verdicts are those that a catch-up would reach; the claims that fall
 * are those of the groups that lose theirs, and those derived from them at any distance, as long as they are not fallen
 * already: what is below a fallen claim is fallen, too.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { derivedIntegers, derivedRow, derivedRows } from "../derived/damage.ts";
import type { Ruling } from "./claim.ts";
import { keyText, Standing, Support, valueText } from "./encoding.ts";
import { judge, readRules, type Rule } from "./rules.ts";

const SELECT_KEY = "SELECT id FROM mnema_keys WHERE key = ?";
const SELECT_GROUPS = "SELECT id, standing FROM mnema_values WHERE key = ?";
const SELECT_GROUP = "SELECT id FROM mnema_values WHERE key = ? AND value = ?";
// The rows of the recursion come in the order in which they are found: nearest first.
const SELECT_FALLING = `WITH RECURSIVE falling (seq) AS (
    SELECT claim.seq FROM json_each(?) AS wanted CROSS JOIN mnema_claims AS claim ON claim.value = wanted.value
    WHERE claim.support < ${Support.invalidated}
  UNION
    SELECT claim.seq FROM falling CROSS JOIN mnema_edges AS edge ON edge.input = falling.seq
    CROSS JOIN mnema_claims AS claim ON claim.seq = edge.claim AND claim.support < ${Support.invalidated}
    CROSS JOIN mnema_values AS grouped ON grouped.id = claim.value AND standing = ${Standing.upheld}
  ) SELECT group_concat(seq) FROM falling`;

/** A group that the key does not have. */
const NO_GROUP = -1;
/** The `seq` of a rule that is not in the log. */
const NO_SEQ = 0;

/** The `seq` of the claims that would fall, nearest first. Claims must be caught up. */
export function selectFalling(connection: Connection, ruling: Ruling): number[] {
  const key = derivedRow(connection, SELECT_KEY, ["integer"], keyText(ruling.key))?.[0];
  if (key === undefined) return [];
  const rule: Rule = { seq: NO_SEQ, value: groupOf(connection, key, ruling), isCorrection: ruling.type === "correct" };
  const verdictOn = judge([...readRules(connection, key), rule]);
  const falling = derivedRows(connection, SELECT_GROUPS, ["integer", "integer"], key)
    .filter(([group, standing]) => standing === Standing.upheld && verdictOn(group) !== undefined)
    .map(([group]) => group);
  if (falling.length === 0) return [];
  const [list] = connection.query(SELECT_FALLING).value<[unknown]>(JSON.stringify(falling))!;
  return list === null ? [] : derivedIntegers(connection, list);
}

/** The id of the group that a ruling names; null for a refute of the whole key. */
function groupOf(connection: Connection, key: number, { value }: Ruling): number | null {
  if (value === undefined) return null;
  return derivedRow(connection, SELECT_GROUP, ["integer"], key, valueText(value))?.[0] ?? NO_GROUP;
}
