import { assert, assertEquals, assertFalse } from "@std/assert";
import { hashes, Point, verify as nobleVerify } from "@noble/ed25519";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { Identity } from "../../mod.ts";
import { verifySignature as verifyPortably } from "../../src/keys/portable.ts";
import { verifySignature } from "../../src/keys/native.ts";
import { runs } from "../runs.ts";

// noble works synchronously only when it is given a SHA-512.
hashes.sha512 = (bytes: Uint8Array) => new Uint8Array(createHash("sha512").update(bytes).digest());

const L = Point.CURVE().n;
const P = Point.CURVE().p;
const message = new TextEncoder().encode("mnema");

/** The test vectors of RFC 8032, section 7.1: seed, public key, message, signature. */
const RFC_8032: [string, string, string, string, string][] = [
  [
    "TEST 1",
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "TEST 2",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "TEST 3",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
  [
    "TEST SHA(abc)",
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  ],
];

for (const [name, seed, publicKey, text, signature] of RFC_8032) {
  Deno.test(`RFC 8032 ${name}: the seed gives the key and the signature, and both verify`, () => {
    const identity = Identity.fromSeed(Uint8Array.fromHex(seed));
    assertEquals(identity.author, "mnk_" + publicKey);
    assertEquals(identity.sign(Uint8Array.fromHex(text)).toHex(), signature);
    assertVerdict(true, publicKey, signature, Uint8Array.fromHex(text));
  });
}

Deno.test("a signature with S plus the group order is refused", () => {
  const { publicKey, R, S } = signed();
  assertVerdict(true, publicKey, R + scalar(S));
  assertVerdict(false, publicKey, R + scalar(S + L));
  assertVerdict(false, publicKey, R + scalar(L));
});

/** The encodings of the eight points of small order, and every other way to write them in 255 bits and a sign. */
function smallOrderEncodings(): string[] {
  const torsion = Point.fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
  const ys = Array.from({ length: 8 }, (_, i) => i === 0 ? Point.ZERO : torsion.multiplyUnsafe(BigInt(i)))
    .map((point) => point.toAffine().y);
  const encodings = [...new Set(ys)].flatMap((y) => y + P < 2n ** 255n ? [y, y + P] : [y]);
  return encodings.flatMap((y) => [scalar(y), scalar(y + 2n ** 255n)]);
}

Deno.test("a public key of small order, for which anyone can sign, is refused in every encoding", () => {
  const encodings = smallOrderEncodings();
  assertEquals(encodings.length, 14);
  for (const publicKey of encodings) {
    for (const R of encodings) assertVerdict(false, publicKey, R + scalar(0n));
  }
});

Deno.test("an R of small order is refused in every encoding", () => {
  // With R = 0 and S = k·a, [S]B = R + [k]A holds: RFC 8032 and noble accept it, the wire format does not.
  const { secret, publicKey } = signed();
  for (const R of smallOrderEncodings()) {
    const k = challenge(R, publicKey);
    assertFalse(verifySignature(publicKey, R + scalar(k * secret % L), message), R);
  }
});

Deno.test("a y at or above p is refused as key and as R", () => {
  const { publicKey, R, S } = signed();
  for (let y = P; y < 2n ** 255n; y++) {
    for (const sign of [0n, 2n ** 255n]) {
      assertVerdict(false, scalar(y + sign), R + scalar(S));
      assertVerdict(false, publicKey, scalar(y + sign) + scalar(S));
    }
  }
});

Deno.test("32 bytes that are not a point of the curve are refused", () => {
  const { publicKey, R, S } = signed();
  assertVerdict(false, scalar(2n), R + scalar(S));
  assertVerdict(false, publicKey, scalar(2n) + scalar(S));
});

Deno.test("a signature that is valid only with the cofactor is refused, as OpenSSL does", () => {
  // R has a component of order 8: [S]B differs from R + [k]A by it, and multiplying by 8 makes it vanish.
  const { secret, publicKey } = signed();
  const nonce = 12345n;
  const torsion = Point.fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
  const R = Point.BASE.multiply(nonce).add(torsion).toHex();
  const S = (nonce + challenge(R, publicKey) * secret) % L;
  assertFalse(verifySignature(publicKey, R + scalar(S), message));
});

Deno.test("one flipped bit, in key, signature or message, is refused", () => {
  const identity = Identity.fromSeed(new Uint8Array(32).fill(3));
  const key = Uint8Array.fromHex(identity.author.slice(4));
  const signature = identity.sign(message);
  fc.assert(fc.property(fc.nat((32 + 64 + message.length) * 8 - 1), (bit) => {
    const bytes = new Uint8Array([...key, ...signature, ...message]);
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assertVerdict(false, bytes.slice(0, 32).toHex(), bytes.slice(32, 96).toHex(), bytes.slice(96));
  }));
});

Deno.test("noble gives the same result for arbitrary seeds and messages", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.boolean(),
      (seed, text, genuine) => {
        const identity = Identity.fromSeed(seed);
        const signature = identity.sign(genuine ? text : new Uint8Array([...text, 0]));
        assertVerdict(genuine, identity.author.slice(4), signature.toHex(), text);
      },
    ),
    { numRuns: runs(50) },
  );
});

/** Both the native check and noble's must give this verdict. */
function assertVerdict(verdict: boolean, publicKey: string, signature: string, text: Uint8Array = message): void {
  const what = `key ${publicKey}, signature ${signature}`;
  assert(verifySignature(publicKey, signature, text) === verdict, what);
  let noble: boolean;
  try {
    noble = nobleVerify(Uint8Array.fromHex(signature), text, Uint8Array.fromHex(publicKey), { zip215: false });
  } catch {
    noble = false;
  }
  assert(noble === verdict, `noble: ${what}`);
}

function signed(): { secret: bigint; publicKey: string; R: string; S: bigint } {
  const seed = new Uint8Array(32).fill(1);
  const identity = Identity.fromSeed(seed);
  const signature = identity.sign(message).toHex();
  const digest = sha512(seed).slice(0, 32);
  digest[0] &= 248;
  digest[31] = digest[31] & 127 | 64;
  return {
    secret: integer(digest) % L,
    publicKey: identity.author.slice(4),
    R: signature.slice(0, 64),
    S: integer(Uint8Array.fromHex(signature.slice(64))),
  };
}

function challenge(R: string, publicKey: string): bigint {
  return integer(sha512(Uint8Array.fromHex(R + publicKey + message.toHex()))) % L;
}

function sha512(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha512").update(bytes).digest());
}

/** 32 little-endian bytes in hex. */
function scalar(value: bigint): string {
  return Uint8Array.fromHex(value.toString(16).padStart(64, "0")).reverse().toHex();
}

function integer(littleEndian: Uint8Array): bigint {
  return BigInt("0x" + littleEndian.slice().reverse().toHex());
}

Deno.test("a key or a signature of another length, or that is not lower-case hex, is refused", () => {
  const identity = Identity.fromSeed(new Uint8Array(32).fill(7));
  const publicKey = identity.author.slice(4);
  const signature = identity.sign(message).toHex();
  assert(verifySignature(publicKey, signature, message));
  const others = (text: string) => [
    "",
    text.slice(1),
    text.slice(2),
    text.slice(0, -1),
    text.slice(0, -2),
    text + "0",
    text + "00",
    text + text,
    "00" + text,
    text.toUpperCase(),
    text.slice(0, -1) + "g",
    text.slice(0, -2) + "  ",
    text + "\n",
    "0x" + text.slice(2),
    "é" + text.slice(1),
  ];
  for (const other of others(signature)) assertFalse(verifySignature(publicKey, other, message), other);
  for (const other of others(publicKey)) assertFalse(verifySignature(other, signature, message), other);
  const [keyBytes, signatureBytes] = [publicKey, signature].map((hex) => Uint8Array.fromHex(hex));
  assert(verifyPortably(keyBytes, signatureBytes, message));
  for (const length of [0, 31, 33, 63, 65, 96, 128]) {
    const cut = (bytes: Uint8Array) => Uint8Array.from({ length }, (_, i) => bytes[i] ?? 0);
    assertFalse(verifyPortably(keyBytes, cut(signatureBytes), message), `a signature of ${length} bytes`);
    assertFalse(verifyPortably(cut(keyBytes), signatureBytes, message), `a key of ${length} bytes`);
  }
});
