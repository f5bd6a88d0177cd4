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
