/**
 * Which refutes and corrections of a key are effective.
 *
 * @module
 */

import { Standing } from "./columns.ts";

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
