/**
 * The cases of `tests/vectors/negentropy.json`. Run with `--allow-read --allow-write` to write the file again, as the
 * naive implementation makes it.
 */

import { toHex } from "../../../src/bytes.ts";
import { vectorPath } from "../../vectors.ts";
import { naiveExchange, recordsWithout } from "./records.ts";

/** Two sets, as `recordsWithout` makes them. */
interface Case {
  name: string;
  count: number;
  perSecond: number;
  hereLacks: number[];
  thereLacks: number[];
  frameLimit: number;
}

/** A case, the messages of the reconciliation in hex, the initiator's first, and what it finds. */
export interface Vector extends Case {
  messages: string[];
  have: string[];
  need: string[];
}

const from = (begin: number, end: number, step = 1) =>
  Array.from({ length: Math.ceil((end - begin) / step) }, (_, i) => begin + i * step);
const LIMIT = 131_072;

export const CASES: Case[] = [
  { name: "both empty", count: 0, perSecond: 1, hereLacks: [], thereLacks: [], frameLimit: LIMIT },
  { name: "here empty", count: 20, perSecond: 1, hereLacks: from(0, 20), thereLacks: [], frameLimit: LIMIT },
  { name: "there empty", count: 40, perSecond: 1, hereLacks: [], thereLacks: from(0, 40), frameLimit: LIMIT },
  { name: "31 records", count: 31, perSecond: 1, hereLacks: [3], thereLacks: [30], frameLimit: LIMIT },
  { name: "32 records", count: 32, perSecond: 1, hereLacks: [], thereLacks: [0, 31], frameLimit: LIMIT },
  { name: "one second", count: 600, perSecond: 600, hereLacks: [1, 2], thereLacks: [500], frameLimit: LIMIT },
  { name: "scattered", count: 2000, perSecond: 3, hereLacks: from(7, 2000, 400), thereLacks: [999], frameLimit: LIMIT },
  { name: "the newest", count: 1500, perSecond: 1, hereLacks: from(1450, 1500), thereLacks: [], frameLimit: LIMIT },
  { name: "a list cut", count: 400, perSecond: 2, hereLacks: from(0, 400), thereLacks: [], frameLimit: 4096 },
  { name: "ranges cut", count: 2000, perSecond: 1, hereLacks: from(0, 2000, 90), thereLacks: [], frameLimit: 4096 },
];

/** A case with what the naive implementation makes of it. */
export function expectedOf(vector: Case): Vector {
  const { count, perSecond, hereLacks, thereLacks, frameLimit } = vector;
  const [here, there] = [hereLacks, thereLacks].map((lacking) => recordsWithout(count, perSecond, lacking));
  const { messages, have, need } = naiveExchange(here, there, frameLimit);
  return { ...vector, messages: messages.map(toHex), have, need };
}

if (import.meta.main) {
  Deno.writeTextFileSync(vectorPath("negentropy.json"), JSON.stringify(CASES.map(expectedOf), null, 1) + "\n");
}
