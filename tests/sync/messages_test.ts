import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LogError } from "../../mod.ts";
import {
  decodeMessage,
  encodeMessage,
  encodeOperations,
  type Message,
  REFUSAL_CODES,
  SESSION_CODES,
} from "../../src/sync/messages.ts";

const count = fc.maxSafeNat();
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((it) => new Uint8Array(it));
const anyBytes = fc.uint8Array().map((it) => new Uint8Array(it));
const outcomes = fc.record({
  new: count,
  known: count,
  pending: count,
  refusals: fc.subarray([...REFUSAL_CODES]).map((codes) => Object.fromEntries(codes.map((code, i) => [code, i + 1]))),
});
const terms = fc.record({
  pull: fc.boolean(),
  push: fc.boolean(),
  follow: fc.boolean(),
  dryRun: fc.boolean(),
  operations: count,
  maxMessageBytes: count,
  bytesInFlight: count,
  operationsInFlight: count,
  differences: count,
  idleMs: count,
});
const ids = fc.integer({ min: 1, max: 5 }).chain((n) => bytes(32 * n));

const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ kind: fc.constant("refuse" as const), code: fc.constantFrom(...SESSION_CODES) }),
  fc.record({ kind: fc.constant("hello" as const), publicKey: bytes(32), challenge: bytes(32) }),
  fc.record({ kind: fc.constant("proof" as const), signature: bytes(64) }),
  fc.record({ kind: fc.constant("request" as const), terms }),
  fc.record({ kind: fc.constant("accept" as const), terms }),
  fc.record({ kind: fc.constant("ranges" as const), message: anyBytes }),
  fc.record({
    kind: fc.constant("plan" as const),
    plan: fc.oneof(
      fc.record({ byIds: fc.constant(true), missingAtInitiator: count, missingAtResponder: count }),
      fc.constant({ byIds: false, missingAtInitiator: 0, missingAtResponder: 0 }),
    ),
  }),
  fc.record({ kind: fc.constant("wants" as const), ids }),
  fc.record({ kind: fc.constant("operations" as const), lines: anyBytes }),
  fc.record({ kind: fc.constant("outcomes" as const), operations: count, bytes: count, outcomes }),
  fc.record({ kind: fc.constant("caught-up" as const), operations: count }),
  fc.record({ kind: fc.constant("end" as const), operations: count }),
  fc.record({ kind: fc.constant("totals" as const), outcomes }),
  fc.record({ kind: fc.constant("alive" as const) }),
);

Deno.test("every message is decoded to what was encoded", () => {
  fc.assert(fc.property(messages, (message) => {
    assertEquals(decodeMessage(encodeMessage(message)), message);
  }));
});

Deno.test("a message that is cut short or continued is refused, or is another message of its kind", () => {
  fc.assert(fc.property(messages, fc.nat(), anyBytes, (message, cut, more) => {
    const whole = encodeMessage(message);
    for (const changed of [whole.slice(0, cut % whole.length), Uint8Array.from([...whole, ...more])]) {
      assertDecodesStrictly(changed);
    }
  }));
});

Deno.test("any bytes are refused, or are what they are decoded to", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assertDecodesStrictly(new Uint8Array(bytes))));
  fc.assert(fc.property(messages, fc.nat(), fc.nat(255), (message, at, byte) => {
    const bytes = encodeMessage(message);
    bytes[at % bytes.length] = byte;
    assertDecodesStrictly(bytes);
  }));
});

Deno.test("the messages of fixed length have that length", () => {
  const challenge = new Uint8Array(32);
  assertEquals(encodeMessage({ kind: "hello", publicKey: challenge, challenge }).length, 1 + 10 + 1 + 32 + 32);
  assertEquals(encodeMessage({ kind: "alive" }), Uint8Array.of(13));
  assertEquals(encodeMessage({ kind: "refuse", code: "idle" }), Uint8Array.of(0, 6));
  assertEquals(encodeMessage({ kind: "end", operations: 258 }), Uint8Array.of(11, 0, 0, 0, 0, 0, 0, 1, 2));
});

Deno.test("operations are encoded as their texts, a newline after each", () => {
  const message = encodeOperations(["é", "b"], 5);
  assertEquals(message, Uint8Array.of(8, 0xc3, 0xa9, 0x0a, 0x62, 0x0a));
});

Deno.test("a hello of another version is refused as such, whatever follows its version", () => {
  const hello = encodeMessage({ kind: "hello", publicKey: new Uint8Array(32), challenge: new Uint8Array(32) });
  hello[11] = 2;
  assertEquals(codeOf(hello), "unsupported-version");
  assertEquals(codeOf(hello.slice(0, 12)), "unsupported-version");
  hello[5] ^= 1;
  assertEquals(codeOf(hello), "bad-message");
});

function codeOf(bytes: Uint8Array<ArrayBuffer>): string {
  return assertThrows(() => decodeMessage(bytes), LogError).code;
}

/** One encoding for each message: what is decoded is encoded to the same bytes. */
function assertDecodesStrictly(bytes: Uint8Array<ArrayBuffer>): void {
  let message: Message;
  try {
    message = decodeMessage(bytes);
  } catch (error) {
    if (error instanceof LogError && (error.code === "bad-message" || error.code === "unsupported-version")) return;
    throw error;
  }
  assertEquals(encodeMessage(message), bytes);
}
