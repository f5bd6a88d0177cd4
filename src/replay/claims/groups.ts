/**
 * The groups of claims that a run of operations concerns: loaded together, changed in memory, written together.
 *
 * @module
 */

import type { Connection } from "../../log/connection.ts";
import { Standing } from "./columns.ts";
import type { Fact } from "./facts.ts";
import type { Verdict } from "./rules.ts";

// json_each has columns named key, value and id of its own.
const INSERT_KEYS = "INSERT INTO mnema_keys (key) SELECT value FROM json_each(?) RETURNING id, key, ruled, winner";
const KEY = "SELECT keyed.id, keyed.key, ruled, winner FROM json_each(?) AS wanted JOIN mnema_keys AS keyed ON ";
const SELECT_KEYS = KEY + "keyed.key = wanted.value";
const SELECT_KEYS_BY_ID = KEY + "keyed.id = wanted.value";
const MARK_RULED = "UPDATE mnema_keys SET ruled = 1 WHERE id IN (SELECT value FROM json_each(?))";
const UPDATE_WINNERS = "UPDATE mnema_keys SET winner = new.value ->> 1 FROM json_each(?) AS new " +
  "WHERE mnema_keys.id = new.value ->> 0";

const GROUP = "SELECT grouped.id, grouped.key, grouped.value, standing, cause, latest, depth, op_id FROM ";
const JOIN_LATEST = " LEFT JOIN mnema_claims AS claim ON claim.seq = latest";
const INSERT_GROUPS = "INSERT INTO mnema_values (key, value) SELECT value ->> 0, value ->> 1 FROM json_each(?) " +
  "RETURNING id, key, value, standing, cause, latest, NULL, NULL";
const SELECT_GROUPS = GROUP + "json_each(?) AS wanted JOIN mnema_values AS grouped " +
  "ON grouped.key = wanted.value ->> 0 AND grouped.value = wanted.value ->> 1" + JOIN_LATEST;
const SELECT_GROUPS_BY_ID = GROUP + "json_each(?) AS wanted JOIN mnema_values AS grouped ON grouped.id = wanted.value" +
  JOIN_LATEST;
const SELECT_GROUPS_OF_KEY = GROUP + "mnema_values AS grouped" + JOIN_LATEST + " WHERE grouped.key = ?";
const UPDATE_GROUPS = "UPDATE mnema_values SET standing = new.value ->> 1, cause = new.value ->> 2, " +
  "latest = new.value ->> 3 FROM json_each(?) AS new WHERE mnema_values.id = new.value ->> 0";
const SELECT_LATEST = "SELECT seq, depth, op_id FROM mnema_claims WHERE value = ? AND support = 0 " +
  "ORDER BY depth DESC, op_id DESC LIMIT 1";
const SELECT_WINNER =
  "SELECT grouped.id FROM mnema_values AS grouped JOIN mnema_claims AS claim ON claim.seq = latest " +
  "WHERE grouped.key = ? AND standing < 2 ORDER BY depth DESC, op_id DESC LIMIT 1";

/** A claim, and where it stands in the order of replay. */
export interface Ranked {
  /** Its place in the log. */
  seq: number;
  /** Its depth. */
  depth: number;
  /** Its id. */
  opId: string;
}

/** The claims of one key and one value. */
export interface Group {
  /** Its number. */
  readonly id: number;
  /** The number of its key. */
  readonly key: number;
  /** How it stands. */
  standing: number;
  /** The refute or correction that felled it. */
  cause: number | null;
  /** The last of its sound claims in the order of replay. */
  latest: Ranked | undefined;
  /** Whether `latest` was lost, and must be looked for. */
  isStale: boolean;
}

interface Key {
  readonly id: number;
  ruled: boolean;
  /** The group that holds. */
  winner: number | null;
}

type GroupRow = [number, number, string, number, number | null, number | null, number | null, string | null];

/** The groups that a run of operations concerns. */
export class Groups {
  readonly #connection: Connection;
  readonly #keys = new Map<number, Key>();
  readonly #keyIds = new Map<string, number>();
  readonly #groups = new Map<number, Group>();
  readonly #ids = new Map<number, Map<string, number>>();
  readonly #changed = new Set<Group>();
  /** Those whose claims, or whose standing, may make another group of their key hold. */
  readonly #touched = new Set<Group>();

  /** @param connection The log's file, inside a transaction. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Makes and loads the groups that facts name. */
  load(facts: readonly Fact[]): void {
    const keys = [...new Set(facts.map(({ key }) => key))];
    this.#loadKeys(SELECT_KEYS, keys);
    this.#loadKeys(INSERT_KEYS, keys.filter((key) => !this.#keyIds.has(key)));
    const named: [key: number, value: string][] = [];
    for (const { key, value } of facts) {
      if (value === null) continue;
      const id = this.keyId(key);
      const ids = this.#idsOf(id);
      if (ids.has(value)) continue;
      ids.set(value, 0); // until it is loaded
      named.push([id, value]);
    }
    this.#loadGroups(SELECT_GROUPS, named);
    this.#loadGroups(INSERT_GROUPS, named.filter(([key, value]) => this.#idsOf(key).get(value) === 0));
  }

  /** The number of a key that was loaded. */
  keyId(key: string): number {
    return this.#keyIds.get(key)!;
  }

  /** A group that was loaded. */
  of(key: string, value: string): Group {
    return this.#groups.get(this.#ids.get(this.keyId(key))!.get(value)!)!;
  }

  /** A group, which is loaded when it was not. */
  get(id: number): Group {
    if (!this.#groups.has(id)) this.#loadGroups(SELECT_GROUPS_BY_ID, [id]);
    return this.#groups.get(id)!;
  }

  /** The groups of a key that were loaded. */
  ofKey(key: number): Group[] {
    return [...this.#ids.get(key)?.values() ?? []].map((id) => this.#groups.get(id)!);
  }

  /** Loads every group of a key. */
  loadAllOf(key: number): void {
    this.#keepGroups(this.#connection.query(SELECT_GROUPS_OF_KEY).values<GroupRow>(key));
  }

  /** Notes that there are rules for keys. */
  markRuled(keys: readonly string[]): Set<number> {
    const ids = new Set(keys.map((key) => this.keyId(key)));
    for (const id of ids) this.#keys.get(id)!.ruled = true;
    this.#connection.query(MARK_RULED).run(JSON.stringify([...ids]));
    return ids;
  }

  /** The keys that were loaded for which there are rules. */
  ruledKeys(): number[] {
    return [...this.#keys.values()].filter(({ ruled }) => ruled).map(({ id }) => id);
  }

  /** Notes how the rules of its key judge a group. */
  setVerdict(group: Group, verdict: Verdict): void {
    // Which of those that are not felled holds is for `save` to find.
    const standing = verdict?.standing ?? (group.standing < Standing.corrected ? group.standing : Standing.superseded);
    const cause = verdict?.cause ?? null;
    if (standing === group.standing && cause === group.cause) return;
    Object.assign(group, { standing, cause });
    this.#changed.add(group);
    this.#touched.add(group);
  }

  /** Notes that a group has one more sound claim. */
  gain(group: Group, claim: Ranked): void {
    this.#touched.add(group);
    if (group.isStale || (group.latest !== undefined && !isAfter(claim, group.latest))) return;
    group.latest = claim;
    this.#changed.add(group);
  }

  /** Notes that a claim of a group is no longer sound. */
  lose(group: Group, seq: number): void {
    if (group.latest?.seq !== seq) return;
    group.isStale = true;
    this.#changed.add(group);
    this.#touched.add(group);
  }

  /** Writes how groups stand, for what reads it from the tables. */
  saveStandings(): void {
    if (this.#changed.size === 0) return;
    const rows = [...this.#changed].map((
      { id, standing, cause, latest },
    ) => [id, standing, cause, latest?.seq ?? null]);
    this.#connection.query(UPDATE_GROUPS).run(JSON.stringify(rows));
    this.#changed.clear();
  }

  /** Finds the groups that hold now, and writes everything. */
  save(): void {
    const touched = Map.groupBy(this.#touched, ({ key }) => key);
    this.#loadKeys(SELECT_KEYS_BY_ID, [...touched.keys()].filter((key) => !this.#keys.has(key)));
    const holders = [...touched.keys()].flatMap((key) => this.#keys.get(key)!.winner ?? []);
    this.#loadGroups(SELECT_GROUPS_BY_ID, holders.filter((id) => !this.#groups.has(id)));
    for (const group of this.#touched) if (group.isStale) this.#findLatest(group);
    const winners: [number, number | null][] = [];
    for (const [id, groups] of touched) {
      const key = this.#keys.get(id)!;
      const winner = this.#winnerOf(key, groups);
      for (const group of new Set([...groups, ...this.#groupOf(key.winner), ...this.#groupOf(winner)])) {
        const standing = group.id === winner ? Standing.active : Standing.superseded;
        if (group.standing >= Standing.corrected || group.standing === standing) continue;
        group.standing = standing;
        this.#changed.add(group);
      }
      if (winner !== key.winner) winners.push([id, winner]);
      key.winner = winner;
    }
    this.saveStandings();
    if (winners.length > 0) this.#connection.query(UPDATE_WINNERS).run(JSON.stringify(winners));
  }

  #groupOf(id: number | null): Group[] {
    return id === null ? [] : [this.get(id)];
  }

  /** The group that holds: of those that are not felled, the one with the latest sound claim. */
  #winnerOf(key: Key, touched: readonly Group[]): number | null {
    const [holder] = this.#groupOf(key.winner);
    if (holder !== undefined && (!isEligible(holder) || holder.isStale)) {
      this.saveStandings(); // where it is looked for
      return this.#connection.query(SELECT_WINNER).value<[number]>(key.id)?.[0] ?? null;
    }
    let best = holder;
    for (const group of touched) {
      if (isEligible(group) && (best === undefined || isAfter(group.latest!, best.latest!))) best = group;
    }
    return best?.id ?? null;
  }

  #findLatest(group: Group): void {
    const row = this.#connection.query(SELECT_LATEST).value<[number, number, string]>(group.id);
    group.latest = row && { seq: row[0], depth: row[1], opId: row[2] };
    this.#changed.add(group);
  }

  #loadKeys(sql: string, wanted: readonly unknown[]): void {
    if (wanted.length === 0) return;
    const rows = this.#connection.query(sql).values<[number, string, number, number | null]>(JSON.stringify(wanted));
    for (const [id, key, ruled, winner] of rows) {
      this.#keys.set(id, { id, ruled: ruled === 1, winner });
      this.#keyIds.set(key, id);
    }
  }

  #loadGroups(sql: string, wanted: readonly unknown[]): void {
    if (wanted.length > 0) this.#keepGroups(this.#connection.query(sql).values<GroupRow>(JSON.stringify(wanted)));
  }

  #keepGroups(rows: GroupRow[]): void {
    for (const [id, key, value, standing, cause, latest, depth, opId] of rows) {
      if (this.#groups.has(id)) continue;
      const ranked = latest === null ? undefined : { seq: latest, depth: depth!, opId: opId! };
      this.#groups.set(id, { id, key, standing, cause, latest: ranked, isStale: false });
      this.#idsOf(key).set(value, id);
    }
  }

  /** The numbers of a key's groups, by their values. */
  #idsOf(key: number): Map<string, number> {
    let ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, ids = new Map());
    return ids;
  }
}

function isEligible({ standing, latest }: Group): boolean {
  return standing < Standing.corrected && latest !== undefined;
}

/** The order of replay: by depth, then id. */
function isAfter(a: Ranked, b: Ranked): boolean {
  return a.depth !== b.depth ? a.depth > b.depth : a.opId > b.opId;
}
