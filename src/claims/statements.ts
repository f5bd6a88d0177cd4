/**
 * What a run of operations says about claims.
 *
 * @module
 */

import { CanonicalError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { type AssertBody, type CorrectBody, isBody, type RefuteBody } from "../wire/bodies.ts";
import type { OperationWire } from "../wire/operation.ts";
import type { Batch } from "../derived/batch.ts";
import { derivedDamaged, derivedIntegers } from "../derived/damage.ts";
import { decodeStored } from "../derived/read.ts";
import { keyText, valueText } from "./encoding.ts";

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

const SELECT_DEPTHS = "SELECT group_concat(depth) FROM " +
  "(SELECT depth FROM json_each(?) JOIN mnema_depths ON seq = value ORDER BY seq)";
const TYPES = new Set(["claim.assert", "claim.correct", "claim.refute"]);
const NONE: readonly string[] = [];

/** The facts among some operations. A body that is not as it should be, as others may append it, says nothing. */
export function readFacts(connection: Connection, batch: Batch): Fact[] {
  const texts = [...batch.texts()].filter(({ type }) => TYPES.has(type));
  if (texts.length === 0) return [];
  // One text: many rows of one number would cost more.
  const seqs = JSON.stringify(texts.map(({ seq }) => seq));
  const depths = derivedIntegers(connection, connection.query(SELECT_DEPTHS).value<[unknown]>(seqs)![0]);
  if (depths.length !== texts.length) throw derivedDamaged(connection, "an operation has no depth");
  return texts.flatMap(({ seq, wire }, i) => readFact(connection.path, seq, depths[i], wire) ?? []);
}

function readFact(path: string, seq: number, depth: number, wire: string): Fact | undefined {
  try {
    return factOf(seq, depth, JSON.parse(wire));
  } catch {
    // A value that JSON.parse has rounded has no canonical encoding; what is damaged gets its error here.
    const fields = decodeStored(path, seq, wire).toWire();
    try {
      return factOf(seq, depth, fields);
    } catch (error) {
      if (error instanceof CanonicalError) return undefined; // half a surrogate pair, as others may append it
      throw error;
    }
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
