/**
 * Rules: the refutes and corrections of a key, and the verdicts that follow from them.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { derivedDamaged, derivedRow } from "../derived/damage.ts";
import { Standing } from "./encoding.ts";

const SELECT_RULES = "SELECT seq, value, is_correction FROM mnema_rules WHERE key = ? ORDER BY depth, op_id";
const SELECT_KEY = "SELECT key FROM mnema_rules WHERE seq = ?";

/** A `claim.refute` or a `claim.correct`. */
export interface Rule {
  /** Its sequence number in the log. */
  seq: number;
  /** The id of the group it names; null for a refute of the whole key. */
  value: number | null;
  /** Whether it is a correction. */
  isCorrection: boolean;
}

/** The verdict on a group, and the `seq` of the rule that causes it; undefined when no rule is against the group. */
export type Verdict = { standing: typeof Standing.refuted | typeof Standing.corrected; cause: number } | undefined;

/** Reads the rules of a key, by its id, in replay order. */
export function readRules(connection: Connection, key: number): Rule[] {
  return connection.query(SELECT_RULES).values<[number, number | null, number]>(key)
    .map(([seq, value, isCorrection]) => ({ seq, value, isCorrection: isCorrection === 1 }));
}

/**
 * Applies the rules of a key.
 *
 * @param rules The rules of the key, in replay order.
 * @returns A function from the id of a group to the verdict on it.
 */
export function judge(rules: readonly Rule[]): (value: number) => Verdict {
  /** The index of the first effective refute of the whole key. */
  let keyRefute: number | undefined;
  /** The same, by the refuted group. */
  const valueRefutes = new Map<number, number>();
  let correction: number | undefined;
  rules.forEach(({ value, isCorrection }, i) => {
    if (isCorrection) {
      keyRefute = undefined;
      valueRefutes.delete(value!);
      correction = i;
    } else if (value === null) {
      keyRefute ??= i;
      correction = undefined;
    } else {
      if (!valueRefutes.has(value)) valueRefutes.set(value, i);
      if (correction !== undefined && rules[correction].value === value) correction = undefined;
    }
  });
  return (value) => {
    const refute = Math.min(keyRefute ?? Infinity, valueRefutes.get(value) ?? Infinity);
    if (refute < Infinity) return { standing: Standing.refuted, cause: rules[refute].seq };
    if (correction === undefined || rules[correction].value === value) return undefined;
    return { standing: Standing.corrected, cause: rules[correction].seq };
  };
}

/**
 * Whether the rule at a `seq` is effective: no later rule in replay order lifts it.
 *
 * @throws {FileError} `derived-damaged` when there is no such rule.
 */
export function isEffective(connection: Connection, seq: number): boolean {
  const [key] = derivedRow(connection, SELECT_KEY, ["integer"], seq) ?? [];
  const rules = key === undefined ? [] : readRules(connection, key);
  const at = rules.findIndex((rule) => rule.seq === seq);
  if (at < 0) throw derivedDamaged(connection, `the refute or correction at seq ${seq} is not among those of its key`);
  return !rules.slice(at + 1).some((later) => lifts(later, rules[at]));
}

/** Whether a later rule cancels the effect of an earlier one. */
function lifts(later: Rule, { value, isCorrection }: Rule): boolean {
  if (later.isCorrection) return isCorrection || value === null || value === later.value;
  return isCorrection && (later.value === null || later.value === value);
}
