/** How long a condition may take to hold, in milliseconds: only a test that fails waits so long. */
const DEADLINE_MS = 30_000;

/** Waits until a condition holds. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!await holds()) {
    if (Date.now() > deadline) throw new Error(`it never held that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
