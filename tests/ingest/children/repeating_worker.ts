/** The worker of an ingest, which says before and after each of its messages that it has started. */

const scope = self as unknown as { postMessage: (message: unknown, transfer?: Transferable[]) => void };
const post = scope.postMessage;
scope.postMessage = (message, transfer = []) => {
  post("started");
  post(message, transfer);
  post("started");
};
await import("../../../src/ingest/worker.ts");
