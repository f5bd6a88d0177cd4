import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SyncError } from "../../../src/errors.ts";
import { encodeVarint } from "../../../src/sync/negentropy/message.ts";
import { initiate, reconcile, respond } from "../../../src/sync/negentropy/negentropy.ts";
import type { Bound, RecordStorage, TimedId } from "../../../src/sync/negentropy/storage.ts";
import { runs } from "../../runs.ts";
import { recordsWithout, storageOf } from "./records.ts";

const storage = storageOf(recordsWithout(1000, 10));
const id = (byte: number) => new Array<number>(32).fill(byte);
const HUGE = [0x8f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];

/** Malformed messages; each begins with a version unless it is about that. */
const MALFORMED: [what: string, message: number[]][] = [
  ["no byte", []],
  ["a first byte that is no version", [0x00, 0, 0, 0]],
  ["a text", [...new TextEncoder().encode("PING")]],
  ["half a bound", [0x61, 1]],
  ["a bound without a mode", [0x61, 1, 0]],
  ["a number without an end", [0x61, 0x81]],
  ["a number with a leading zero", [0x61, 0x80, 1, 0, 0]],
  ["a number of 64 bits and more", [0x61, ...HUGE, 0, 0]],
  ["a number of very many digits", [0x61, ...new Array(10_000).fill(0xff)]],
  ["a prefix that is cut", [0x61, 1, 3, 7, 7]],
  ["a prefix that is longer than an id", [0x61, 1, 33, ...id(1), 1, 0]],
  ["a prefix of a huge length", [0x61, 1, ...HUGE, 0]],
  ["a prefix at the end", [0x61, 0, 1, 7, 0]],
  ["a time after every time", [0x61, 0x8f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 3, 0, 0]],
  ["an unknown mode", [0x61, 0, 0, 3]],
  ["a huge mode", [0x61, 0, 0, ...HUGE]],
  ["a fingerprint that is cut", [0x61, 0, 0, 1, ...id(1).slice(17)]],
  ["a list without a count", [0x61, 0, 0, 2]],
  ["a count that is larger than the message", [0x61, 0, 0, 2, 3, ...id(1), ...id(2)]],
  ["a huge count", [0x61, 0, 0, 2, ...HUGE, ...id(1)]],
  ["a count whose bytes exceed 2^53", [0x61, 0, 0, 2, 0x8f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ["bytes after the last range", [0x61, 0, 0, 0, 7]],
  ["a bound after the end", [0x61, 0, 0, 0, 5, 0, 0]],
  ["descending prefixes in one second", [0x61, 9, 2, 7, 7, 0, 1, 2, 7, 6, 0]],
  ["a prefix that shrinks", [0x61, 9, 2, 7, 7, 0, 1, 1, 7, 0]],
  ["an id below its range", [0x61, 9, 1, 7, 0, 1, 1, 9, 2, 1, ...id(6)]],
  ["an id above its range", [0x61, 9, 1, 7, 0, 1, 1, 9, 2, 1, ...id(9)]],
  ["an id in an empty range", [0x61, 0, 0, 0, 0, 0, 2, 1, ...id(1)]],
];

for (const [what, bytes] of MALFORMED) {
  Deno.test(`${what} is a bad message for both sides`, () => {
    for (const handle of [reconcile, respond]) {
      const error = assertThrows(() => handle(storage, Uint8Array.from(bytes)), SyncError);
      assertEquals([error.code, error.refusedBy], ["bad-message", "this node"]);
    }
  });
}

Deno.test("every message that is cut is refused or a shorter message", () => {
  const other = storageOf(recordsWithout(1000, 10, [5, 500]));
  const message = respond(other, initiate(storage));
  for (let length = 0; length < message.length; length++) {
    try {
      reconcile(storage, message.subarray(0, length));
    } catch (error) {
      assert(error instanceof SyncError && error.code === "bad-message", `${error}`);
    }
  }
});

Deno.test("another version is answered with the version that is spoken, and refused by the initiator", () => {
  for (const version of [0x60, 0x62, 0x6f]) {
    const message = Uint8Array.of(version, 1, 2, 3);
    assertEquals(respond(storage, message), Uint8Array.of(0x61));
    assertEquals(assertThrows(() => reconcile(storage, message), SyncError).code, "unsupported-version");
  }
});

Deno.test("an empty range is no error", () => {
  const twice = Uint8Array.of(0x61, 9, 1, 7, 0, 1, 1, 7, 2, 0);
  assertEquals(reconcile(storage, twice), { reply: undefined, have: [], need: [] });
  const afterTheEnd = Uint8Array.of(0x61, 0, 0, 0, 0, 0, 2, 0);
  assertEquals(reconcile(storage, afterTheEnd), { reply: undefined, have: [], need: [] });
});

Deno.test("a message of random bytes is answered within the limits, or is a bad message", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom([1, 0, 0], [1, 0, 2, 0], [2, 1, 200, 1, ...id(3)], [0, 0, 2, 1, ...id(8)], [0, 0, 1, ...id(5)])
      .map((bytes) => Uint8Array.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const message = Uint8Array.from([0x61, ...pieces.flatMap((bytes) => [...bytes])]);
      for (const handle of [reconcile, respond]) {
        try {
          const result = handle(storage, message, { frameLimit: 4096 });
          const reply = result instanceof Uint8Array ? result : result.reply;
          assert((reply?.length ?? 0) <= 4096);
        } catch (error) {
          assert(error instanceof SyncError && error.code === "bad-message", `${error}`);
        }
      }
    }),
    { numRuns: runs(500) },
  );
});

/** Counts what a message costs. */
class Counting implements RecordStorage {
  readonly size = storage.size;
  searches = 0;
  records = 0;

  at(index: number): TimedId {
    this.records++;
    return storage.at(index);
  }

  lowerBound(bound: Bound, from?: number): number {
    this.searches++;
    return storage.lowerBound(bound, from);
  }

  *range(begin: number, end: number): Generator<TimedId> {
    for (const record of storage.range(begin, end)) {
      this.records++;
      yield record;
    }
  }

  sum(begin: number, end: number): Uint8Array {
    this.searches++;
    return storage.sum(begin, end);
  }
}

Deno.test("a message of many ranges is refused before anything is searched", () => {
  const counting = new Counting();
  const ranges = new Array(16_385).fill([1, 0, 2, 0]).flat();
  const error = assertThrows(() => respond(counting, Uint8Array.of(0x61, ...ranges)), SyncError);
  assertEquals([error.code, counting.searches], ["bad-message", 0]);
  assertThrows(() => reconcile(counting, Uint8Array.of(0x61, 1, 0, 0, 1, 0, 0), { maxRanges: 1 }), SyncError);
});

Deno.test("ranges that are skipped cost no search", () => {
  const counting = new Counting();
  respond(counting, Uint8Array.of(0x61, ...new Array(10_000).fill([2, 0, 0]).flat()));
  assertEquals([counting.searches, counting.records], [0, 0]);
});

Deno.test("a demand for everything reads no more than an answer holds", () => {
  const counting = new Counting();
  const answer = respond(counting, Uint8Array.of(0x61, 0, 0, 2, 0), { frameLimit: 4096 });
  assert(answer.length <= 4096);
  assert(counting.records <= 4096 / 32 + 1);
});

Deno.test("an answer that is full ends the work on its message", () => {
  const counting = new Counting();
  const wrong = [...encodeVarint(100_000), 0, 1, ...id(1).slice(16)];
  const first = [...encodeVarint(1_700_000_000), 0, 0];
  const many = new Array(1000).fill([2, 0, 1, ...id(1).slice(16)]).flat();
  const message = Uint8Array.from([0x61, ...first, ...many, ...wrong]);
  assert(respond(counting, message, { frameLimit: 4096 }).length <= 4096);
  assert(counting.searches < 1000);
});

Deno.test("what is found holds no view of the message", () => {
  const message = Uint8Array.from([0x61, 0, 0, 2, 1, ...id(5)]);
  const { need } = reconcile(storageOf([]), message);
  message.fill(0);
  assertEquals(need, [Uint8Array.from(id(5))]);
});
