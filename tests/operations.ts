import { encodeCanonical, Identity, Operation } from "../mod.ts";
import { contentAddress } from "../src/wire/authentic.ts";
import { readVectorText } from "./vectors.ts";

/** Three authors, the same in every run. */
export const [alice, bob, carol] = [1, 2, 3].map((n) => Identity.fromSeed(new Uint8Array(32).fill(n)));

/** A note by Alice. */
export function note(text: string, prev: readonly string[] = []): Operation {
  return Operation.create({ type: "note", body: { text }, prev, ts: 1_700_000_000_000 }, alice);
}

/** The wire texts of `log.jsonl`, in an order in which each follows only what stands before it. */
export function vectorLines(): string[] {
  return readVectorText("log.jsonl").trimEnd().split("\n");
}

/** The operations of `log.jsonl`. */
export function vectorOperations(): Operation[] {
  return vectorLines().map((line) => Operation.parse(line));
}

/** An order of the operations, chosen by `random`, in which each stands after everything it follows. */
export function causalShuffle(ops: readonly Operation[], random: (limit: number) => number): Operation[] {
  const placed = new Set<string>();
  const waiting = [...ops];
  const order: Operation[] = [];
  while (waiting.length > 0) {
    const ready = waiting.filter((op) => op.prev.every((id) => placed.has(id)));
    const [op] = waiting.splice(waiting.indexOf(ready[random(ready.length)]), 1);
    placed.add(op.opId);
    order.push(op);
  }
  return order;
}

/** The heads of operations, by their definition. */
export function headsOf(ops: Iterable<Operation>): string[] {
  const all = [...ops];
  const named = new Set(all.flatMap((op) => op.prev));
  return all.map((op) => op.opId).filter((opId) => !named.has(opId)).sort();
}

/** The depths of operations, by their definition. Each comes after those it follows. */
export function depthsOf(ops: readonly Operation[]): Record<string, number> {
  const depths: Record<string, number> = {};
  for (const { opId, prev } of ops) {
    depths[opId] = prev.length === 0 ? 0 : 1 + Math.max(...prev.map((id) => depths[id]));
  }
  return depths;
}

/** An operation with a field changed: its address and signature no longer fit. */
export function forged(op: Operation, change: Record<string, unknown> = { ts: op.ts + 1 }): Operation {
  return Operation.fromWire({ ...op.toWire(), ...change });
}

/** An operation with a signature of another author's: its address fits, its signature does not. */
export function missigned(op: Operation, signer: Identity): Operation {
  const { op_id: _id, sig: _sig, ...content } = op.toWire();
  const utf8 = new TextEncoder();
  const signed = { ...content, sig: signer.sign(utf8.encode(encodeCanonical(content))).toHex() };
  return Operation.fromWire({
    ...signed,
    op_id: contentAddress(utf8.encode(encodeCanonical(signed)), new Uint8Array()),
  });
}
