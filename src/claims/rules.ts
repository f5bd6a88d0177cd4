/**
 * Which refutes and corrections of a key are effective.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { Standing } from "./encoding.ts";

const SELECT_RULES = "SELECT seq, value, is_correction FROM mnema_rules WHERE key = ? ORDER BY depth, op_id";
const SELECT_KEY = "SELECT key FROM mnema_rules WHERE seq = ?";

/** A `claim.refute` or a `claim.correct`. */
export interface Rule {
  /** Its place in the log. */
  seq: number;
  /** The group of claims it names; null for a refute of the whole key. */
  value: number | null;
  /** Whether it is a correction. */
  isCorrection: boolean;
}

/** How a group stands by the rules of its key, and the rule that says so; undefined when no rule speaks against it. */
export type Verdict = { standing: typeof Standing.refuted | typeof Standing.corrected; cause: number } | undefined;

/** The refutes and corrections of a key, by its number, in the order of replay. */
export function readRules(connection: Connection, key: number): Rule[] {
  return connection.query(SELECT_RULES).values<[number, number | null, number]>(key)
    .map(([seq, value, isCorrection]) => ({ seq, value, isCorrection: isCorrection === 1 }));
}

/**
 * Judges the groups of a key.
 *
 * @param rules The refutes and corrections of the key, in the order of replay: by depth, then id.
 * @returns The verdict on a group.
 */
export function judge(rules: readonly Rule[]): (value: number) => Verdict {
  /** The first refute of the key, or of a value, that is effective, with its place in the order. */
  let keyRefute: number | undefined;
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

/** Whether the refute or correction at a `seq` is effective: nothing that comes later in the order of replay lifts it. */
export function isEffective(connection: Connection, seq: number): boolean {
  const rules = readRules(connection, connection.query(SELECT_KEY).value<[number]>(seq)![0]);
  const at = rules.findIndex((rule) => rule.seq === seq);
  return !rules.slice(at + 1).some((later) => lifts(later, rules[at]));
}

/** Whether a rule that comes later takes the effect of one away. */
function lifts(later: Rule, { value, isCorrection }: Rule): boolean {
  if (later.isCorrection) return isCorrection || value === null || value === later.value;
  return isCorrection && (later.value === null || later.value === value);
}
