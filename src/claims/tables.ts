/**
 * The derived tables of claims.
 *
 * Claims with the same key and value are a group, a row of `mnema_values`: refutes, corrections and superseding claims
 * apply to the whole group. The inputs are those of the single claim. Its status follows from the verdict on its group
 * (`standing`) and from its own `support`.
 *
 * - `mnema_keys`: `key` is encoded by `keyText`; `ruled` is 1 if it has rules; `latest` is the `seq` of its last claim in
 *   replay order that is neither fallen nor pending, and `winner` the group of that claim.
 * - `mnema_values`: the groups; `value` is encoded by `valueText`; `cause` is the `seq` of the refute or correction that
 *   caused the verdict.
 * - `mnema_claims`: `missing` is the number of inputs that are not in the log; `inputs` lists the `seq` of the others,
 *   sorted, separated by commas; `via` is the `seq` of the input that invalidates the claim; `confidence` is in parts per
 *   million.
 * - `mnema_edges`: an input and a claim derived from it, by `seq`.
 * - `mnema_awaited`: the same for inputs that are not in the log, by id.
 * - `mnema_rules`: refutes and corrections; `value` is NULL for a refute of a whole key.
 * - `mnema_names`: ids of authors and derivers.
 *
 * @module
 */

import { depths } from "../derived/depths.ts";
import type { TableProjection } from "../derived/table_projection.ts";
import { ClaimsRun } from "./catch_up.ts";

/** The projection of claims. */
export const claims: TableProjection = {
  name: "claims",
  version: 3,
  needs: [depths],
  tables: {
    mnema_keys:
      "(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, ruled INTEGER NOT NULL, winner INTEGER, latest INTEGER)",
    mnema_values: "(id INTEGER PRIMARY KEY, key INTEGER NOT NULL, value TEXT NOT NULL, standing INTEGER NOT NULL, " +
      "cause INTEGER, UNIQUE (key, value))",
    mnema_names: "(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    mnema_claims: "(seq INTEGER PRIMARY KEY, op_id TEXT NOT NULL, depth INTEGER NOT NULL, value INTEGER NOT NULL, " +
      "author INTEGER NOT NULL, deriver INTEGER, missing INTEGER NOT NULL, support INTEGER NOT NULL, via INTEGER, " +
      "inputs TEXT NOT NULL, confidence INTEGER NOT NULL)",
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
    mnema_claims_confidence: "mnema_claims (confidence)",
    mnema_claims_unsound: "mnema_claims (support) WHERE support > 0",
    mnema_rules_key: "mnema_rules (key)",
  },
  start: (connection) => new ClaimsRun(connection),
};
