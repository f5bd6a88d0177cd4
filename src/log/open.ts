/**
 * Opens the file of a log: checks the options, and makes sure that the file holds a log.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { openConnection } from "../sqlite/open.ts";
import { CACHE_KIB } from "./cache.ts";
import { requireInteger, requireObject } from "./entries.ts";
import type { Definitions } from "./objects.ts";
import { ensureSchema } from "./schema.ts";
import { MAX_OPERATION_BYTES } from "./writer.ts";

/** How a log is opened. */
export interface OpenOptions {
  /**
   * `"full"`, the default: when an append returns, a power cut does not lose it. `"normal"`: faster, and a power cut
   * may lose the last appends, but never leaves a log that is not valid.
   */
  durability?: "full" | "normal";
  /** Refuses every change: the log in the file stays as it is. */
  readonly?: boolean;
  /** Makes the file when there is none: true by default. */
  create?: boolean;
  /** Limit of the wire text of an operation that is appended, in bytes of UTF-8: 1 MiB by default. */
  maxOperationBytes?: number;
  /** How long to wait while another process or worker writes, in milliseconds: 5,000 by default. */
  busyTimeoutMs?: number;
}

/**
 * With the write-ahead log, EXTRA is FULL. Where SQLite keeps its rollback journal, a commit is the deletion of that, which
 * EXTRA alone syncs; and less than FULL would sync that journal only once, so that a power cut can leave one that undoes
 * what was never done.
 */
const SYNCHRONOUS = { full: "EXTRA", normal: "FULL" } as const;
const NORMAL_WITH_WAL = "PRAGMA synchronous = NORMAL";
const DEFAULT_BUSY_TIMEOUT_MS = 5000;
/** A checkpoint copies a page that changed often only once: after so many pages, about 100 MB. */
const CHECKPOINT_PAGES = 25_000;

/**
 * Opens a log, and makes it when there is none.
 *
 * @param path The file, or `":memory:"`.
 * @param options How to open it.
 * @param definitions The SQL that creates each schema object of the log.
 * @returns The connection, and the limit of a wire text.
 * @throws As `OpLog.open`.
 */
export function openLog(
  path: string | URL,
  options: OpenOptions,
  definitions: Definitions,
): { connection: Connection; maxOperationBytes: number } {
  requireObject("options", options);
  const {
    durability = "full",
    readonly = false,
    create = true,
    maxOperationBytes = MAX_OPERATION_BYTES,
    busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS,
  } = options;
  if (typeof path !== "string" && !(path instanceof URL)) {
    throw new LogError("invalid-argument", "a log is opened from a path, a string, or a file: URL");
  }
  if (durability !== "full" && durability !== "normal") {
    throw new LogError("invalid-argument", `durability is "full" or "normal", not ${JSON.stringify(durability)}`);
  }
  requireInteger("maxOperationBytes", maxOperationBytes, 1);
  requireInteger("busyTimeoutMs", busyTimeoutMs, 0);
  const settings = {
    synchronous: SYNCHRONOUS[durability],
    cache_size: -CACHE_KIB,
    wal_autocheckpoint: CHECKPOINT_PAGES,
  };
  const connection = openConnection(path, { readonly, create, busyTimeoutMs, settings });
  try {
    ensureSchema(connection, definitions);
    if (durability === "normal" && connection.journal === "wal") connection.execute(NORMAL_WITH_WAL);
  } catch (error) {
    connection.close();
    throw error;
  }
  return { connection, maxOperationBytes };
}
