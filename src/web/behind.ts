/**
 * Which projection is to be caught up next.
 *
 * @module
 */

import { BUILT_IN } from "../built_in.ts";
import type { Projections } from "../derived/engine.ts";
import type { TableProjection } from "../derived/table_projection.ts";

/** Most pages read claims. */
const ORDER = BUILT_IN.toSorted((a, b) => Number(b.name === "claims") - Number(a.name === "claims"));

/** The first projection that has not seen the whole log; undefined when all have. */
export function behindOf(projections: Projections): TableProjection | undefined {
  return ORDER.find((projection) => projections.behind(projection) > 0);
}

/** Catches up a part of what is behind: on a connection that cannot write, in copies, which are made of all together. */
export function advance(projections: Projections, limit: number): void {
  const next = behindOf(projections);
  if (next !== undefined) projections.advance(limit, ...projections.isReadonly ? ORDER : [next]);
}
