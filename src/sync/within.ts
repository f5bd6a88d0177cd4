/**
 * Waiting with a limit of time.
 *
 * @module
 */

/** Waits until a promise is settled, or for a time; whether it was settled. It never throws what the promise rejects with. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), Math.max(ms, 0));
  try {
    return await Promise.race([promise.then(() => true, () => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits; a signal ends the wait early. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  const abort = () => over.resolve();
  signal?.addEventListener("abort", abort);
  await over.promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", abort);
}
