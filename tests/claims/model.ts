/**
 * What `claims.md` says, read off word by word and computed from the set of operations with no regard to speed: what
 * the log's answers are compared with.
 *
 * @module
 */

import { encodeCanonical, type Operation } from "../../mod.ts";

/** The status of a claim, and its cause. */
export interface Standing {
  status: string;
  cause?: string;
  via?: string;
}

interface ModelClaim {
  op: Operation;
  key: string;
  value: string;
  inputs: string[];
}

interface Rule {
  op: Operation;
  value?: string;
  isCorrection: boolean;
}

/** The status of each claim among these operations, by id. */
export function statusesOf(ops: readonly Operation[]): Map<string, Standing> {
  const byId = new Map(ops.map((op) => [op.opId, op]));
  const depths = new Map<string, number>();
  const depth = (op: Operation): number => {
    let known = depths.get(op.opId);
    if (known === undefined) {
      depths.set(
        op.opId,
        known = Math.max(-1, ...op.prev.map((id) => depth(byId.get(id)!))) + 1,
      );
    }
    return known;
  };
  const inOrder = (a: Operation, b: Operation) => depth(a) - depth(b) || (a.opId < b.opId ? -1 : 1);

  const claims = new Map<string, ModelClaim>();
  const rules = new Map<string, Rule[]>();
  for (const op of ops.toSorted(inOrder)) {
    // deno-lint-ignore no-explicit-any
    const body = op.body as any;
    if (op.type === "claim.assert" || op.type === "claim.correct") {
      const inputs = op.type === "claim.assert" ? body.inputs : [];
      claims.set(op.opId, { op, key: body.key, value: encodeCanonical(body.value), inputs });
    }
    if (op.type === "claim.refute" || op.type === "claim.correct") {
      const value = body.value === undefined ? undefined : encodeCanonical(body.value);
      rules.set(body.key, take(rules.get(body.key) ?? [], { op, value, isCorrection: op.type === "claim.correct" }));
    }
  }

  const felledItself = ({ key, value }: ModelClaim): Standing | undefined => {
    const effective = rules.get(key) ?? [];
    const refute = effective.find((rule) => !rule.isCorrection && (rule.value === undefined || rule.value === value));
    if (refute !== undefined) return { status: "refuted", cause: refute.op.opId };
    const correction = effective.find((rule) => rule.isCorrection && rule.value !== value);
    if (correction !== undefined) return { status: "corrected", cause: correction.op.opId };
  };

  const found = new Map<string, Standing | undefined>();
  /** Refuted, corrected, invalidated or pending; undefined when it lives. */
  const unsound = (claim: ModelClaim): Standing | undefined => {
    if (!found.has(claim.op.opId)) found.set(claim.op.opId, felledItself(claim) ?? byInputs(claim));
    return found.get(claim.op.opId);
  };
  const byInputs = ({ inputs }: ModelClaim): Standing | undefined => {
    const present = inputs.flatMap((id) => claims.get(id) ?? []).sort((a, b) => inOrder(a.op, b.op));
    const via = present.find((input) => !["pending", undefined].includes(unsound(input)?.status));
    if (via !== undefined) return { status: "invalidated", cause: unsound(via)!.cause, via: via.op.opId };
    const isPending = inputs.some((id) => !byId.has(id)) || present.some((input) => unsound(input) !== undefined);
    return isPending ? { status: "pending" } : undefined;
  };

  const living = [...claims.values()].filter((claim) => unsound(claim) === undefined);
  return new Map([...claims].map(([opId, claim]) => {
    const fallen = unsound(claim);
    if (fallen !== undefined) return [opId, fallen];
    const last = living.filter(({ key }) => key === claim.key).at(-1)!;
    return [opId, last.value === claim.value ? { status: "active" } : { status: "superseded", cause: last.op.opId }];
  }));
}

/** The effective rules of a key after one more. */
function take(effective: Rule[], rule: Rule): Rule[] {
  const kept = effective.filter((earlier) => {
    if (rule.isCorrection) return !earlier.isCorrection && earlier.value !== undefined && earlier.value !== rule.value;
    return !earlier.isCorrection || (rule.value !== undefined && earlier.value !== rule.value);
  });
  return [...kept, rule];
}
