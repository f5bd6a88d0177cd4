import { assertEquals } from "@std/assert";
import { blake2b } from "@noble/hashes/blake2.js";
import { Operation } from "../../mod.ts";
import { addressOf, failedCheck } from "../../src/wire/authentic.ts";
import { alice, bob, forged, missigned, vectorOperations } from "../operations.ts";

const encoder = new TextEncoder();
const long = Operation.create({ type: "note", body: { text: "é".repeat(10_000) }, ts: 1 }, alice);

Deno.test("the address is the BLAKE2b-256 of the wire text without op_id", () => {
  for (const op of [...vectorOperations(), long]) {
    const hashed = encoder.encode(op.wire.replace(`"op_id":"${op.opId}",`, ""));
    assertEquals(addressOf(encoder.encode(op.wire), op), "op_" + blake2b(hashed, { dkLen: 32 }).toHex());
  }
});

Deno.test("the first failed check is reported: content address, then signature", () => {
  for (const op of [...vectorOperations(), long]) assertEquals(failedCheck(encoder.encode(op.wire), op), undefined);
  const changed = forged(long);
  assertEquals(failedCheck(encoder.encode(changed.wire), changed), "content address");
  const other = missigned(long, bob);
  assertEquals(failedCheck(encoder.encode(other.wire), other), "signature");
});
