/**
 * A worker that checks blocks, one after the other, and answers in that order.
 *
 * @module
 */

import type { Block } from "./blocks.ts";
import { checkBlock, type CheckedBlock, type Limits } from "./check.ts";

/** How often a worker says that it has started, until it is sent the first block. */
const ANNOUNCE_MS = 100;

/** A message to the worker. */
export interface CheckRequest {
  /** The block. */
  block: Block;
  /** The limits of its operations. */
  limits: Limits;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<CheckRequest>) => void;
  postMessage(message: CheckedBlock | "started", transfer?: Transferable[]): void;
};

scope.onmessage = ({ data: { block, limits } }) => {
  clearInterval(announcing);
  const checked = checkBlock(block, limits);
  scope.postMessage(checked, [checked.bytes.buffer, checked.table.buffer, checked.at.buffer]);
};

// What the pool sends while the modules above are still loading is lost: it waits for this message, which may be lost, too.
const announcing = setInterval(() => scope.postMessage("started"), ANNOUNCE_MS);
scope.postMessage("started");
