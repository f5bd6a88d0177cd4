import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { fromHex, toHex } from "../../../src/bytes.ts";
import { LogError } from "../../../src/errors.ts";
import { initiate, reconcile, respond } from "../../../src/sync/negentropy/negentropy.ts";
import { runs } from "../../runs.ts";
import { readVectors } from "../../vectors.ts";
import { arbitrarySets, difference, exchange, naiveExchange, recordAt, recordsWithout, storageOf } from "./records.ts";
import { fingerprint } from "./naive.ts";
import { CASES, expectedOf, type Vector } from "./vectors.ts";

Deno.test("every reconciliation of the vectors has their messages, byte for byte, and finds what they say", () => {
  const vectors = readVectors<Vector[]>("negentropy.json");
  assertEquals(vectors.length, CASES.length);
  for (const { name, count, perSecond, hereLacks, thereLacks, frameLimit, messages, have, need } of vectors) {
    const here = storageOf(recordsWithout(count, perSecond, hereLacks));
    const there = storageOf(recordsWithout(count, perSecond, thereLacks));
    const found = exchange(here, there, { frameLimit });
    assertEquals({ ...found, messages: found.messages.map(toHex) }, { messages, have, need }, name);
  }
});

Deno.test("the vectors are those that the naive implementation makes", () => {
  assertEquals(readVectors<Vector[]>("negentropy.json"), CASES.map(expectedOf));
});

Deno.test("two sides find exactly what each lacks, whatever the frame limit", () => {
  const limits = fc.constantFrom(4096, 5000, 10_000, 2 ** 17, Infinity);
  fc.assert(
    fc.property(arbitrarySets(3000), limits, ({ here, there }, frameLimit) => {
      const { messages, have, need } = exchange(storageOf(here), storageOf(there), { frameLimit });
      assertEquals(have, difference(here, there));
      assertEquals(need, difference(there, here));
      for (const message of messages) assert(message.length <= frameLimit);
    }),
    { numRuns: runs(40) },
  );
});

Deno.test("messages are equal to those of the naive implementation", () => {
  fc.assert(
    fc.property(arbitrarySets(400), fc.constantFrom(4096, 6000, Infinity), ({ here, there }, frameLimit) => {
      assertEquals(exchange(storageOf(here), storageOf(there), { frameLimit }), naiveExchange(here, there, frameLimit));
    }),
    { numRuns: runs(30) },
  );
});

Deno.test("a fingerprint of the rest covers the range that did not fit, also where the responder lacks all of that range", () => {
  // With the fingerprint of what comes after that range, both sides would take the rest for equal.
  const all = recordsWithout(6000, 1);
  for (let missing = 4000; missing < 4600; missing += 97) {
    const here = all.slice(0, 5000);
    const there = all.filter((_, n) => n % 50 !== 0 && (n < missing || n >= missing + 40));
    const found = exchange(storageOf(here), storageOf(there), { frameLimit: 4096 });
    assertEquals(found.have, difference(here, there));
    assertEquals(found.need, difference(there, here));
  }
});

Deno.test("equal sets need one round, and the answer is one byte", () => {
  const storage = storageOf(recordsWithout(5000, 3));
  const answer = respond(storage, initiate(storage));
  assertEquals(answer, Uint8Array.of(0x61));
  assertEquals(reconcile(storage, answer), { reply: undefined, have: [], need: [] });
});

Deno.test("an empty set is described as an empty list up to the end", () => {
  assertEquals(initiate(storageOf([])), Uint8Array.of(0x61, 0, 0, 2, 0));
});

Deno.test("records may be added on both sides between two messages", () => {
  const here = recordsWithout(3000, 2, [5, 1000, 2500]);
  const there = recordsWithout(3000, 2, [70, 2000]);
  const missing = { here: difference(there, here), there: difference(here, there) };
  let added = 10_000;
  const [have, need] = [new Set<string>(), new Set<string>()];
  let rounds = 0;
  for (let message: Uint8Array | undefined = initiate(storageOf(here)); message !== undefined; rounds++) {
    there.push(recordAt(added++));
    const answer = respond(storageOf(there), message);
    here.push(recordAt(added++));
    const result = reconcile(storageOf(here), answer);
    result.have.forEach((id) => have.add(toHex(id)));
    result.need.forEach((id) => need.add(toHex(id)));
    message = result.reply;
    assert(rounds < 20);
  }
  for (const id of missing.here) assert(need.has(id));
  for (const id of missing.there) assert(have.has(id));
});

Deno.test("every round settles more of the space, or narrows it, until nothing is left", () => {
  fc.assert(
    fc.property(arbitrarySets(3000), ({ here, there }) => {
      const { messages } = exchange(storageOf(here), storageOf(there), { frameLimit: 4096 });
      // Each message settles at least the records of two ids' lists that fit, after at most log16 rounds to narrow them.
      const union = new Set([...difference(here, there), ...difference(there, here)]).size;
      const narrowing = Math.ceil(Math.log(Math.max(16, here.length + there.length)) / Math.log(16)) + 1;
      assert(messages.length <= 2 * narrowing * (2 + Math.ceil(union / 3)), `${messages.length} messages`);
    }),
    { numRuns: runs(20) },
  );
});

Deno.test("with a limit of ids to report, later rounds report the others", () => {
  const here = recordsWithout(3000, 5);
  for (const there of [[], recordsWithout(20, 5), recordsWithout(3000, 5, [1, 2, 3, 700, 2999])]) {
    const [storage, other] = [storageOf(here), storageOf(there)];
    const found = new Set<string>();
    let message: Uint8Array | undefined = initiate(storage);
    for (let rounds = 0; message !== undefined; rounds++) {
      const result = reconcile(storage, respond(other, message), { maxHave: 100 });
      assert(result.have.length <= 100);
      result.have.forEach((id) => found.add(toHex(id)));
      message = result.reply;
      assert(rounds < 100);
    }
    assertEquals([...found].sort(), difference(here, there));
  }
});

Deno.test("a first message of more ranges leads to the same ids, in fewer rounds", () => {
  const [here, there] = [recordsWithout(5000, 5, [500, 3000]), recordsWithout(5000, 5, [700, 4000])];
  const [storage, other] = [storageOf(here), storageOf(there)];
  const roundsWith = (buckets?: number): number => {
    const found = new Set<string>();
    let rounds = 0;
    for (let message: Uint8Array | undefined = initiate(storage, undefined, buckets); message !== undefined; rounds++) {
      const { have, need, reply } = reconcile(storage, respond(other, message));
      for (const id of [...have, ...need]) found.add(toHex(id));
      message = reply;
    }
    assertEquals([...found].sort(), [...difference(here, there), ...difference(there, here)].sort());
    return rounds;
  };
  assertEquals([roundsWith(), roundsWith(256)], [2, 1]);
  assertThrows(() => initiate(storage, 4096, 256), LogError);
});

Deno.test("a limit of messages that is below the protocol's is refused", () => {
  const storage = storageOf([]);
  for (const frameLimit of [0, 4095, NaN]) {
    const error = assertThrows(() => initiate(storage, frameLimit), LogError);
    assertEquals(error.code, "invalid-argument");
    assertThrows(() => respond(storage, initiate(storage), { frameLimit }), LogError);
  }
});

Deno.test("the first bytes of the SHA-256 of 32 zero bytes and a zero count are the fingerprint of no records", () => {
  assertEquals(fingerprint([]), "7f9c9e31ac8256ca2f258583df262dbc");
  const empty = Uint8Array.of(0x61, 0, 0, 1, ...fromHex(fingerprint([])));
  assertEquals(respond(storageOf([]), empty), Uint8Array.of(0x61));
});
