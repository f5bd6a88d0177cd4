/**
 * Whether the bytes of an operation have the content address and the signature that they claim.
 *
 * @module
 */

import { createBLAKE2b } from "hash-wasm";
import { verifySignature } from "../keys/native.ts";
import type { Layout } from "./layout.ts";

const blake2b256 = await createBLAKE2b(256);

/** The signed bytes of one operation: allocating them for each would cost more than copying them. */
let scratch = new Uint8Array(4096);

/** The id of an operation from the bytes of its wire text before and after the member `op_id`. */
export function contentAddress(before: Uint8Array, after: Uint8Array): string {
  return "op_" + blake2b256.init().update(before).update(after).digest("hex");
}

/** The id that the bytes of a wire text should name. */
export function addressOf(wire: Uint8Array, { opIdAt, prevAt }: Layout): string {
  return contentAddress(wire.subarray(0, opIdAt), wire.subarray(prevAt));
}

/**
 * Checks content address, then signature: one hash, and one Ed25519 verification.
 *
 * @param wire The bytes of the wire text, whole and canonical.
 * @param layout Where its members are.
 * @param fields What the members hold.
 * @returns The check that fails first; undefined when none does.
 */
export function failedCheck(
  wire: Uint8Array,
  layout: Layout,
  { author, sig, opId }: { author: string; sig: string; opId: string },
): "content address" | "signature" | undefined {
  if (addressOf(wire, layout) !== opId) return "content address";
  return verifySignature(author.slice("mnk_".length), sig, signedBytes(wire, layout)) ? undefined : "signature";
}

/** The wire text without `op_id` and `sig`. */
function signedBytes(wire: Uint8Array, { opIdAt, prevAt, sigAt, tsAt }: Layout): Uint8Array {
  if (scratch.length < wire.length) scratch = new Uint8Array(2 * wire.length);
  const afterPrev = opIdAt + sigAt - prevAt;
  scratch.set(wire.subarray(0, opIdAt));
  scratch.set(wire.subarray(prevAt, sigAt), opIdAt);
  scratch.set(wire.subarray(tsAt), afterPrev);
  return scratch.subarray(0, afterPrev + wire.length - tsAt);
}
