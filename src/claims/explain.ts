/**
 * Explanations: a claim, its inputs at any distance, and the cause of its status.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { rowOf, seqOf } from "../log/entries.ts";
import { decodeBody } from "../wire/bodies.ts";
import type { Operation } from "../wire/operation.ts";
import { derivedDamaged } from "../derived/damage.ts";
import { decodeStored } from "../derived/read.ts";
import type { Claim, Explanation, ExplanationNode, Fall } from "./claim.ts";
import { ClaimReader } from "./read.ts";

const SELECT_WIRE = "SELECT wire FROM ops WHERE seq = ?";

/** Explains the claim at a `seq`. Claims must be caught up. */
export function explain(connection: Connection, claim: Claim, seq: number): Explanation {
  const reader = new ClaimReader(connection);
  const explanation = { claim, nodes: collect(connection, reader, claim) };
  switch (claim.status) {
    case "refuted":
    case "corrected":
    case "invalidated":
      return { ...explanation, fall: fallOf(connection, reader, seq) };
    case "superseded":
      return { ...explanation, supersededBy: reader.named(seqOf(connection, claim.cause!)!) };
    default:
      return explanation;
  }
}

/** The claim and its inputs at any distance, each once, depth first. */
function collect(connection: Connection, reader: ClaimReader, claim: Claim): ExplanationNode[] {
  const nodes: ExplanationNode[] = [];
  const seen = new Set<string>();
  const stack = [claim.opId];
  for (let opId = stack.pop(); opId !== undefined; opId = stack.pop()) {
    if (seen.has(opId)) continue;
    seen.add(opId);
    const node = nodeOf(connection, reader, opId);
    nodes.push(node);
    if (node.is === "claim") stack.push(...node.claim.inputs.toReversed());
  }
  return nodes;
}

function nodeOf(connection: Connection, reader: ClaimReader, opId: string): ExplanationNode {
  const found = findOperation(connection, opId);
  if (found === undefined) return { is: "missing", opId };
  const claim = reader.one(found.seq);
  if (claim !== undefined) return { is: "claim", opId, claim };
  const { type, author, ts, body } = found.op;
  const known = decodeBody(type, body);
  if (known?.type !== "evidence.add") return { is: "other", opId, type, author, ts };
  const { source, kind, content, ref } = known.body;
  return {
    is: "evidence",
    opId,
    evidence: { opId, author, ts, source, kind, content, ...ref === undefined ? {} : { ref } },
  };
}

function fallOf(connection: Connection, reader: ClaimReader, seq: number): Fall {
  const path = reader.path(seq);
  const row = connection.query(SELECT_WIRE).value<[unknown]>(path[0]);
  const { opId, type, author, ts, body } = decodeStored(connection.path, path[0], row?.[0]);
  const known = decodeBody(type, body);
  if (known?.type !== "claim.refute" && known?.type !== "claim.correct") {
    throw derivedDamaged(connection, `the operation at seq ${path[0]} is neither a refute nor a correction`);
  }
  const { key, value, reason } = known.body;
  return {
    opId,
    type: known.type,
    author,
    ts,
    key,
    ...value === undefined ? {} : { value },
    ...reason === undefined ? {} : { reason },
    path: path.map((seq) => reader.opId(seq)),
  };
}

function findOperation(connection: Connection, opId: string): { seq: number; op: Operation } | undefined {
  const row = rowOf(connection, opId);
  return row && { seq: row[0], op: decodeStored(connection.path, ...row) };
}
