/**
 * Content address and signature of an operation, computed and checked over the bytes of its wire text.
 *
 * @module
 */

import { createBLAKE2b } from "hash-wasm";
import { publicKeyHex } from "../keys/author.ts";
import { verifySignature } from "../keys/native.ts";
import { type Layout, layoutOf, type Tail } from "./layout.ts";

const blake2b256 = await createBLAKE2b(256);

/** Reused for the signed bytes of each operation: allocating an array costs more than copying them. */
let scratch = new Uint8Array(4096);

/** The id of an operation: BLAKE2b-256 of its wire text before and after the member `op_id`. */
export function contentAddress(before: Uint8Array, after: Uint8Array): string {
  return "op_" + blake2b256.init().update(before).update(after).digest("hex");
}

/** The correct id of an operation, from its whole canonical wire text and the fields in it. */
export function addressOf(wire: Uint8Array, fields: Tail): string {
  return addressAt(wire, layoutOf(wire.length, fields));
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
  const layout = layoutOf(wire.length, fields);
  if (addressAt(wire, layout) !== fields.opId) return "content address";
  return verifySignature(publicKeyHex(fields.author), fields.sig, signedBytes(wire, layout)) ? undefined : "signature";
}

function addressAt(wire: Uint8Array, { opIdAt, prevAt }: Layout): string {
  return contentAddress(wire.subarray(0, opIdAt), wire.subarray(prevAt));
}

/** The wire text without the members `op_id` and `sig`. */
function signedBytes(wire: Uint8Array, { opIdAt, prevAt, sigAt, tsAt }: Layout): Uint8Array {
  if (scratch.length < wire.length) scratch = new Uint8Array(2 * wire.length);
  const afterPrev = opIdAt + sigAt - prevAt;
  scratch.set(wire.subarray(0, opIdAt));
  scratch.set(wire.subarray(prevAt, sigAt), opIdAt);
  scratch.set(wire.subarray(tsAt), afterPrev);
  return scratch.subarray(0, afterPrev + wire.length - tsAt);
}
