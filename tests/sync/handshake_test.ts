import { assertEquals, assertNotEquals } from "@std/assert";
import { Operation, OpLog } from "../../mod.ts";
import { channelPair, runSession } from "../../sync.ts";
import { proofBytes } from "../../src/sync/handshake.ts";
import { verifySignature } from "../../src/keys/native.ts";
import { publicKeyOf } from "../../src/tlog/note.ts";
import { alice, bob, carol } from "../operations.ts";
import { assertRefuses, playAgainst, PlayedPeer } from "./peer.ts";

const side = (n: number) => ({ publicKey: new Uint8Array(32).fill(n), challenge: new Uint8Array(32).fill(n + 1) });

Deno.test("the bytes of a proof differ with role, keys and challenges, and are as documented", () => {
  const sides = { initiator: side(1), responder: side(3) };
  const bytes = proofBytes("initiator", sides);
  assertEquals(
    bytes.toHex(),
    `00${"6d6e656d612d73796e63"}000101${"01".repeat(32)}${"03".repeat(32)}${"02".repeat(32)}${"04".repeat(32)}`,
  );
  assertNotEquals(bytes, proofBytes("responder", sides));
  assertNotEquals(bytes, proofBytes("initiator", { initiator: sides.responder, responder: sides.initiator }));
});

Deno.test("a proof is not the signature of an operation or a note: no other begins with a zero byte", () => {
  const proof = proofBytes("initiator", { initiator: side(1), responder: side(3) });
  const signed: Uint8Array[] = [];
  const author = alice.author;
  const signer = { author, sign: (message: Uint8Array) => (signed.push(message), alice.sign(message)) };
  Operation.create({ type: "note", body: {} }, signer);
  using log = OpLog.open();
  log.proofs.checkpoint(signer);
  assertEquals(signed.length, 2);
  for (const message of signed) assertNotEquals(message[0], proof[0]);
});

for (const role of ["initiator", "responder"] as const) {
  Deno.test(`${role}: a peer without the key that it names is refused`, async () => {
    using log = OpLog.open();
    const played = playAgainst(log, role);
    const { peer } = played;
    await peer.introduce({ publicKey: publicKeyOf(carol.author) });
    await peer.send({ kind: "proof", signature: bob.sign(proofBytes(peer.role, peer.sides!)) });
    await assertRefuses(played, "not-allowed");
  });

  Deno.test(`${role}: a proof from an earlier session is refused`, async () => {
    using log = OpLog.open();
    const first = playAgainst(log, role);
    const { peer } = first;
    await peer.introduce();
    const signature = bob.sign(proofBytes(peer.role, peer.sides!));
    await peer.send({ kind: "proof", signature });
    await peer.channel.close();
    await first.session.catch(() => {});
    const second = playAgainst(log, role);
    await second.peer.introduce({ challenge: peer.sides![peer.role].challenge });
    await second.peer.send({ kind: "proof", signature });
    await assertRefuses(second, "not-allowed");
  });

  Deno.test(`${role}: a mirror is refused`, async () => {
    using log = OpLog.open();
    const played = playAgainst(log, role);
    const hello = await played.peer.until("hello");
    await played.peer.send(hello);
    await assertRefuses(played, "bad-message");
  });

  Deno.test(`${role}: its own proof, sent back under its own key, is refused`, async () => {
    using log = OpLog.open();
    const played = playAgainst(log, role);
    await played.peer.introduce({ publicKey: publicKeyOf(alice.author) });
    const { signature } = await played.peer.until("proof");
    await played.peer.send({ kind: "proof", signature });
    await assertRefuses(played, "not-allowed");
  });

  Deno.test(`${role}: a key of small order, for which any signature could be valid, is refused`, async () => {
    using log = OpLog.open();
    const played = playAgainst(log, role);
    await played.peer.introduce({ publicKey: Uint8Array.of(1, ...new Uint8Array(31)) });
    await played.peer.send({ kind: "proof", signature: Uint8Array.of(1, ...new Uint8Array(63)) });
    await assertRefuses(played, "not-allowed");
  });

  Deno.test(`${role}: another version of the protocol is refused`, async () => {
    using log = OpLog.open();
    const played = playAgainst(log, role);
    await played.peer.sendBytes([1, ...new TextEncoder().encode("mnema-sync"), 9]);
    await assertRefuses(played, "unsupported-version");
  });
}

Deno.test("a signer that signs something else ends the session before anything is proved", async () => {
  using log = OpLog.open();
  const [here, there] = channelPair();
  const peer = new PlayedPeer(there, "responder");
  const signer = { author: alice.author, sign: () => bob.sign(new Uint8Array()) };
  const session = runSession(log, here, { signer, role: "initiator" });
  const error = session.then(() => undefined, (error) => error);
  await peer.introduce();
  assertEquals(await peer.untilRefused(), "busy");
  assertEquals((await error).code, "bad-signature");
});

Deno.test("the proof of a session is valid under the strict rules of operations", async () => {
  using log = OpLog.open();
  const { peer } = playAgainst(log, "initiator");
  await peer.introduce();
  const { signature } = await peer.until("proof");
  const hex = (bytes: Uint8Array) => bytes.toHex();
  const { publicKey } = peer.sides!.initiator;
  assertEquals(verifySignature(hex(publicKey), hex(signature), proofBytes("initiator", peer.sides!)), true);
  await peer.channel.close();
});
