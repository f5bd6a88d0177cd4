import { blake2b } from "@noble/hashes/blake2.js";
import { Identity, Operation } from "../mod.ts";
import { readVectorText } from "./vectors.ts";

/** Three authors, the same in every run. */
export const [alice, bob, carol] = [1, 2, 3].map((n) => Identity.fromSeed(new Uint8Array(32).fill(n)));

/** A note by Alice. */
export function note(text: string, prev: readonly string[] = []): Operation {
  return Operation.create({ type: "note", body: { text }, prev, ts: 1_700_000_000_000 }, alice);
}

/** The wire texts of `log.jsonl`, in causal order. */
export function vectorLines(): string[] {
  return readVectorText("log.jsonl").trimEnd().split("\n");
}

/** The operations of `log.jsonl`. */
export function vectorOperations(): Operation[] {
  return vectorLines().map((line) => Operation.parse(line));
}

/** A random causal order of the operations. */
export function causalShuffle(ops: readonly Operation[], random: (limit: number) => number): Operation[] {
  const placed = new Set<string>();
  const unplaced = [...ops];
  const order: Operation[] = [];
  while (unplaced.length > 0) {
    const ready = unplaced.filter((op) => op.prev.every((id) => placed.has(id)));
    const [op] = unplaced.splice(unplaced.indexOf(ready[random(ready.length)]), 1);
    placed.add(op.opId);
    order.push(op);
  }
  return order;
}

/** The heads of operations, computed from the definition. */
export function headsOf(ops: Iterable<Operation>): string[] {
  const all = [...ops];
  const named = new Set(all.flatMap((op) => op.prev));
  return all.map((op) => op.opId).filter((opId) => !named.has(opId)).sort();
}

/** The depths of operations in causal order, computed from the definition. */
export function depthsOf(ops: readonly Operation[]): Record<string, number> {
  const depths: Record<string, number> = {};
  for (const { opId, prev } of ops) {
    depths[opId] = prev.length === 0 ? 0 : 1 + Math.max(...prev.map((id) => depths[id]));
  }
  return depths;
}

/** An operation with a changed field: its address and signature are wrong. */
export function forged(op: Operation, change: Record<string, unknown> = { ts: op.ts + 1 }): Operation {
  return Operation.fromWire({ ...op.toWire(), ...change });
}

/** An operation with a signature by another author: its address is correct, its signature is not. */
export function missigned({ wire, opId, sig }: Operation, signer: Identity): Operation {
  const utf8 = new TextEncoder();
  const withoutId = wire.replace(`"op_id":"${opId}",`, "");
  const otherSig = signer.sign(utf8.encode(withoutId.replace(`"sig":"${sig}",`, ""))).toHex();
  const otherId = "op_" + blake2b(utf8.encode(withoutId.replace(sig, otherSig)), { dkLen: 32 }).toHex();
  return Operation.parse(wire.replace(sig, otherSig).replace(opId, otherId));
}
