/**
 * The handshake: each side proves that it holds the key it names, to this peer, now and in this role.
 *
 * Both send a `hello` with their public key and a random challenge, and then a `proof`, the Ed25519 signature of these
 * bytes:
 *
 * ```text
 * 0x00 ‖ "mnema-sync" ‖ 0x00 ‖ version ‖ role (0x01 initiator, 0x02 responder)
 *      ‖ public key of the initiator ‖ public key of the responder
 *      ‖ challenge of the initiator ‖ challenge of the responder
 * ```
 *
 * All fields but the name are of fixed length, so that different fields are different bytes. The fresh challenge of the
 * verifier keeps an old proof from being replayed; the role keeps a proof from being sent back to its maker; both keys
 * keep it from being shown to someone else. A peer may have the same key as this node: two nodes of one person.
 *
 * The first byte is what no other signature of a key begins with: an operation's signed bytes are JSON and begin with
 * `{`, and a note's text has no control characters but newlines. So a proof is never an operation or a checkpoint, and
 * signing the challenge of a stranger is safe.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { fromHex, toHex } from "../bytes.ts";
import { SyncError } from "../errors.ts";
import { authorOf, publicKeyHex } from "../keys/author.ts";
import { verifySignature } from "../keys/native.ts";
import type { Signer } from "../keys/signer.ts";
import type { Link } from "./link.ts";
import { badMessage } from "./fields.ts";
import { CHALLENGE_BYTES, NAME, VERSION } from "./messages.ts";

/** Which side of a session a node is. */
export type Role = "initiator" | "responder";

/** The public key and the challenge of one side. */
export interface Introduction {
  /** 32 bytes. */
  publicKey: Uint8Array;
  /** 32 random bytes. */
  challenge: Uint8Array;
}

const ROLE_BYTES: Readonly<Record<Role, number>> = { initiator: 1, responder: 2 };

/** The bytes that the proof of a role signs. */
export function proofBytes(role: Role, sides: Readonly<Record<Role, Introduction>>): Uint8Array<ArrayBuffer> {
  const { initiator, responder } = sides;
  return new Uint8Array([
    0,
    ...Buffer.from(NAME),
    0,
    VERSION,
    ROLE_BYTES[role],
    ...initiator.publicKey,
    ...responder.publicKey,
    ...initiator.challenge,
    ...responder.challenge,
  ]);
}

/**
 * Proves this node's key to the peer, and has the peer prove its own.
 *
 * @param link The link.
 * @param signer The signer of this node, whose signatures are valid.
 * @param role The role of this node.
 * @returns The author id of the peer.
 * @throws {SyncError} `not-allowed` when the proof is not valid; `bad-message`, `unsupported-version`, `idle`,
 * `unreachable`.
 */
export async function handshake(link: Link, signer: Signer, role: Role): Promise<string> {
  const own: Introduction = {
    publicKey: fromHex(publicKeyHex(signer.author)),
    challenge: crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES)),
  };
  await link.send({ kind: "hello", ...own });
  const peer = await link.expect("hello");
  // A mirror has the same challenge; what it could send back is a proof of the other role, but it is refused at once.
  if (toHex(peer.challenge) === toHex(own.challenge)) throw badMessage("it sent back the challenge of this node");
  const sides = role === "initiator" ? { initiator: own, responder: peer } : { initiator: peer, responder: own };
  await link.send({ kind: "proof", signature: signer.sign(proofBytes(role, sides)) });
  const { signature } = await link.expect("proof");
  const other: Role = role === "initiator" ? "responder" : "initiator";
  if (!verifySignature(toHex(peer.publicKey), toHex(signature), proofBytes(other, sides))) {
    const message = "the peer has not proved that it holds the key it names; nothing was exchanged";
    throw new SyncError("not-allowed", message, { refusedBy: "this node" });
  }
  return authorOf(toHex(peer.publicKey));
}
