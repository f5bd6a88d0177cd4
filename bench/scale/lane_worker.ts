/**
 * A worker that makes the blocks of lanes, one after the other, as they are asked for.
 *
 * @module
 */

import { announceStart, workerScope } from "../../src/ingest/worker_scope.ts";
import type { Operation } from "../../mod.ts";
import { BLOCK, lane } from "./source.ts";

/** Asks for the next block of a lane. */
export interface BlockRequest {
  /** The lane. */
  lane: number;
  /** Takes the block, as JSON lines. */
  port: MessagePort;
}

const encoder = new TextEncoder();
const lanes = new Map<number, Iterator<Operation, never>>();
const scope = workerScope<BlockRequest, "started">();

scope.onmessage = ({ data: { lane: number, port } }) => {
  stopAnnouncing();
  const ops = lanes.get(number) ?? lane(number);
  lanes.set(number, ops);
  let text = "";
  for (let n = 0; n < BLOCK; n++) text += ops.next().value.wire + "\n";
  const block = encoder.encode(text);
  port.postMessage(block, [block.buffer]);
};

const stopAnnouncing = announceStart(() => scope.postMessage("started"));
