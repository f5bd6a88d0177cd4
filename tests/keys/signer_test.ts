import { assert, assertEquals, assertThrows } from "@std/assert";
import { Identity, LogError, type LogErrorCode, Operation, OpLog, type Signer } from "../../mod.ts";
import { verifierKey, verifyCheckpoint } from "../../proof.ts";
import { alice, bob } from "../operations.ts";

const origin = "example.org/log";
const DRAFT = { type: "note", body: { text: "tea" } };

/** An identity's class as JavaScript sees it, where a constructor is never private. */
const Subclassable = Identity as unknown as new (seed: Uint8Array) => Identity;

class Lying extends Subclassable {
  override sign(message: Uint8Array): Uint8Array {
    return bob.sign(message);
  }
}

/** Authors in turn: another each time that it is asked for. */
function twoFaced(): Signer {
  let asked = 0;
  return {
    get author() {
      return asked++ % 2 === 0 ? alice.author : bob.author;
    },
    sign: (message) => bob.sign(message),
  };
}

/** A signer of Alice's name that returns something. */
function returning(returned: (signature: Uint8Array, message: Uint8Array) => unknown): Signer {
  const sign = (message: Uint8Array) => returned(alice.sign(message), message) as Uint8Array;
  return { author: alice.author, sign };
}

const byAnother = { sign: (message: Uint8Array) => bob.sign(message) };
const aliceByBob = Object.create(Identity.prototype, {
  author: { value: alice.author },
  sign: { value: byAnother.sign },
});

/** Invalid signers, with the error code of each. */
const REFUSED: [what: string, signer: () => unknown, code: LogErrorCode][] = [
  ["undefined", () => undefined, "invalid-argument"],
  ["null", () => null, "invalid-argument"],
  ["a text", () => alice.author, "invalid-argument"],
  ["a number", () => 5, "invalid-argument"],
  ["a function", () => () => alice, "invalid-argument"],
  ["an author who cannot sign", () => ({ author: alice.author }), "invalid-argument"],
  ["an empty object", () => ({}), "bad-key"],
  ["an author in upper case", () => ({ ...byAnother, author: alice.author.toUpperCase() }), "bad-key"],
  ["an author that is an object", () => ({ ...byAnother, author: { toString: () => bob.author } }), "bad-key"],
  ["an author with quotes behind", () => ({ ...byAnother, author: bob.author + '","x":"' }), "bad-key"],
  ["a signature by another key", () => ({ ...byAnother, author: alice.author }), "bad-signature"],
  ["an author that changes when it is read again", twoFaced, "bad-signature"],
  ["a subclass of Identity that signs otherwise", () => new Lying(new Uint8Array(32).fill(1)), "bad-signature"],
  ["an object with the prototype of Identity", () => aliceByBob, "bad-signature"],
  ["an object made from an identity", () => Object.create(alice, { sign: { value: byAnother.sign } }), "bad-signature"],
  ["a proxy of an identity", () =>
    new Proxy(alice, {
      get: (target, name) => name === "sign" ? byAnother.sign : Reflect.get(target, name),
    }), "bad-signature"],
  ["no signature", () => returning(() => undefined), "bad-signature"],
  ["a signature in hex", () => returning((signature) => signature.toHex()), "bad-signature"],
  ["a signature as a plain array", () => returning((signature) => [...signature]), "bad-signature"],
  ["a signature as a buffer", () => returning((signature) => signature.buffer), "bad-signature"],
  ["an empty signature", () => returning(() => new Uint8Array()), "bad-signature"],
  ["63 bytes", () => returning((signature) => signature.slice(1)), "bad-signature"],
  ["65 bytes", () => returning((signature) => new Uint8Array([...signature, 0])), "bad-signature"],
  [
    "a flipped bit",
    () => returning((signature) => signature.map((byte, i) => i === 9 ? byte ^ 1 : byte)),
    "bad-signature",
  ],
  ["zeros", () => returning(() => new Uint8Array(64)), "bad-signature"],
  ["a promise", () => returning((signature) => Promise.resolve(signature)), "bad-signature"],
  ["a promise that is rejected", () => returning(() => Promise.reject(new Error("no"))), "bad-signature"],
  [
    "the signature of a message that it changed",
    () => returning((_, message) => alice.sign(message.fill(0))),
    "bad-signature",
  ],
];

for (const [what, signer, code] of REFUSED) {
  Deno.test(`a bad signer is refused, and nothing is appended: ${what}`, () => {
    using log = OpLog.open();
    const first = log.record(bob, "note", {});
    const claim = { key: "drink", value: "tea" };
    const acts: ((signer: Signer) => unknown)[] = [
      (signer) => Operation.create(DRAFT, signer),
      (signer) => log.record(signer, DRAFT.type, DRAFT.body),
      (signer) => log.proofs.checkpoint(signer),
      (signer) => log.proofs.checkpoint(signer, { origin }),
      (signer) => log.claims.assert(signer, claim),
      (signer) => log.claims.refute(signer, "drink"),
      (signer) => log.claims.correct(signer, "drink", "coffee"),
    ];
    for (const act of acts) {
      const error = assertThrows(() => act(signer() as Signer), LogError);
      assertEquals(error.code, code, error.message);
    }
    assertEquals([log.size, log.heads(), log.proofs.checkpoints()], [1, [first.opId], []]);
  });
}

Deno.test("a custom signer can sign: its author is read once, its signature is copied", () => {
  const given = new Uint8Array(100);
  let asked = 0;
  const signer: Signer = {
    get author() {
      return asked++ === 0 ? alice.author : bob.author;
    },
    sign(message) {
      given.set(alice.sign(message), 20);
      return given.subarray(20, 84);
    },
  };
  using log = OpLog.open();
  const op = log.record(signer, "note", { text: "tea" });
  given.fill(0);
  const copy = Operation.parse(op.wire);
  copy.verify();
  assertEquals([copy.author, asked], [alice.author, 1]);
  asked = 0;
  const checkpoint = log.proofs.checkpoint(signer, { origin });
  given.fill(0);
  assertEquals(verifyCheckpoint(checkpoint, verifierKey(alice.author, origin)).size, 1);
  assertEquals(asked, 1);
});

Deno.test("a subclass of Identity signs with its overriding method", () => {
  let calls = 0;
  class Counting extends Subclassable {
    override sign(message: Uint8Array): Uint8Array {
      calls++;
      return super.sign(message);
    }
  }
  Operation.parse(Operation.create(DRAFT, new Counting(new Uint8Array(32).fill(1))).wire).verify();
  assertEquals(calls, 1);
});

Deno.test("an identity has the author of its key for any input of its constructor", () => {
  class Shifting extends Uint8Array {
    override *[Symbol.iterator](): ArrayIterator<number> {
      for (let i = 0; i < this.length; i++) yield 2;
    }
  }
  for (const identity of [Identity.fromSeed(new Shifting(32)), new Subclassable(new Shifting(32))]) {
    assertEquals(identity.author, Identity.fromSeed(new Uint8Array(32)).author);
    Operation.parse(Operation.create(DRAFT, identity).wire).verify();
  }
});

Deno.test("a signer cannot change the draft while it signs", () => {
  const prev = ["op_" + "0".repeat(64)];
  const body: Record<string, unknown> = { text: "tea" };
  const op = Operation.create({ type: "note", prev, body }, {
    author: alice.author,
    sign(message) {
      prev.push("op_" + "1".repeat(64));
      body.text = "coffee";
      return alice.sign(message);
    },
  });
  assertEquals(Operation.parse(op.wire).toWire(), op.toWire());
  assertEquals([op.prev.length, op.body.text], [1, "tea"]);
});

Deno.test("an object like an operation is refused, and the constructor makes no verified ones", () => {
  using log = OpLog.open();
  const op = Operation.create(DRAFT, alice);
  const forged = { ...op.toWire(), opId: op.opId, wire: op.wire.replace("tea", "tee") };
  const likes = [
    forged,
    Object.assign(Object.create(Operation.prototype), forged),
    Object.create(op),
    new Proxy(op, {}),
  ];
  for (const like of likes) {
    for (const options of [{}, { verify: false }]) {
      for (const append of [() => log.append(like, options), () => log.appendAll([like], options)]) {
        assertEquals(assertThrows(append, LogError).code, "invalid-argument");
      }
    }
  }
  const Constructor = Operation as unknown as new (fields: unknown, wire: string, state: unknown) => Operation;
  for (const state of ["verified", "parsed", "stored", Symbol("verified"), undefined]) {
    assertEquals(
      assertThrows(() => new Constructor(op.toWire(), forged.wire, state), LogError).code,
      "invalid-argument",
    );
  }
  assert(log.size === 0);
});
