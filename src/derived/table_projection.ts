/**
 * State that is derived from the operations and stored in tables beside the log.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { Batch } from "./batch.ts";
import type { Tables } from "./tables.ts";

/** State in tables. Their names start with `mnema_`, and are used without a schema: the tables may be temporary copies. */
export interface TableProjection extends Tables {
  /** Its name among the watermarks. */
  readonly name: string;
  /** Changes when the contents of the tables do: then they are rebuilt. */
  readonly version: number;
  /** Whether it reads the rows itself: it is given what is new as one batch, and no texts are read for it. */
  readonly readsRows?: boolean;
  /** The projections that must be caught up before it. */
  readonly needs?: readonly TableProjection[];
  /** Starts a catch-up run of tables that have seen operations up to a `seq`, inside a transaction. */
  start(connection: Connection, seen: number): Run;
}

/** One catch-up run of a projection. */
export interface Run {
  /** Applies the next operations. */
  apply(batch: Batch): void;
  /** Ends the run. */
  finish?(): void;
}

/** Projections with all that they need, each after what it needs. */
export function withNeeds(projections: readonly TableProjection[]): TableProjection[] {
  const all = new Set<TableProjection>();
  const add = (projection: TableProjection) => {
    projection.needs?.forEach(add);
    all.add(projection);
  };
  projections.forEach(add);
  return [...all];
}
