/**
 * What a run of operations says about claims.
 *
 * @module
 */

import type { Connection } from "../../log/connection.ts";
import { type AssertBody, type CorrectBody, isBody, type RefuteBody } from "../../wire/bodies.ts";
import type { Operation } from "../../wire/operation.ts";
import { readOperations } from "../read.ts";
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

const TYPES = ["claim.assert", "claim.correct", "claim.refute"];
const NONE: readonly string[] = [];

/** The facts among the operations of a range. A body that is not as it should be, as others may append it, says nothing. */
export function readFacts(connection: Connection, range: { after: number; last: number }): Fact[] {
  const facts: Fact[] = [];
  for (const { seq, depth, op } of readOperations(connection, range, TYPES)) {
    if (isBody(op.type, op.body)) facts.push({ seq, opId: op.opId, depth, author: op.author, ...meaning(op) });
  }
  return facts;
}

function meaning({ type, body }: Operation): Pick<Fact, "key" | "value" | "is" | "deriver" | "inputs"> {
  if (type === "claim.assert") {
    const { key, value, deriver, inputs } = body as unknown as AssertBody;
    return { key: keyText(key), value: valueText(value), is: "assert", deriver: keyText(deriver.id), inputs };
  }
  const { key, value } = body as unknown as CorrectBody | RefuteBody;
  const is = type === "claim.correct" ? "correct" : "refute";
  return { key: keyText(key), value: value === undefined ? null : valueText(value), is, deriver: null, inputs: NONE };
}
