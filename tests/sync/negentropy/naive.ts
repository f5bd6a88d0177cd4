/**
 * Negentropy as its protocol text describes it, as simply as possible: for the vectors, and to compare with. Ids are hex,
 * sums are bigints, and every range is searched from the first record on.
 */

import { createHash } from "node:crypto";
import { fromHex, toHex } from "../../../src/bytes.ts";

export interface NaiveRecord {
  timestamp: number;
  id: string;
}

type Edge = { timestamp: number; prefix: string };
type Part =
  | { upper: Edge; mode: 0 }
  | { upper: Edge; mode: 1; fingerprint: string }
  | { upper: Edge; mode: 2; ids: string[] };

const INFINITE: Edge = { timestamp: Infinity, prefix: "" };

export const sorted = (records: NaiveRecord[]) =>
  records.toSorted((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1));

const isBefore = ({ timestamp, id }: NaiveRecord, edge: Edge) =>
  timestamp < edge.timestamp || (timestamp === edge.timestamp && id < edge.prefix);

const varint = (value: number): number[] =>
  value < 128 ? [value] : [...varint(Math.floor(value / 128)).map((byte) => byte | 128), value % 128];

export function fingerprint(records: NaiveRecord[]): string {
  const numbers = records.map(({ id }) => BigInt("0x" + id.match(/../g)!.reverse().join("")));
  const sum = numbers.reduce((sum, number) => (sum + number) % 2n ** 256n, 0n);
  const bytes = fromHex(sum.toString(16).padStart(64, "0")).reverse();
  return createHash("sha256").update(bytes).update(Uint8Array.from(varint(records.length))).digest("hex").slice(0, 32);
}

export function encode(parts: Part[]): Uint8Array {
  const bytes = [0x61];
  let before = 0;
  for (const part of parts) {
    const { timestamp, prefix } = part.upper;
    bytes.push(...varint(timestamp === Infinity ? 0 : 1 + timestamp - before));
    bytes.push(...varint(prefix.length / 2), ...fromHex(prefix), part.mode);
    if (part.mode === 1) bytes.push(...fromHex(part.fingerprint));
    if (part.mode === 2) bytes.push(...varint(part.ids.length), ...part.ids.flatMap((id) => [...fromHex(id)]));
    before = timestamp;
  }
  return Uint8Array.from(bytes);
}

export function decode(message: Uint8Array): Part[] {
  let [at, before] = [1, 0];
  const number = (): number => {
    let value = 0;
    while (message[at] >= 128) value = value * 128 + message[at++] - 128;
    return value * 128 + message[at++];
  };
  const hex = (length: number) => toHex(message.subarray(at, at += length));
  const parts: Part[] = [];
  while (at < message.length) {
    const encoded = number();
    const timestamp = encoded === 0 ? Infinity : before + encoded - 1;
    const upper = { timestamp, prefix: hex(number()) };
    before = timestamp;
    const mode = number();
    if (mode === 0) parts.push({ upper, mode });
    else if (mode === 1) parts.push({ upper, mode, fingerprint: hex(16) });
    else parts.push({ upper, mode: 2, ids: Array.from({ length: number() }, () => hex(32)) });
  }
  return parts;
}

/** The ranges that describe records up to an edge. */
function describe(records: NaiveRecord[], upper: Edge): Part[] {
  if (records.length < 32) return [{ upper, mode: 2, ids: records.map(({ id }) => id) }];
  const parts: Part[] = [];
  for (let rest = records, left = 16; left > 0; left--) {
    const bucket = rest.slice(0, Math.ceil(rest.length / left));
    rest = rest.slice(bucket.length);
    parts.push({
      upper: left === 1 ? upper : edgeBetween(bucket.at(-1)!, rest[0]),
      mode: 1,
      fingerprint: fingerprint(bucket),
    });
  }
  return parts;
}

function edgeBetween(a: NaiveRecord, b: NaiveRecord): Edge {
  if (a.timestamp !== b.timestamp) return { timestamp: b.timestamp, prefix: "" };
  let bytes = 1;
  while (a.id.slice(0, 2 * bytes) === b.id.slice(0, 2 * bytes)) bytes++;
  return { timestamp: b.timestamp, prefix: b.id.slice(0, 2 * bytes) };
}

export const naiveInitiate = (records: NaiveRecord[]): Uint8Array => encode(describe(sorted(records), INFINITE));

/** Answers a message; `found` is given by the initiator alone. */
export function naiveAnswer(
  records: NaiveRecord[],
  message: Uint8Array,
  limit: number,
  found?: { have: string[]; need: string[] },
): Uint8Array {
  const all = sorted(records);
  let answer: Part[] = [];
  let rest = all;
  let skipped: Part[] = [];
  const isFull = (parts: Part[], more = 0) => encode(parts).length + more > limit - 200;
  const finish = () => encode([...answer, ...skipped, { upper: INFINITE, mode: 1, fingerprint: fingerprint(rest) }]);
  for (const part of decode(message)) {
    const { upper } = part;
    const records = rest.filter((record) => isBefore(record, upper));
    if (part.mode === 0 || (part.mode === 1 && part.fingerprint === fingerprint(records))) {
      skipped = [{ upper, mode: 0 }];
    } else if (part.mode === 1) {
      const described = [...answer, ...skipped, ...describe(records, upper)];
      if (isFull(described)) return finish();
      [answer, skipped] = [described, []];
    } else if (found !== undefined) {
      const ids = records.map(({ id }) => id);
      found.have.push(...ids.filter((id) => !part.ids.includes(id)));
      found.need.push(...part.ids.filter((id) => !ids.includes(id)));
      skipped = [{ upper, mode: 0 }];
    } else {
      let count = 0;
      while (count < records.length && !isFull(answer, count * 32)) count++;
      const edge = count < records.length ? { timestamp: records[count].timestamp, prefix: records[count].id } : upper;
      answer = [...answer, ...skipped, { upper: edge, mode: 2, ids: records.slice(0, count).map(({ id }) => id) }];
      skipped = [];
      if (count < records.length || (isFull(answer) && upper !== INFINITE && upper.timestamp !== Infinity)) {
        rest = rest.slice(count);
        return finish();
      }
    }
    rest = rest.slice(records.length);
  }
  return encode(answer);
}
