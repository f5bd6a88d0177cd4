/** The worker of an ingest, of which the first message is lost. */

const scope = self as unknown as { postMessage: (message: unknown, transfer?: Transferable[]) => void };
const post = scope.postMessage;
scope.postMessage = () => void (scope.postMessage = post);
await import("../../../src/ingest/worker.ts");
