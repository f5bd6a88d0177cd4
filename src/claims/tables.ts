/**
 * The tables that claims are kept in.
 *
 * Claims of one key and one value are a group, a row of `mnema_values`: refutes, corrections and what supersedes them
 * concern all of them alike. What is particular to a claim is what it was derived from. Its status follows from both:
 * the standing of its group and its own support.
 *
 * - `mnema_keys`: a key (as `keyText` has it), whether there are rules for it, the `seq` of the last of its claims in the
 *   order of replay that lives, and the group of that, which holds.
 * - `mnema_values`: a group; `value` is as `valueText` has it, `cause` the `seq` of the refute or correction that felled
 *   it.
 * - `mnema_claims`: a claim; `missing` counts the inputs that are not in the log, `inputs` lists the `seq` of the others,
 *   sorted, with commas between; `via` is the input that fell.
 * - `mnema_edges`: from an input to a claim, by `seq`. `mnema_awaited`: the same for inputs that are not in the log.
 * - `mnema_rules`: refutes and corrections; a refute of a whole key has no `value`.
 * - `mnema_names`: authors and derivers.
 *
 * @module
 */

import { depths } from "../derived/depths.ts";
import type { TableProjection } from "../derived/table_projection.ts";
import { ClaimsRun } from "./catch_up.ts";

/** The claims of a log. */
export const claims: TableProjection = {
  name: "claims",
  version: 2,
  needs: [depths],
  tables: {
    mnema_keys:
      "(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, ruled INTEGER NOT NULL, winner INTEGER, latest INTEGER)",
    mnema_values: "(id INTEGER PRIMARY KEY, key INTEGER NOT NULL, value TEXT NOT NULL, standing INTEGER NOT NULL, " +
      "cause INTEGER, UNIQUE (key, value))",
    mnema_names: "(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    mnema_claims: "(seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL, depth INTEGER NOT NULL, value INTEGER NOT NULL, " +
      "author INTEGER NOT NULL, deriver INTEGER, missing INTEGER NOT NULL, support INTEGER NOT NULL, via INTEGER, " +
      "inputs TEXT NOT NULL)",
    mnema_edges: "(input INTEGER NOT NULL, claim INTEGER NOT NULL, PRIMARY KEY (input, claim)) WITHOUT ROWID",
    mnema_awaited: "(op_id TEXT NOT NULL, claim INTEGER NOT NULL, PRIMARY KEY (op_id, claim)) WITHOUT ROWID",
    mnema_rules: "(seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL, depth INTEGER NOT NULL, key INTEGER NOT NULL, " +
      "value INTEGER, is_correction INTEGER NOT NULL)",
  },
  indexes: {
    mnema_values_felled: "mnema_values (standing) WHERE standing > 0",
    mnema_claims_value: "mnema_claims (value, support)",
    mnema_claims_author: "mnema_claims (author)",
    mnema_claims_deriver: "mnema_claims (deriver)",
    mnema_claims_unsound: "mnema_claims (support) WHERE support > 0",
    mnema_rules_key: "mnema_rules (key)",
  },
  start: (connection) => new ClaimsRun(connection),
};
