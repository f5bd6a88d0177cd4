/**
 * A worker that checks blocks, one after the other, and answers in that order.
 *
 * @module
 */

import { announceStart, workerScope } from "./worker_scope.ts";
import type { Block } from "./blocks.ts";
import { checkBlock, type CheckedBlock, type Limits } from "./check.ts";

/** A message to the worker. */
export interface CheckRequest {
  /** The block. */
  block: Block;
  /** The limits of its operations. */
  limits: Limits;
}

const scope = workerScope<CheckRequest, CheckedBlock | "started">();

scope.onmessage = ({ data: { block, limits } }) => {
  stopAnnouncing();
  const checked = checkBlock(block, limits);
  const { bytes, table, at } = checked;
  scope.postMessage(checked, [...new Set([bytes.buffer, table.buffer, at.buffer])]); // the table may be beside the bytes
};

const stopAnnouncing = announceStart(() => scope.postMessage("started"));
