/**
 * The header of `-shm` (sqlite.org/walformat.html, section 2.1): how many frames of the `-wal` are committed.
 *
 * A process that is killed after it has written a commit into the `-wal`, and before it has counted it in `-shm`, leaves
 * frames that others overwrite from the first one on, while they keep the log open. What is left of them behind a shorter
 * commit looks as if damage had cut a commit off. `-shm` tells the two apart.
 *
 * It is read before the audit opens the file: when no process has it open, SQLite makes a new one, which counts what can
 * be read and no more. Nothing vouches for it: it may have been forged. Who can do that can cut the `-wal` short as well,
 * which leaves no trace, and hides more. So it only ever excuses a commit of which the `-wal` itself does not prove that
 * it was completed. It adds no findings: it is never synced, and may be newer than the `-wal` after a power cut.
 *
 * @module
 */

import { RawFile } from "../sqlite/raw_file.ts";
import { checksum, IS_LITTLE_ENDIAN, isSamePair, VERSION, type WalIndex } from "./wal.ts";

/** The size of a copy of the header, in bytes; there are two. */
const COPY_BYTES = 48;
/** How often it is read when a writer changes it meanwhile. */
const MAX_ATTEMPTS = 100;

/**
 * Reads the header of a `-shm`. SQLite holds its locks on that file, so the descriptor stays open: see
 * {@linkcode RawFile}. Not for a worker, whose end closes it.
 *
 * @param path The `-shm`, a regular file if it is there.
 * @returns Undefined when it is missing, or not as SQLite writes it.
 */
export function readWalIndex(path: string): WalIndex | undefined {
  let file: RawFile;
  try {
    if (!Deno.lstatSync(path).isFile) return undefined;
    file = RawFile.openCached(path);
  } catch {
    return undefined; // the -wal is judged without it
  }
  const bytes = new Uint8Array(2 * COPY_BYTES);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (file.read(0, bytes) < bytes.length) return undefined;
    const index = parseIndex(bytes);
    if (index !== undefined) return index;
  }
  return undefined;
}

function parseIndex(bytes: Uint8Array<ArrayBuffer>): WalIndex | undefined {
  for (let i = 0; i < COPY_BYTES; i++) if (bytes[i] !== bytes[COPY_BYTES + i]) return undefined;
  const view = new DataView(bytes.buffer);
  const native = (at: number) => view.getUint32(at, IS_LITTLE_ENDIAN);
  const isInitialized = bytes[12] !== 0;
  if (native(0) !== VERSION || !isInitialized) return undefined;
  const sums = checksum(bytes.subarray(0, 40), [0, 0], !IS_LITTLE_ENDIAN);
  if (!isSamePair(sums, [native(40), native(44)])) return undefined;
  // The salts are copied from the -wal as they are there.
  return { count: native(16), sums: [native(24), native(28)], salts: [view.getUint32(32), view.getUint32(36)] };
}
