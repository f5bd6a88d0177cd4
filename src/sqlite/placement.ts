/**
 * Detects that the file of a connection, or its `-wal`, was removed or replaced. SQLite goes on with what it has opened,
 * which has no name any more: what is written to it is lost.
 *
 * @module
 */

import { isMissing } from "./permissions.ts";

/** How long the files are taken to be in place after it was seen that they are. */
const CHECK_INTERVAL_MS = 10;

/** What distinguishes a file from all others; null where there is none, undefined where that cannot be found out. */
type Identity = string | null | undefined;

/** Where the files of a connection are. */
export class Placement {
  readonly #name: string;
  readonly #file: Identity;
  /** SQLite makes it after it has opened the file, and it stays as long as any connection is open. */
  #wal: Identity;
  #seenAt = -Infinity;

  /** @param name The path of the file, which SQLite has just opened. */
  constructor(name: string) {
    this.#name = name;
    this.#file = identityOf(name);
  }

  /** Whether the file and its `-wal` are, or were some milliseconds ago, those that SQLite writes to. */
  isKept(): boolean {
    const now = performance.now();
    if (now - this.#seenAt < CHECK_INTERVAL_MS) return true;
    const wal = identityOf(`${this.#name}-wal`);
    this.#wal ??= wal;
    const isKept = isSame(this.#file, identityOf(this.#name)) && isSame(this.#wal, wal);
    if (isKept) this.#seenAt = now;
    return isKept;
  }
}

/** Whether a file is not known to be another one than it was. */
function isSame(before: Identity, now: Identity): boolean {
  return typeof before !== "string" || now === undefined || before === now;
}

function identityOf(name: string): Identity {
  try {
    const { dev, ino } = Deno.statSync(name);
    return ino === null ? undefined : `${dev}:${ino}`;
  } catch (error) {
    return isMissing(error) ? null : undefined;
  }
}
