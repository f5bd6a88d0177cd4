/**
 * A worker that checks blocks, one after the other, and answers in that order.
 *
 * @module
 */

import type { Block } from "./blocks.ts";
import { checkBlock, type CheckedBlock, type Limits } from "./check.ts";

/** What a worker is sent. */
export interface CheckRequest {
  /** The block. */
  block: Block;
  /** What is asked of its operations. */
  limits: Limits;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<CheckRequest>) => void;
  postMessage(message: CheckedBlock | "started", transfer?: Transferable[]): void;
};

scope.onmessage = ({ data: { block, limits } }) => {
  const checked = checkBlock(block, limits);
  scope.postMessage(checked, [checked.bytes.buffer, checked.table.buffer, checked.at.buffer]);
};

// What is sent while the modules above are still loading is lost.
scope.postMessage("started");
