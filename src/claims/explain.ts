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
import { countLeftOut, nearestNodes } from "./nearest.ts";
import { ClaimReader } from "./read.ts";

const SELECT_WIRE = "SELECT wire FROM ops WHERE seq = ?";

/**
 * Explains the claim at a `seq`. Claims must be caught up.
 *
 * @param limit The most nodes, and the most ids of the path of a fall.
 */
export function explain(connection: Connection, claim: Claim, seq: number, limit?: number): Explanation {
  const reader = new ClaimReader(connection);
  const why = reasonOf(connection, reader, claim, seq, limit);
  if (limit === undefined) return { claim, nodes: collect(connection, reader, claim), ...why };
  const nodes = nearestNodes(claim.opId, why.fall, limit, (opId) => nodeOf(connection, reader, opId));
  const leftOut = countLeftOut(nodes);
  return { claim, nodes, ...leftOut === 0 ? {} : { leftOut }, ...why };
}

function reasonOf(
  connection: Connection,
  reader: ClaimReader,
  claim: Claim,
  seq: number,
  limit?: number,
): Pick<Explanation, "fall" | "supersededBy"> {
  switch (claim.status) {
    case "refuted":
    case "corrected":
    case "invalidated":
      return { fall: fallOf(connection, reader, seq, limit) };
    case "superseded":
      return { supersededBy: reader.named(seqOf(connection, claim.cause!)!) };
    default:
      return {};
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

function fallOf(connection: Connection, reader: ClaimReader, seq: number, limit = Infinity): Fall {
  const path = reader.path(seq);
  const half = Math.max(1, Math.floor(limit / 2));
  const isCut = path.length > Math.max(2, limit);
  const shown = isCut ? [...path.slice(0, half), ...path.slice(-half)] : path;
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
    path: shown.map((seq) => reader.opId(seq)),
    ...isCut ? { pathLeftOut: path.length - shown.length } : {},
  };
}

function findOperation(connection: Connection, opId: string): { seq: number; op: Operation } | undefined {
  const row = rowOf(connection, opId);
  return row && { seq: row[0], op: decodeStored(connection.path, ...row) };
}
