/**
 * Checks signatures and nothing else: the limit for everything that verifies.
 *
 * @module
 */

import { verifySignature } from "../src/keys/native.ts";
import { generate } from "./generate.ts";

const encoder = new TextEncoder();

/** Signatures with what they sign, ready to be checked. */
export function signatureJobs(count: number): [author: string, sig: string, signed: Uint8Array][] {
  return [...generate(count)].map((op) => {
    const signed = op.wire.replace(`"op_id":"${op.opId}",`, "").replace(`"sig":"${op.sig}",`, "");
    return [op.author.slice(4), op.sig, encoder.encode(signed)];
  });
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<number>) => void;
  postMessage(message: unknown): void;
};
if ("DedicatedWorkerGlobalScope" in globalThis) {
  let jobs: ReturnType<typeof signatureJobs> = [];
  // The first message says how many to get ready, the second starts.
  scope.onmessage = ({ data }) => {
    if (jobs.length === 0) jobs = signatureJobs(data);
    else if (!jobs.every((job) => verifySignature(...job))) throw new Error("a signature does not verify");
    scope.postMessage("done");
  };
  scope.postMessage("started");
}
