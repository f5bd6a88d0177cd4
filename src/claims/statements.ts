/**
 * The statements about claims in a batch of operations: asserts, corrections and refutes.
 *
 * @module
 */

import { CanonicalError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { decodeBody, PARTS_PER_MILLION } from "../wire/bodies.ts";
import { type OperationWire, requireShape, storedEnvelope } from "../wire/envelope.ts";
import type { Batch } from "../derived/batch.ts";
import { derivedDamaged, derivedIntegers } from "../derived/damage.ts";
import { decodeStored } from "../derived/read.ts";
import { keyText, valueText } from "./encoding.ts";

/** A `claim.assert`, `claim.correct` or `claim.refute`. */
export interface Statement {
  /** Its sequence number in the log. */
  seq: number;
  /** Its id. */
  opId: string;
  /** Its depth. */
  depth: number;
  /** The author's id. */
  author: string;
  /** Its key, encoded by `keyText`. */
  key: string;
  /** Its value, encoded by `valueText`; null for a refute of the whole key. */
  value: string | null;
  /** Its type, without the `claim.`. */
  kind: "assert" | "correct" | "refute";
  /** The id of an assert's deriver, encoded by `keyText`. */
  deriver: string | null;
  /** The ids of an assert's inputs. */
  inputs: readonly string[];
  /** The confidence, in parts per million; that of a refute has no meaning. */
  confidence: number;
}

const SELECT_DEPTHS = "SELECT group_concat(depth) FROM " +
  "(SELECT depth FROM json_each(?) JOIN mnema_depths ON seq = value ORDER BY seq)";
const TYPES = new Set(["claim.assert", "claim.correct", "claim.refute"]);

/** Reads the statements of a batch, in order. Operations with an invalid body, which a hostile peer may send, are skipped. */
export function readStatements(connection: Connection, batch: Batch): Statement[] {
  const texts = [...batch.texts()].filter(({ type }) => TYPES.has(type));
  if (texts.length === 0) return [];
  // Depths come as one text: a row for each would cost more.
  const seqs = JSON.stringify(texts.map(({ seq }) => seq));
  const depths = derivedIntegers(connection, connection.query(SELECT_DEPTHS).value<[unknown]>(seqs)![0]);
  if (depths.length !== texts.length) throw derivedDamaged(connection, "an operation has no depth");
  return texts.flatMap(({ seq, wire }, i) => readStatement(connection.path, seq, depths[i], wire) ?? []);
}

function readStatement(path: string, seq: number, depth: number, wire: string): Statement | undefined {
  try {
    return statementOf(seq, depth, requireShape(storedEnvelope, JSON.parse(wire)));
  } catch {
    // JSON.parse has rounded an integer, which therefore has no canonical encoding; or the text is damaged.
    const fields = decodeStored(path, seq, wire).toWire();
    try {
      return statementOf(seq, depth, fields);
    } catch (error) {
      if (error instanceof CanonicalError) return undefined; // a lone surrogate, which a hostile peer may send
      throw error;
    }
  }
}

function statementOf(
  seq: number,
  depth: number,
  { op_id: opId, author, type, body }: OperationWire,
): Statement | undefined {
  const known = decodeBody(type, body);
  switch (known?.type) {
    case "claim.assert": {
      const { key, value, deriver, inputs, confidence_ppm: confidence } = known.body;
      const encoded = { key: keyText(key), value: valueText(value), deriver: keyText(deriver.id) };
      return { seq, opId, depth, author, kind: "assert", ...encoded, inputs, confidence };
    }
    case "claim.correct":
    case "claim.refute": {
      const { key, value } = known.body;
      const encoded = { key: keyText(key), value: value === undefined ? null : valueText(value), deriver: null };
      return {
        seq,
        opId,
        depth,
        author,
        kind: known.type === "claim.correct" ? "correct" : "refute",
        ...encoded,
        inputs: [],
        confidence: PARTS_PER_MILLION,
      };
    }
  }
}
