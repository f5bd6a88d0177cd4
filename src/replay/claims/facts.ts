/**
 * What a run of operations says about claims.
 *
 * @module
 */

import type { Connection } from "../../log/connection.ts";
import { type AssertBody, type CorrectBody, isBody, type RefuteBody } from "../../wire/bodies.ts";
import type { OperationWire } from "../../wire/operation.ts";
import { decodeStored } from "../read.ts";
import { keyText, valueText } from "./columns.ts";

/** A `claim.assert`, `claim.correct` or `claim.refute`. */
export interface Fact {
  /** Its place in the log. */
  seq: number;
  /** Its id. */
  opId: string;
  /** Its depth. */
  depth: number;
  /** Who signed it. */
  author: string;
  /** The key it is about, as the database has it. */
  key: string;
  /** The value, as the database has it; null for a refute of the whole key. */
  value: string | null;
  /** Which of the three it is. */
  is: "assert" | "correct" | "refute";
  /** The deriver of an assert. */
  deriver: string | null;
  /** What an assert was derived from. */
  inputs: readonly string[];
}

const SELECT = "SELECT seq, depth, wire FROM ops JOIN mnema_depths USING (seq) WHERE seq > ? AND seq <= ? " +
  "AND type IN ('claim.assert', 'claim.correct', 'claim.refute') ORDER BY seq LIMIT ?";
const PAGE_ROWS = 512;
const NONE: readonly string[] = [];

/** The facts among the operations of a range. A body that is not as it should be, as others may append it, says nothing. */
export function readFacts(connection: Connection, range: { after: number; last: number }): Fact[] {
  const facts: Fact[] = [];
  const query = connection.query(SELECT);
  for (let { after } = range;;) {
    const page = query.values<[number, number, string]>(after, range.last, PAGE_ROWS);
    for (const [seq, depth, wire] of page) {
      const fact = readFact(connection.path, seq, depth, wire);
      if (fact !== undefined) facts.push(fact);
    }
    if (page.length < PAGE_ROWS) return facts;
    after = page[page.length - 1][0];
  }
}

function readFact(path: string, seq: number, depth: number, wire: string): Fact | undefined {
  try {
    return factOf(seq, depth, JSON.parse(wire));
  } catch {
    // A value that JSON.parse has rounded has no canonical encoding; what is damaged gets its error here.
    return factOf(seq, depth, decodeStored(path, seq, wire).toWire());
  }
}

function factOf(seq: number, depth: number, { op_id: opId, author, type, body }: OperationWire): Fact | undefined {
  if (!isBody(type, body)) return undefined;
  if (type === "claim.assert") {
    const { key, value, deriver: { id }, inputs } = body as unknown as AssertBody;
    const text = { key: keyText(key), value: valueText(value), deriver: keyText(id) };
    return { seq, opId, depth, author, is: "assert", ...text, inputs };
  }
  const { key, value } = body as unknown as CorrectBody | RefuteBody;
  const text = { key: keyText(key), value: value === undefined ? null : valueText(value), deriver: null };
  return { seq, opId, depth, author, is: type === "claim.correct" ? "correct" : "refute", ...text, inputs: NONE };
}
