/**
 * Tells the thread that started a worker that the worker can receive messages.
 *
 * @module
 */

const REPEAT_MS = 100;

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
