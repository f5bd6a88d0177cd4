import { assert, assertEquals } from "@std/assert";
import { Point } from "@noble/ed25519";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { Identity } from "../../mod.ts";
import { verifySignature } from "../../src/keys/portable.ts";
import { verifySignature as verifyNatively } from "../../src/keys/native.ts";
import { bitFlips } from "../tlog/reference.ts";
import { runs } from "../runs.ts";

const { n: L, p: P } = Point.CURVE();
const message = new TextEncoder().encode("mnema");
const torsion = Point.fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
const identity = Identity.fromSeed(new Uint8Array(32).fill(1));
const publicKey = identity.author.slice(4);
const [R, S] = [identity.sign(message).toHex().slice(0, 64), identity.sign(message).toHex().slice(64)];
const secret = clamped(sha512(new Uint8Array(32).fill(1)).slice(0, 32));

/** Both the native check and the one for browsers must give this verdict. */
function assertVerdict(verdict: boolean, key: string, signature: string, text: Uint8Array = message): void {
  const what = `key ${key}, signature ${signature}`;
  assertEquals(verifyNatively(key, signature, text), verdict, what);
  assertEquals(verifySignature(Uint8Array.fromHex(key), Uint8Array.fromHex(signature), text), verdict, what);
}

Deno.test("a vector of RFC 8032, section 7.1, verifies", () => {
  assertVerdict(
    true,
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
      "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    Uint8Array.fromHex("af82"),
  );
});

Deno.test("the result is that of native code for arbitrary seeds and messages", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.boolean(),
      (seed, text, isGenuine) => {
        const author = Identity.fromSeed(seed);
        const signature = author.sign(isGenuine ? text : new Uint8Array([...text, 0])).toHex();
        assertVerdict(isGenuine, author.author.slice(4), signature, text);
      },
    ),
    { numRuns: runs(50) },
  );
});

Deno.test("every flipped bit, of key, signature or message, is refused", () => {
  const all = new Uint8Array([...Uint8Array.fromHex(publicKey + R + S), ...message]);
  for (const bytes of bitFlips(all)) {
    assertVerdict(false, bytes.slice(0, 32).toHex(), bytes.slice(32, 96).toHex(), bytes.slice(96));
  }
});

Deno.test("keys and signatures of other lengths are refused", () => {
  const [key, signature] = [Uint8Array.fromHex(publicKey), Uint8Array.fromHex(R + S)];
  assert(verifySignature(key, signature, message));
  assert(!verifySignature(key.slice(1), signature, message));
  assert(!verifySignature(key, signature.slice(1), message));
  assert(!verifySignature(key, new Uint8Array([...signature, 0]), message));
});

Deno.test("S plus the group order is refused", () => {
  assertVerdict(true, publicKey, R + S);
  assertVerdict(false, publicKey, R + scalar(integer(Uint8Array.fromHex(S)) + L));
  assertVerdict(false, publicKey, R + scalar(L));
});

Deno.test("keys and R of small order, or with y at or above p, are refused", () => {
  const ys = Array.from({ length: 8 }, (_, i) => torsion.multiplyUnsafe(BigInt(i)).toAffine().y);
  const small = [...new Set(ys)].flatMap((y) => y + P < 2n ** 255n ? [y, y + P] : [y]);
  const large = Array.from({ length: 19 }, (_, i) => P + BigInt(i));
  for (const y of [...small, ...large]) {
    for (const encoding of [scalar(y), scalar(y + 2n ** 255n)]) {
      assertVerdict(false, encoding, R + S);
      assertVerdict(false, encoding, encoding + scalar(0n));
      // With R = 0 and S = k·a, [S]B = R + [k]A holds.
      assertVerdict(false, publicKey, encoding + scalar(challenge(encoding) * secret % L));
    }
  }
});

Deno.test("the neutral element, for which anyone can sign anything, is refused as a key", () => {
  // [k]A = 0, so R = [S]B holds for every S.
  for (const neutral of [scalar(1n), scalar(1n + 2n ** 255n)]) {
    assertVerdict(false, neutral, Point.BASE.multiply(5n).toHex() + scalar(5n));
  }
});

Deno.test("32 bytes that are not a point of the curve are refused", () => {
  assertVerdict(false, scalar(2n), R + S);
  assertVerdict(false, publicKey, scalar(2n) + S);
});

Deno.test("a signature that is valid only with the cofactor is refused", () => {
  const nonce = 12345n;
  const mixed = Point.BASE.multiply(nonce).add(torsion).toHex();
  assertVerdict(false, publicKey, mixed + scalar((nonce + challenge(mixed) * secret) % L));
  const plain = Point.BASE.multiply(nonce).toHex();
  assertVerdict(true, publicKey, plain + scalar((nonce + challenge(plain) * secret) % L));
});

function challenge(commitment: string): bigint {
  return integer(sha512(Uint8Array.fromHex(commitment + publicKey + message.toHex()))) % L;
}

function clamped(bytes: Uint8Array): bigint {
  bytes[0] &= 248;
  bytes[31] = (bytes[31] & 127) | 64;
  return integer(bytes);
}

function sha512(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha512").update(bytes).digest());
}

/** 32 little-endian bytes in hex. */
function scalar(value: bigint): string {
  return Uint8Array.fromHex(value.toString(16).padStart(64, "0")).reverse().toHex();
}

function integer(littleEndian: Uint8Array): bigint {
  return BigInt("0x" + littleEndian.toReversed().toHex());
}
