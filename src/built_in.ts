/**
 * The projections that are built in: the one place that lists them.
 *
 * @module
 */

import { claims } from "./claims/tables.ts";
import { children } from "./derived/children.ts";
import { counts } from "./derived/counts.ts";
import { depths } from "./derived/depths.ts";
import { heads } from "./derived/heads.ts";
import { ranges } from "./derived/ranges.ts";
import type { TableProjection } from "./derived/table_projection.ts";
import { times } from "./derived/times.ts";
import { tree } from "./derived/tree.ts";

/** Those that are caught up as operations are appended. */
export const FOLLOWERS: readonly TableProjection[] = [heads, tree];

/** Those that are caught up as many operations are appended at once. */
export const BULK_FOLLOWERS: readonly TableProjection[] = [ranges];

/** Those that a rebuild makes at once; the others are rebuilt before they are next read. */
export const REBUILT: readonly TableProjection[] = [...FOLLOWERS, claims];

/** All of them. */
export const BUILT_IN: readonly TableProjection[] = [
  ...FOLLOWERS,
  ...BULK_FOLLOWERS,
  depths,
  children,
  times,
  counts,
  claims,
];
