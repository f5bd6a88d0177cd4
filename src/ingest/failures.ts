/**
 * The error that ends an ingest after some of its transactions were committed.
 *
 * @module
 */

import { FileError } from "../errors.ts";
import { translate } from "../sqlite/failures.ts";

/**
 * Adds to an error what was committed before it.
 *
 * @param error What was thrown; what is no error of the file stays what it is.
 * @param operations How many operations were committed.
 */
export function afterCommits(error: unknown, operations: number): unknown {
  if (!(error instanceof FileError) || operations === 0) return error;
  const kept = `${operations} operations were kept, and the same import goes on where this one stopped`;
  const translated = translate(error.cause, error.path, kept);
  if (translated instanceof FileError && translated.message.endsWith(kept)) return translated;
  return new FileError(error.code, error.path, `${error.message}; ${kept}`, { cause: error.cause });
}
