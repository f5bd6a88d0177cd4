/**
 * Content address and signature of an operation, computed and checked over the bytes of its wire text.
 *
 * @module
 */

import { createBLAKE2b } from "hash-wasm";
import { publicKeyHex } from "../keys/author.ts";
import { verifySignature } from "../keys/native.ts";
import { layoutOf, type Tail } from "./layout.ts";

const blake2b256 = await createBLAKE2b(256);

/** Reused for what is hashed and signed of each operation: allocating an array costs more than copying it. */
let scratch = new Uint8Array(4096);

/** The id of an operation: BLAKE2b-256 of its wire text without the member `op_id`, in as many parts as it comes in. */
export function contentAddress(...parts: Uint8Array[]): string {
  blake2b256.init();
  for (const part of parts) blake2b256.update(part);
  return "op_" + blake2b256.digest("hex");
}

/** The correct id of an operation, from its whole canonical wire text and the fields in it. */
export function addressOf(wire: Uint8Array, fields: Tail): string {
  const { opIdAt, prevAt } = layoutOf(wire.length, fields);
  return contentAddress(wire.subarray(0, opIdAt), wire.subarray(prevAt));
}

/**
 * Checks content address, then signature: one hash, and one Ed25519 verification.
 *
 * @param wire The bytes of the whole wire text, which must be canonical.
 * @param fields The fields in it.
 * @returns The first check that fails; undefined when none does.
 */
export function failedCheck(
  wire: Uint8Array,
  fields: Tail & { readonly author: string; readonly sig: string; readonly opId: string },
): "content address" | "signature" | undefined {
  const { opIdAt, prevAt, sigAt, tsAt } = layoutOf(wire.length, fields);
  if (scratch.length < wire.length) scratch = new Uint8Array(2 * wire.length);
  scratch.set(wire);
  // Without the member `op_id`, the text is what the content address covers; without `sig`, too, what is signed.
  const addressed = cut(opIdAt, prevAt, wire.length);
  if (contentAddress(scratch.subarray(0, addressed)) !== fields.opId) return "content address";
  const opIdMember = prevAt - opIdAt;
  const signed = cut(sigAt - opIdMember, tsAt - opIdMember, addressed);
  return verifySignature(publicKeyHex(fields.author), fields.sig, scratch.subarray(0, signed))
    ? undefined
    : "signature";
}

/** Takes the bytes from `start` to `end` out of the scratch memory, of which `length` bytes are used; what is left. */
function cut(start: number, end: number, length: number): number {
  scratch.copyWithin(start, end, length);
  return length - (end - start);
}
