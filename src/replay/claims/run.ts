/**
 * Brings the tables of claims up, a run of operations at a time.
 *
 * In each run: what the operations say is written down; groups of claims are judged where there are refutes and
 * corrections; claims are supported, or not, by their inputs; what changes goes on to what was derived from it, until
 * nothing changes; and for each key concerned, the group that holds is found.
 *
 * @module
 */

import type { Connection } from "../../log/connection.ts";
import type { Batch } from "../batch.ts";
import { derivedDamaged } from "../damage.ts";
import type { Run } from "../projections.ts";
import { Standing, Support } from "./columns.ts";
import { type Fact, readFacts } from "./facts.ts";
import type { FallRecord } from "./cascade.ts";
import { type Group, Groups, type Key } from "./groups.ts";
import { isBefore, type Ranked } from "./order.ts";
import { judge, type Rule } from "./rules.ts";

const INSERT_NAMES = "INSERT OR IGNORE INTO mnema_names (name) SELECT value FROM json_each(?)";
const SELECT_NAMES = "SELECT name, id FROM mnema_names WHERE name IN (SELECT value FROM json_each(?))";

const SELECT_INPUTS =
  "SELECT wanted.value, ops.seq, claim.depth, claim.support, standing FROM json_each(?) AS wanted " +
  "JOIN ops ON ops.op_id = wanted.value LEFT JOIN mnema_claims AS claim ON claim.seq = ops.seq " +
  "LEFT JOIN mnema_values AS grouped ON grouped.id = claim.value";
const INSERT_CLAIMS = "INSERT INTO mnema_claims (seq, op_id, depth, value, author, deriver, missing, support, via) " +
  "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, " +
  "value ->> 8 FROM json_each(?)";
const INSERT_EDGES = "INSERT INTO mnema_edges (input, claim) SELECT value ->> 0, value ->> 1 FROM json_each(?)";
const INSERT_AWAITED = "INSERT INTO mnema_awaited (op_id, claim) SELECT value ->> 0, value ->> 1 FROM json_each(?)";

const ANY_AWAITED = "SELECT 1 FROM mnema_awaited LIMIT 1";
const SELECT_ARRIVED = "SELECT ops.seq, ops.op_id, claim FROM ops CROSS JOIN mnema_awaited USING (op_id) " +
  "WHERE ops.seq > ? AND ops.seq <= ?";
const DELETE_ARRIVED = "DELETE FROM mnema_awaited WHERE op_id IN (SELECT value FROM json_each(?))";
const COUNT_ARRIVED = "UPDATE mnema_claims SET missing = missing - arrived FROM " +
  "(SELECT value ->> 1 AS claim, count(*) AS arrived FROM json_each(?) GROUP BY 1) WHERE seq = claim";

const INSERT_RULES = "INSERT INTO mnema_rules (seq, op_id, depth, key, value, is_correction) " +
  "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)";
const SELECT_RULES = "SELECT seq, value, is_correction FROM mnema_rules WHERE key = ? ORDER BY depth, op_id";

const SELECT_DEPENDENTS = "SELECT DISTINCT claim FROM json_each(?) AS wanted JOIN mnema_edges ON input = wanted.value";
const SELECT_DEPENDENTS_OF_GROUPS = "SELECT DISTINCT mnema_edges.claim FROM json_each(?) AS wanted " +
  "JOIN mnema_claims ON mnema_claims.value = wanted.value JOIN mnema_edges ON input = seq";
const SELECT_OF_GROUP = "SELECT seq FROM mnema_claims WHERE value = ? AND support < 2";
const SELECT_CLAIMS =
  "SELECT seq, op_id, depth, claim.value, missing, support, via, standing FROM json_each(?) AS wanted " +
  "JOIN mnema_claims AS claim ON seq = wanted.value JOIN mnema_values AS grouped ON grouped.id = claim.value";
const SELECT_UNSOUND_INPUTS = "SELECT claim, seq, op_id, depth, support, standing FROM json_each(?) AS wanted " +
  "JOIN mnema_edges ON claim = wanted.value JOIN mnema_claims AS input ON seq = mnema_edges.input " +
  "JOIN mnema_values AS grouped ON grouped.id = input.value WHERE support > 0 OR standing > 0";
const UPDATE_CLAIMS = "UPDATE mnema_claims SET support = new.value ->> 1, via = new.value ->> 2 " +
  "FROM json_each(?) AS new WHERE seq = new.value ->> 0";

/** What an input does to what was derived from it: nothing, or it lacks something, or it fell. */
type Condition = typeof Support[keyof typeof Support];

/** An input, as far as it matters to what was derived from it. */
interface InputState extends Ranked {
  condition: Condition;
}

/** A claim's support, and the input that took it away. */
interface Supported {
  support: Condition;
  via: number | null;
}

/** Brings claims up to the end of the log. */
export class ClaimsRun implements Run {
  readonly #connection: Connection;
  readonly #falls?: FallRecord;

  /**
   * @param connection The log's file, inside a transaction.
   * @param falls Is told of claims that fall, and of those that rise again.
   */
  constructor(connection: Connection, falls?: FallRecord) {
    this.#connection = connection;
    this.#falls = falls;
  }

  /** @inheritdoc */
  apply(batch: Batch): void {
    const facts = readFacts(this.#connection, batch);
    const arrived = this.#arrived(batch);
    if (facts.length === 0 && arrived.length === 0) return;

    const groups = new Groups(this.#connection);
    groups.load(facts);
    const ruled = this.#insertRules(facts, groups);
    const unsettled = this.#judge(ruled, groups);
    for (const claim of this.#insertClaims(facts, groups, batch)) unsettled.add(claim);
    for (const claim of this.#connect(arrived)) unsettled.add(claim);
    groups.save();
    this.#settle(unsettled, groups);
    groups.save();
  }

  /** What claims waited for that is among these operations. */
  #arrived({ after, last }: Batch): [input: number, opId: string, claim: number][] {
    if (this.#connection.query(ANY_AWAITED).value() === undefined) return [];
    return this.#connection.query(SELECT_ARRIVED).values(after, last);
  }

  /** Writes refutes and corrections down, and returns the keys they are about. */
  #insertRules(facts: readonly Fact[], groups: Groups): Set<Key> {
    const rules = facts.filter(({ is }) => is !== "assert");
    if (rules.length === 0) return new Set();
    const ruled = new Set<Key>();
    const rows = rules.map(({ seq, opId, depth, key: text, value, is }) => {
      const key = groups.key(text);
      groups.markRuled(key);
      ruled.add(key);
      return [seq, opId, depth, key.id, value === null ? null : groups.of(text, value).id, Number(is === "correct")];
    });
    this.#connection.query(INSERT_RULES).run(JSON.stringify(rows));
    return ruled;
  }

  /**
   * Judges the groups of the keys that have new rules, and new groups of those that had some.
   *
   * @returns Claims derived from one that the verdict concerns.
   */
  #judge(ruled: ReadonlySet<Key>, groups: Groups): Set<number> {
    const turned: number[] = [];
    for (const key of groups.ruledKeys()) {
      const rules = this.#connection.query(SELECT_RULES).values<[number, number | null, number]>(key.id)
        .map(([seq, value, isCorrection]): Rule => ({ seq, value, isCorrection: isCorrection === 1 }));
      const verdictOn = judge(rules);
      if (ruled.has(key)) groups.loadAllOf(key);
      for (const group of key.groups.values()) {
        const verdict = verdictOn(group.id);
        const fell = group.standing !== Standing.upheld;
        groups.setVerdict(group, verdict);
        if (fell === (verdict !== undefined)) continue;
        turned.push(group.id);
        this.#noteFalls(group, !fell);
      }
    }
    groups.saveStandings();
    return this.#claims(SELECT_DEPENDENTS_OF_GROUPS, turned);
  }

  /** The claims of a group that fell, or rose, but for those that had fallen with an input. */
  #noteFalls(group: Group, fell: boolean): void {
    if (this.#falls === undefined) return;
    for (const [seq] of this.#connection.query(SELECT_OF_GROUP).values<[number]>(group.id)) this.#falls.note(seq, fell);
  }

  /**
   * Writes asserts and corrections down.
   *
   * @returns Claims derived from one of them that is not as sound as they took it for.
   */
  #insertClaims(facts: readonly Fact[], groups: Groups, batch: Batch): Set<number> {
    const claims = facts.filter(({ is }) => is !== "refute");
    if (claims.length === 0) return new Set();
    const names = this.#names(claims);
    const inputs = this.#inputs(claims, batch);
    const rows: unknown[] = [];
    const edges: [number, number][] = [];
    const awaited: [string, number][] = [];
    const unsound: number[] = [];
    for (const { seq, opId, depth, author, key, value, deriver, inputs: inputIds } of claims) {
      const group = groups.of(key, value!);
      const present: InputState[] = [];
      for (const id of inputIds) {
        const input = inputs.get(id);
        if (input === undefined) awaited.push([id, seq]);
        else {
          edges.push([input.seq, seq]);
          if (input.condition !== Support.sound) present.push(input);
        }
      }
      const missing = inputIds.reduce((count, id) => inputs.has(id) ? count : count + 1, 0);
      const { support, via } = supported(missing, present);
      rows.push([seq, opId, depth, group.id, names.get(author), names.get(deriver!), missing, support, via]);
      const condition = conditionOf(support, group.standing);
      inputs.set(opId, { seq, opId, depth, condition });
      if (condition !== Support.sound) unsound.push(seq);
      if (support === Support.sound) groups.gain(group, { seq, depth, opId });
    }
    this.#connection.query(INSERT_CLAIMS).run(JSON.stringify(rows));
    if (edges.length > 0) this.#connection.query(INSERT_EDGES).run(JSON.stringify(edges));
    if (awaited.length > 0) this.#connection.query(INSERT_AWAITED).run(JSON.stringify(awaited));
    // One that came before its input took it for sound.
    return this.#claims(SELECT_DEPENDENTS, unsound);
  }

  #names(claims: readonly Fact[]): Map<string, number> {
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
   * The inputs of claims that are in the log. A claim among these operations is taken for sound until its turn, and so is
   * one that is further on in the log.
   */
  #inputs(claims: readonly Fact[], batch: Batch): Map<string, InputState> {
    const named = new Set(claims.flatMap(({ inputs }) => inputs));
    const states = new Map<string, InputState>();
    for (const { seq, opId } of batch.links()) {
      if (named.delete(opId)) states.set(opId, { seq, opId, depth: 0, condition: Support.sound });
    }
    if (named.size === 0) return states;
    const rows = this.#connection.query(SELECT_INPUTS)
      .values<[string, number, number | null, Condition | null, number | null]>(JSON.stringify([...named].sort()));
    for (const [opId, seq, depth, support, standing] of rows) {
      const condition = support === null ? Support.sound : conditionOf(support, standing!);
      states.set(opId, { seq, opId, depth: depth ?? 0, condition });
    }
    return states;
  }

  /** Connects claims with what they waited for, and returns them. */
  #connect(arrived: readonly [input: number, opId: string, claim: number][]): number[] {
    if (arrived.length === 0) return [];
    this.#connection.query(DELETE_ARRIVED).run(JSON.stringify([...new Set(arrived.map(([, opId]) => opId))]));
    const edges = JSON.stringify(arrived.map(([input, , claim]) => [input, claim]));
    this.#connection.query(INSERT_EDGES).run(edges);
    this.#connection.query(COUNT_ARRIVED).run(edges);
    return arrived.map(([, , claim]) => claim);
  }

  /** Looks at claims again, and at what was derived from those that change, until nothing changes. */
  #settle(unsettled: Set<number>, groups: Groups): void {
    // A change goes on along edges, which have no cycle: after as many rounds as claims were looked at, all have settled.
    const met = new Set<number>();
    for (let rounds = 0; unsettled.size > 0; rounds++) {
      for (const claim of unsettled) met.add(claim);
      if (rounds > met.size) throw derivedDamaged(this.#connection, "a claim was derived from itself");
      const list = JSON.stringify([...unsettled]);
      const unsoundInputs = Map.groupBy(
        this.#connection.query(SELECT_UNSOUND_INPUTS).values<[number, number, string, number, Condition, number]>(list)
          .map(([claim, seq, opId, depth, support, standing]) => ({
            claim,
            seq,
            opId,
            depth,
            condition: conditionOf(support, standing),
          })),
        ({ claim }) => claim,
      );
      const changed: [number, Condition, number | null][] = [];
      const turned: number[] = [];
      const rows = this.#connection.query(SELECT_CLAIMS)
        .values<[number, string, number, number, number, Condition, number | null, number]>(list);
      groups.loadByNumber(rows.map(([, , , value]) => value));
      for (const [seq, opId, depth, value, missing, support, via, standing] of rows) {
        const now = supported(missing, unsoundInputs.get(seq) ?? []);
        if (now.support === support && now.via === via) continue;
        changed.push([seq, now.support, now.via]);
        if (now.support === support) continue;
        if (now.support === Support.sound) groups.gain(groups.get(value), { seq, depth, opId });
        else if (support === Support.sound) groups.lose(groups.get(value), seq);
        const [before, after] = [conditionOf(support, standing), conditionOf(now.support, standing)];
        if (before === after) continue;
        turned.push(seq);
        if ([before, after].includes(Support.invalidated)) this.#falls?.note(seq, after === Support.invalidated);
      }
      if (changed.length > 0) this.#connection.query(UPDATE_CLAIMS).run(JSON.stringify(changed));
      unsettled = this.#claims(SELECT_DEPENDENTS, turned);
    }
  }

  #claims(sql: string, ids: readonly number[]): Set<number> {
    if (ids.length === 0) return new Set();
    return new Set(this.#connection.query(sql).values<[number]>(JSON.stringify(ids)).map(([seq]) => seq));
  }
}

/** A claim's support by its inputs. The first that fell, in the order of replay, is the one it fell with. */
function supported(missing: number, unsound: readonly InputState[]): Supported {
  let fallen: InputState | undefined;
  for (const input of unsound) {
    if (input.condition !== Support.invalidated) continue;
    if (fallen === undefined || isBefore(input, fallen)) fallen = input;
  }
  if (fallen !== undefined) return { support: Support.invalidated, via: fallen.seq };
  return { support: missing > 0 || unsound.length > 0 ? Support.pending : Support.sound, via: null };
}

function conditionOf(support: Condition, standing: number): Condition {
  return standing !== Standing.upheld ? Support.invalidated : support;
}
