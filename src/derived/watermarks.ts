/**
 * The watermark of a projection: the last `seq` that its tables have seen.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { TableProjection } from "./table_projection.ts";
import { dropNamed, hasTables } from "./tables.ts";

const SELECT = "SELECT seq FROM mnema_watermarks WHERE name = ? AND version = ?";
const UPSERT = "INSERT OR REPLACE INTO mnema_watermarks (name, version, seq) VALUES (?, ?, ?)";
const DELETE = "DELETE FROM mnema_watermarks WHERE name = ?";

/**
 * Reads a watermark.
 *
 * @param connection The log's file.
 * @param projection The projection.
 * @param last The last `seq` of the log.
 * @returns 0 when the tables must be rebuilt, as when one of them is not as it is created.
 */
export function readWatermark(connection: Connection, projection: TableProjection, last: number): number {
  if (!hasTables(connection, projection)) return 0;
  const { name, version } = projection;
  const [seq] = connection.query(SELECT).value<[unknown]>(name, version) ?? [0];
  return Number.isSafeInteger(seq) && (seq as number) >= 0 && (seq as number) <= last ? seq as number : 0;
}

/** Stores a watermark. */
export function setWatermark(connection: Connection, { name, version }: TableProjection, seq: number): void {
  connection.query(UPSERT).run(name, version, seq);
}

/** Deletes a watermark: the projection is rebuilt when it is next caught up. */
export function deleteWatermark(connection: Connection, { name }: TableProjection): void {
  connection.query(DELETE).run(name);
}

/** Drops all watermarks: every projection is rebuilt when it is next caught up. */
export function dropWatermarks(connection: Connection): void {
  dropNamed(connection, ["mnema_watermarks"], "main");
}
