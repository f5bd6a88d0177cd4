/**
 * Catch-up of the claims tables, a batch of operations at a time.
 *
 * For each batch: insert its refutes and corrections as rules; find the verdicts on the groups of keys with rules; insert
 * its claims with the support by their inputs; propagate changes of support to derived claims; and find the winning group
 * of each changed key.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import type { Batch } from "../derived/batch.ts";
import type { Run } from "../derived/table_projection.ts";
import { Standing, Support } from "./encoding.ts";
import { readStatements, type Statement } from "./statements.ts";
import type { FallRecord } from "./cascade.ts";
import { Groups, type Key } from "./groups.ts";
import { judge, readRules } from "./rules.ts";
import { conditionOf, type InputState, settle, supported } from "./settle.ts";

const INSERT_NAMES = "INSERT OR IGNORE INTO mnema_names (name) SELECT value FROM json_each(?)";
const SELECT_NAMES = "SELECT name, id FROM mnema_names WHERE name IN (SELECT value FROM json_each(?))";

const SELECT_INPUTS =
  "SELECT wanted.value, ops.seq, claim.depth, claim.support, standing FROM json_each(?) AS wanted " +
  "JOIN ops ON ops.op_id = wanted.value LEFT JOIN mnema_claims AS claim ON claim.seq = ops.seq " +
  "LEFT JOIN mnema_values AS grouped ON grouped.id = claim.value";
const INSERT_CLAIMS = "INSERT INTO mnema_claims " +
  "(seq, op_id, depth, value, author, deriver, missing, support, via, inputs, confidence) " +
  "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, " +
  "value ->> 8, value ->> 9, value ->> 10 FROM json_each(?)";
// Sorted: inserting neighbouring rows together is faster.
const INSERT_EDGES = "INSERT INTO mnema_edges (input, claim) SELECT input.value, claim.value ->> 0 " +
  "FROM json_each(?) AS claim, json_each('[' || (claim.value ->> 9) || ']') AS input ORDER BY 1, 2";
const INSERT_AWAITED = "INSERT INTO mnema_awaited (op_id, claim) SELECT value ->> 0, value ->> 1 FROM json_each(?)";

const ANY_AWAITED = "SELECT 1 FROM mnema_awaited LIMIT 1";
const SELECT_ARRIVED = "SELECT ops.seq, ops.op_id, claim FROM ops CROSS JOIN mnema_awaited USING (op_id) " +
  "WHERE ops.seq > ? AND ops.seq <= ? ORDER BY ops.seq";
const DELETE_ARRIVED = "DELETE FROM mnema_awaited WHERE op_id IN (SELECT value FROM json_each(?))";
const INSERT_ARRIVED = "INSERT INTO mnema_edges (input, claim) SELECT value ->> 0, value ->> 1 FROM json_each(?)";
const CONNECT_ARRIVED = "UPDATE mnema_claims SET missing = missing - new.value ->> 1, " +
  "inputs = inputs || iif(inputs = '', '', ',') || (new.value ->> 2) FROM json_each(?) AS new " +
  "WHERE seq = new.value ->> 0 RETURNING seq, missing";

const INSERT_RULES = "INSERT INTO mnema_rules (seq, op_id, depth, key, value, is_correction) " +
  "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)";

// A claim that precedes its input in the log was computed as if the input were sound.
const SELECT_EARLIER_DEPENDENTS = "SELECT DISTINCT claim FROM json_each(?) AS wanted JOIN mnema_edges " +
  "ON input = wanted.value AND claim < wanted.value";
const SELECT_DEPENDENTS_OF_GROUPS = "SELECT DISTINCT mnema_edges.claim FROM json_each(?) AS wanted " +
  "JOIN mnema_claims ON mnema_claims.value = wanted.value JOIN mnema_edges ON input = seq";
const SELECT_OF_GROUPS = "SELECT seq, wanted.value FROM json_each(?) AS wanted " +
  "JOIN mnema_claims AS claim ON claim.value = wanted.value AND support < 2";
const UPDATE_CLAIMS = "UPDATE mnema_claims SET support = new.value ->> 1, via = new.value ->> 2 " +
  "FROM json_each(?) AS new WHERE seq = new.value ->> 0";

/** A catch-up run of the claims tables. */
export class ClaimsRun implements Run {
  readonly #connection: Connection;
  readonly #falls?: FallRecord;

  /**
   * @param connection The log's file, inside a transaction.
   * @param falls Records the claims that fall, and that rise again.
   */
  constructor(connection: Connection, falls?: FallRecord) {
    this.#connection = connection;
    this.#falls = falls;
  }

  /** @inheritdoc */
  apply(batch: Batch): void {
    for (const part of batch.parts()) this.#apply(part);
  }

  #apply(batch: Batch): void {
    const statements = readStatements(this.#connection, batch);
    const arrived = this.#arrived(batch);
    if (statements.length === 0 && arrived.length === 0) return;

    const groups = new Groups(this.#connection);
    groups.load(statements);
    const ruled = this.#insertRules(statements, groups);
    const unsettled = this.#judge(ruled, groups);
    const unsound = this.#insertClaims(statements, groups, batch);
    for (const claim of this.#claims(SELECT_EARLIER_DEPENDENTS, unsound)) unsettled.add(claim);
    for (const claim of this.#connect(arrived, new Set(unsound))) unsettled.add(claim);
    groups.save();
    this.#settle(unsettled, groups);
    groups.save();
  }

  /** Inputs in this batch of claims that precede it. */
  #arrived({ after, last }: Batch): [input: number, opId: string, claim: number][] {
    if (this.#connection.query(ANY_AWAITED).value() === undefined) return [];
    return this.#connection.query(SELECT_ARRIVED).values(after, last);
  }

  /** Inserts refutes and corrections, and returns their keys. */
  #insertRules(statements: readonly Statement[], groups: Groups): Set<Key> {
    const rules = statements.filter(({ kind }) => kind !== "assert");
    if (rules.length === 0) return new Set();
    const ruled = new Set<Key>();
    const rows = rules.map(({ seq, opId, depth, key: text, value, kind }) => {
      const key = groups.key(text);
      groups.markRuled(key);
      ruled.add(key);
      return [seq, opId, depth, key.id, value === null ? null : groups.of(text, value).id, Number(kind === "correct")];
    });
    this.#connection.query(INSERT_RULES).run(JSON.stringify(rows));
    return ruled;
  }

  /**
   * Updates the verdicts on all groups of keys with new rules, and on new groups of keys with older rules.
   *
   * @returns The `seq` of claims derived from claims whose verdict has changed.
   */
  #judge(ruled: ReadonlySet<Key>, groups: Groups): Set<number> {
    const turned = new Map<number, boolean>();
    for (const key of groups.ruledKeys()) {
      const verdictOn = judge(readRules(this.#connection, key.id));
      if (ruled.has(key)) groups.loadAllOf(key);
      for (const group of key.groups.values()) {
        const verdict = verdictOn(group.id);
        const fell = group.standing !== Standing.upheld;
        groups.setVerdict(group, verdict);
        if (fell === (verdict !== undefined)) continue;
        turned.set(group.id, !fell);
      }
    }
    groups.saveStandings();
    this.#recordFalls(turned);
    return this.#claims(SELECT_DEPENDENTS_OF_GROUPS, [...turned.keys()]);
  }

  /** Records falls and rises by verdict, except of claims that were invalidated by an input before. */
  #recordFalls(turned: ReadonlyMap<number, boolean>): void {
    if (this.#falls === undefined) return;
    const rows = this.#connection.query(SELECT_OF_GROUPS).values<[number, number]>(JSON.stringify([...turned.keys()]));
    for (const [seq, group] of rows) this.#falls.add(seq, turned.get(group)!);
  }

  /**
   * Inserts asserts and corrections.
   *
   * @returns The `seq` of those that are not sound.
   */
  #insertClaims(statements: readonly Statement[], groups: Groups, batch: Batch): number[] {
    const claims = statements.filter(({ kind }) => kind !== "refute");
    if (claims.length === 0) return [];
    const names = this.#names(claims);
    const inputs = this.#inputs(claims, batch);
    const rows: unknown[] = [];
    const awaited: [string, number][] = [];
    const unsound: number[] = [];
    for (const { seq, opId, depth, author, key, value, deriver, inputs: inputIds, confidence } of claims) {
      const group = groups.of(key, value!);
      const present: number[] = [];
      const unsoundInputs: InputState[] = [];
      for (const id of inputIds) {
        const input = inputs.get(id);
        if (input === undefined) awaited.push([id, seq]);
        else {
          present.push(input.seq);
          if (input.condition !== Support.sound) unsoundInputs.push(input);
        }
      }
      const missing = inputIds.length - present.length;
      const { support, via } = supported(missing, unsoundInputs);
      const [by, derivedBy, list] = [names.get(author), names.get(deriver!), present.sort((a, b) => a - b).join()];
      rows.push([seq, opId, depth, group.id, by, derivedBy, missing, support, via, list, confidence]);
      const condition = conditionOf(support, group.standing);
      inputs.set(opId, { seq, opId, depth, condition });
      if (condition !== Support.sound) unsound.push(seq);
      if (support === Support.sound) groups.gain(group, { seq, depth, opId });
    }
    const table = JSON.stringify(rows);
    this.#connection.query(INSERT_CLAIMS).run(table);
    this.#connection.query(INSERT_EDGES).run(table);
    if (awaited.length > 0) this.#connection.query(INSERT_AWAITED).run(JSON.stringify(awaited));
    return unsound;
  }

  #names(claims: readonly Statement[]): Map<string, number> {
    const names = new Set<string>();
    for (const { author, deriver } of claims) {
      names.add(author);
      if (deriver !== null) names.add(deriver);
    }
    const list = JSON.stringify([...names]);
    this.#connection.query(INSERT_NAMES).run(list);
    return new Map(this.#connection.query(SELECT_NAMES).values<[string, number]>(list));
  }

  /**
   * The inputs of claims that are in the log, by id. A claim of this batch counts as sound until it is inserted, and so does
   * one of a later batch.
   */
  #inputs(claims: readonly Statement[], batch: Batch): Map<string, InputState> {
    const named = new Set(claims.flatMap(({ inputs }) => inputs));
    const states = new Map<string, InputState>();
    for (const { seq, opId } of batch.links()) {
      if (named.delete(opId)) states.set(opId, { seq, opId, depth: 0, condition: Support.sound });
    }
    if (named.size === 0) return states;
    const rows = this.#connection.query(SELECT_INPUTS)
      .values<[string, number, number | null, InputState["condition"] | null, number | null]>(
        JSON.stringify([...named].sort()),
      );
    for (const [opId, seq, depth, support, standing] of rows) {
      const condition = support === null ? Support.sound : conditionOf(support, standing!);
      states.set(opId, { seq, opId, depth: depth ?? 0, condition });
    }
    return states;
  }

  /**
   * Adds the edges from inputs in this batch to the claims that precede it.
   *
   * @returns The `seq` of claims whose support may change: those with all inputs, and those with an unsound one.
   */
  #connect(
    arrived: readonly [input: number, opId: string, claim: number][],
    unsound: ReadonlySet<number>,
  ): Set<number> {
    if (arrived.length === 0) return new Set();
    this.#connection.query(DELETE_ARRIVED).run(JSON.stringify([...new Set(arrived.map(([, opId]) => opId))]));
    this.#connection.query(INSERT_ARRIVED).run(JSON.stringify(arrived.map(([input, , claim]) => [input, claim])));
    const inputs = [...Map.groupBy(arrived, ([, , claim]) => claim)]
      .map(([claim, rows]) => [claim, rows.length, rows.map(([input]) => input).join()]);
    const rows = this.#connection.query(CONNECT_ARRIVED).values<[number, number]>(JSON.stringify(inputs));
    const changed = new Set(rows.filter(([, missing]) => missing === 0).map(([claim]) => claim));
    for (const [input, , claim] of arrived) if (unsound.has(input)) changed.add(claim);
    return changed;
  }

  /** Updates the support of claims and of those derived from them, and the winners of their keys. */
  #settle(unsettled: ReadonlySet<number>, groups: Groups): void {
    const settled = settle(this.#connection, unsettled);
    if (settled.length === 0) return;
    const rows = settled.map(({ claim, now }) => [claim.seq, now.support, now.via]);
    this.#connection.query(UPDATE_CLAIMS).run(JSON.stringify(rows));
    const turned = settled.filter(({ before, now }) => before.support !== now.support);
    groups.loadById(turned.map(({ group }) => group));
    for (const { claim, group, standing, before, now } of turned) {
      if (now.support === Support.sound) groups.gain(groups.get(group), claim);
      else if (before.support === Support.sound) groups.lose(groups.get(group), claim.seq);
      const conditions = [before, now].map(({ support }) => conditionOf(support, standing));
      const fell = conditions.map((condition) => condition === Support.invalidated);
      if (fell[0] !== fell[1]) this.#falls?.add(claim.seq, fell[1]);
    }
  }

  #claims(sql: string, ids: readonly number[]): Set<number> {
    if (ids.length === 0) return new Set();
    return new Set(this.#connection.query(sql).values<[number]>(JSON.stringify(ids)).map(([seq]) => seq));
  }
}
