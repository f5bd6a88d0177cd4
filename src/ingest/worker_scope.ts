/**
 * A worker's side of its thread: the scope with the types of its messages, and the announcement that it can receive them.
 *
 * @module
 */

const REPEAT_MS = 100;

/** The global scope of a worker. */
export interface WorkerScope<Request, Answer> {
  /** Handles the messages of the thread that started it. */
  onmessage: (event: MessageEvent<Request>) => void;
  /** Posts a message to that thread. */
  postMessage(message: Answer, transfer?: Transferable[]): void;
}

/** The scope of this worker. The types of the runtime are those of a window. */
export function workerScope<Request, Answer>(): WorkerScope<Request, Answer> {
  return self as unknown as WorkerScope<Request, Answer>;
}

/**
 * Announces the start of a worker, and repeats it: a message to a worker whose modules are still loading is lost, and so
 * may be the first one from it.
 *
 * @param post Posts the announcement.
 * @returns Ends the repetition; to be called with the first message that the worker receives.
 */
export function announceStart(post: () => void): () => void {
  const repeating = setInterval(post, REPEAT_MS);
  post();
  return () => clearInterval(repeating);
}
