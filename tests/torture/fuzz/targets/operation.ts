/**
 * Operations in text: what is accepted is canonical and unchanged, a signature is valid for the text that was signed and
 * no other, and the scanner accepts nothing that the parser refuses.
 *
 * @module
 */

import { Identity, Operation, OperationError } from "../../../../mod.ts";
import { addressOf } from "../../../../src/wire/authentic.ts";
import { bodyRange, readLink } from "../../../../src/wire/layout.ts";
import { EnvelopeScanner } from "../../../../src/wire/scan.ts";
import { readVectors } from "../../../vectors.ts";
import { alice, bob, note, vectorLines } from "../../../operations.ts";
import { attempt, bytesOf, require, type Target, textOf } from "../target.ts";
import { ED25519_TOKENS, orderAdded } from "../ed25519.ts";

const TOKENS = [
  '{"author":"mnk_',
  '","body":{',
  ',"op_id":"op_',
  ',"prev":["op_',
  '],"sig":"',
  '","ts":',
  ',"type":"',
  '","v":1}',
  "evidence.add",
  "claim.assert",
  "a.b_c.d9",
  `"op_${"0".repeat(64)}"`,
  "mnk_",
  "op_",
  alice.author.slice(4),
  bob.author.slice(4),
  ...ED25519_TOKENS,
];

/** The same operation with another signature, and the id that follows from it. */
function withSignature(op: Operation, sig: string, author = op.author): string {
  const changed = op.wire.replace(op.sig, sig).replace(op.author, author);
  return readdressed(Operation.parse(changed));
}

/** The wire text with the id that follows from the rest of it. */
function readdressed(op: Operation): string {
  const at = bodyRange(bytesOf(op.wire).length, op)[1];
  const bytes = bytesOf(op.wire);
  const address = bytesOf(addressOf(bytes, op));
  bytes.set(address, at + ',"op_id":"'.length);
  return new TextDecoder().decode(bytes);
}

/** Signatures that careless verifiers accept, of operations that nobody signed. */
function forgeries(): string[] {
  const op = note("forged");
  const zero = "0".repeat(64);
  return ED25519_TOKENS.filter((token) => token.length === 64).flatMap((point) => [
    withSignature(op, point + zero, `mnk_${point}`),
    withSignature(op, point + op.sig.slice(64)),
  ]);
}

export const target: Target = {
  start() {
    const { valid } = readVectors<{ valid: { wire: string }[] }>("operations.json");
    const large = Operation.create({
      type: "note",
      body: { n: 2n ** 63n - 1n, "é": ["\u0000", { "😀": -1 }] },
      prev: Array.from({ length: 30 }, (_, n) => note(`${n}`).opId),
      ts: Number.MAX_SAFE_INTEGER,
    }, Identity.fromSeed(new Uint8Array(32).fill(4)));
    const signed = [...vectorLines(), ...valid.map(({ wire }) => wire), note("x").wire, large.wire];
    const authentic = new Set(signed);
    const malleable = signed.slice(0, 3).map((wire) => Operation.parse(wire)).map((op) =>
      withSignature(op, orderAdded(op.sig))
    );
    return {
      seeds: [...signed.slice(0, 40), note("x").wire, large.wire, ...malleable, ...forgeries()].map(bytesOf),
      tokens: TOKENS,
      run(input) {
        const text = textOf(input);
        const parsed = attempt(() => Operation.parse(text), "bad-shape");
        const bytes = bytesOf(text);
        const scanner = new EnvelopeScanner(bytes);
        const scanned = text.isWellFormed() ? scanner.scan(0, bytes.length) : undefined;
        if (parsed.error !== undefined) {
          require(parsed.error instanceof OperationError, "an error of an operation is an OperationError");
          return require(scanned === undefined, "the scanner accepts nothing that the parser refuses");
        }
        const op = parsed.value;
        require(op.wire === text && Operation.fromWire(op.toWire()).wire === text, "the text is kept as it is");
        if (scanned !== undefined) {
          const same = scanned.opId === op.opId && scanned.author === op.author && scanned.sig === op.sig &&
            scanned.ts === op.ts && scanned.type === op.type && scanned.prev.join() === op.prev.join();
          require(same, "the scanner and the parser read the same");
        }
        const link = readLink(text);
        require(link?.opId === op.opId && link.prev.join() === op.prev.join(), "the link is what the parser reads");
        const isAuthentic = attempt(() => op.verify(), "bad-address", "bad-signature").error === undefined;
        require(isAuthentic === authentic.has(text), "exactly what was signed verifies");
        const addressed = readdressed(op);
        if (authentic.has(addressed)) return;
        const { error } = attempt(() => Operation.parse(addressed).verify(), "bad-signature");
        require(error !== undefined, "with its address corrected, a text that nobody signed does not verify");
      },
    };
  },
};
