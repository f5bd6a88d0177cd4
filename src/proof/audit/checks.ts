/**
 * What is checked besides the log itself, once all of it was looked at.
 *
 * @module
 */

import type { Connection } from "../../log/connection.ts";
import type { TableProjection } from "../../replay/projections.ts";
import type { Finding } from "./findings.ts";
import type { SchemaObject } from "./schema.ts";

/** What was found out by the time a check of something besides the log itself runs. */
export interface AuditState {
  /** The last `seq`; 0 in an empty log. */
  lastSeq: number;
  /** What the schema of the file holds. It may be hostile: what is no plain table is not to be read. */
  objects: readonly SchemaObject[];
  /** Whether nothing is wrong with the rows up to a `seq`: else what follows from them need not be told again. */
  areSound(seq: number): boolean;
  /** What is kept of these was compared with the log up to its watermark, and is the same. */
  confirmed: ReadonlySet<TableProjection>;
}

/** A check of something besides the log itself. It reads; what a query throws because of damage becomes a finding. */
export type AuditCheck = (connection: Connection, state: AuditState) => Iterable<Finding>;

/** What is checked besides the log itself. */
export const CHECKS: readonly AuditCheck[] = [];
