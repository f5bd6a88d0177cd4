/** Records and whole reconciliations to test with. */

import { createHash } from "node:crypto";
import fc from "fast-check";
import { toHex } from "../../../src/bytes.ts";
import { MemoryStorage } from "../../../src/sync/negentropy/memory.ts";
import { initiate, reconcile, type ReconcileOptions, respond } from "../../../src/sync/negentropy/negentropy.ts";
import type { RecordStorage, TimedId } from "../../../src/sync/negentropy/storage.ts";
import { naiveAnswer, naiveInitiate, type NaiveRecord } from "./naive.ts";

const START = 1_700_000_000;

/** The nth record, where so many are in one second: its id is the SHA-256 of `n` in decimal. */
export function recordAt(n: number, perSecond = 1): TimedId {
  return {
    timestamp: START + Math.floor(n / perSecond),
    id: new Uint8Array(createHash("sha256").update(`${n}`).digest()),
  };
}

/** The first records but some. */
export function recordsWithout(count: number, perSecond: number, lacking: readonly number[] = []): TimedId[] {
  const absent = new Set(lacking);
  return Array.from({ length: count }, (_, n) => n).filter((n) => !absent.has(n)).map((n) => recordAt(n, perSecond));
}

export const toNaive = (records: Iterable<TimedId>): NaiveRecord[] =>
  Array.from(records, ({ timestamp, id }) => ({ timestamp, id: toHex(id) }));

/** What a reconciliation has found, ids in order and once, and its messages, the initiator's first. */
export interface Exchange {
  messages: Uint8Array[];
  have: string[];
  need: string[];
}

/** Reconciles two storages; fails after so many rounds. */
export function exchange(here: RecordStorage, there: RecordStorage, options: ReconcileOptions = {}): Exchange {
  const [have, need] = [new Set<string>(), new Set<string>()];
  const messages: Uint8Array[] = [];
  for (let message: Uint8Array | undefined = initiate(here, options.frameLimit); message !== undefined;) {
    const answer = respond(there, message, options);
    messages.push(message, answer);
    if (messages.length > 2000) throw new Error("the reconciliation does not end");
    const result = reconcile(here, answer, options);
    result.have.forEach((id) => have.add(toHex(id)));
    result.need.forEach((id) => need.add(toHex(id)));
    message = result.reply;
  }
  return { messages, have: [...have].sort(), need: [...need].sort() };
}

/** The same by the naive implementation. */
export function naiveExchange(here: readonly TimedId[], there: readonly TimedId[], limit: number): Exchange {
  const [ours, theirs] = [toNaive(here), toNaive(there)];
  const found: { have: string[]; need: string[] } = { have: [], need: [] };
  const messages: Uint8Array[] = [];
  for (let message = naiveInitiate(ours); message.length > 1;) {
    const answer = naiveAnswer(theirs, message, limit);
    messages.push(message, answer);
    message = naiveAnswer(ours, answer, limit, found);
  }
  return { messages, have: [...new Set(found.have)].sort(), need: [...new Set(found.need)].sort() };
}

/** The ids in one list and not in the other. */
export function difference(here: Iterable<TimedId>, there: Iterable<TimedId>): string[] {
  const absent = new Set(Array.from(there, ({ id }) => toHex(id)));
  return Array.from(here, ({ id }) => toHex(id)).filter((id) => !absent.has(id)).sort();
}

/** Two sets of random records: much in common, times far apart or all the same, ids that share their first bytes. */
export function arbitrarySets(maxLength: number): fc.Arbitrary<{ here: TimedId[]; there: TimedId[] }> {
  return fc.record({
    seed: fc.nat(),
    count: fc.nat(maxLength),
    spread: fc.constantFrom(1, 3, 1000, 2 ** 32),
    // Not more: sums tell sets of ids apart only where the ids are random.
    common: fc.constantFrom(0, 1, 20),
    shares: fc.constantFrom([0, 100], [1, 99], [5, 90], [30, 60], [100, 0], [50, 0]),
  }).map(({ seed, count, spread, common, shares: [onlyHere, both] }) => {
    const [here, there]: TimedId[][] = [[], []];
    for (let n = 0; n < count; n++) {
      const random = createHash("sha256").update(`${seed} ${n}`).digest();
      const id = new Uint8Array(createHash("sha256").update(random).digest());
      id.fill(7, 0, common);
      const record = { timestamp: Math.floor(random.readUInt32LE(0) / 2 ** 32 * spread), id };
      const side = random.readUInt32LE(4) % 100;
      if (side < onlyHere + both) here.push(record);
      if (side >= onlyHere) there.push(record);
    }
    return { here, there };
  });
}

export const storageOf = (records: Iterable<TimedId>) => new MemoryStorage(records);
