import fc from "fast-check";
import type { Claim, Evidence, Explanation, ExplanationNode, Fall } from "../../src/claims/claim.ts";
import type { CanonicalValue } from "../../src/wire/value.ts";
import { canonicalObject, canonicalValue } from "../arbitraries.ts";

export const author = "mnk_" + "8a".repeat(32);
export const ts = Date.UTC(2026, 6, 1, 10);
/** Text with the syntax of all formats, and with control and wide characters. */
export const nasty = '"]; <b>&amp;#35;`end` --> \\N {"x"}\n%%{init}%% 日本 👩‍👩‍👧 e\u0301 \u202e\x1b[31m 1. a:::b';

export function id(n: number): string {
  return "op_" + n.toString(16).padStart(8, "0") + "0".repeat(56);
}

export function claim(
  n: number,
  key: string,
  value: CanonicalValue,
  inputs: number[],
  more: Partial<Claim> = {},
): Claim {
  return {
    opId: id(n),
    kind: "assert",
    key,
    value,
    confidencePpm: 820_000,
    author,
    ts,
    depth: 0,
    deriver: { id: "habits", version: "1.2" },
    inputs: inputs.map(id),
    status: "active",
    ...more,
  };
}

export function evidence(n: number, more: Partial<Evidence> = {}): Evidence {
  return { opId: id(n), author, ts, source: "mail", kind: "message", content: { text: "tea at four" }, ...more };
}

export function nodeOf(it: Claim | Evidence): ExplanationNode {
  return "key" in it ? { is: "claim", opId: it.opId, claim: it } : { is: "evidence", opId: it.opId, evidence: it };
}

export function explained(
  claims: Claim[],
  others: ExplanationNode[] = [],
  more: Partial<Explanation> = {},
): Explanation {
  return { claim: claims[0], nodes: [...claims.map(nodeOf), ...others], ...more };
}

/** City and drink are derived from a home that the user refutes. */
export function invalidated(reason?: string): Explanation {
  const fell = { cause: id(0xff), status: "invalidated" } as const;
  const fall: Fall = {
    opId: id(0xff),
    type: "claim.refute",
    author,
    ts: ts + 60_000,
    key: "home",
    value: "Oslo",
    reason,
    path: [0xff, 3, 2, 1].map(id),
  };
  return explained(
    [
      claim(1, "drink", "tea", [2, 5], { ...fell, via: id(2) }),
      claim(2, "city", "Oslo", [3], { ...fell, via: id(3) }),
      claim(3, "home", "Oslo", [4], { cause: id(0xff), status: "refuted" }),
    ],
    [nodeOf(evidence(4, { ref: "<1@example.org>" })), nodeOf(evidence(5))],
    { fall },
  );
}

/** A claim, each of whose inputs has the next as its input, down to evidence. */
export function chain(length: number): Explanation {
  const claims = Array.from({ length }, (_, n) => claim(n, `step${n}`, n, [n + 1]));
  return explained(claims, [nodeOf(evidence(length))]);
}

/** Layers of claims, each derived from every claim of the next. */
export function diamonds(layers: number, width: number): Explanation {
  const inputs = (layer: number) => Array.from({ length: width }, (_, i) => 1 + layer * width + i);
  const claims = [claim(0, "top", 0, inputs(0))];
  for (let layer = 0; layer < layers; layer++) {
    const below = layer + 1 < layers ? inputs(layer + 1) : [0xffff];
    for (const n of inputs(layer)) claims.push(claim(n, `layer${layer}`, n, below));
  }
  return explained(claims, [nodeOf(evidence(0xffff))]);
}

/** Any graph without cycles, any texts. */
export function anyExplanation(): fc.Arbitrary<Explanation> {
  const text = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom("日", "👩‍👩‍👧", "🇳🇴", "e\u0301", "\u0301", "\u200d", "\ufe0f", "\u0600", "한", "क्षि", " ", "1"),
    }),
    fc.constant(nasty),
  );
  return fc.array(
    fc.record({
      key: text,
      value: canonicalValue(),
      confidencePpm: fc.integer({ min: 0, max: 1_000_000 }),
      status: fc.constantFrom("active", "superseded", "pending", "invalidated", "corrected", "refuted"),
      deriver: fc.option(fc.record({ id: text, version: text }), { nil: undefined }),
      inputs: fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 4 }),
      is: fc.constantFrom("claim", "claim", "claim", "evidence", "other", "missing"),
      content: canonicalObject(),
    }),
    { minLength: 1, maxLength: 30 },
  ).chain((drafts) => {
    const nodes = drafts.map(({ key, value, inputs, content, is, ...more }, n): ExplanationNode => {
      if (n === 0 || is === "claim") return nodeOf(claim(n, key, value, inputs.map((step) => n + step), more));
      if (is === "evidence") return nodeOf(evidence(n, { source: key, content, ref: key }));
      return is === "missing" ? { is, opId: id(n) } : { is: "other", opId: id(n), type: "note", author, ts };
    });
    const root = (nodes[0] as ExplanationNode & { is: "claim" }).claim;
    const fall = fc.record({ reason: text, key: text, value: fc.option(canonicalValue(), { nil: undefined }) })
      .map((more): Fall => ({
        opId: id(0xff),
        type: "claim.refute",
        author,
        ts,
        path: [id(0xff), ...nodes.map(({ opId }) => opId)],
        ...more,
      }));
    return fc.record({
      claim: fc.constant(root),
      nodes: fc.constant(nodes),
      fall: fc.option(fall, { nil: undefined }),
      supersededBy: fc.constantFrom(undefined, root),
    });
  });
}
