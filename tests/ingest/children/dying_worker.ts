/** A worker that dies of the first block it is to check. */

const scope = self as unknown as { onmessage: () => void; postMessage(message: unknown): void };

scope.onmessage = () => {
  throw new Error("out of memory, say");
};
scope.postMessage("started");
