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
const KEY = "SELECT keyed.id, keyed.key, ruled, winner FROM json_each(?) AS wanted JOIN mnema_keys AS keyed ON ";
const SELECT_KEYS = KEY + "keyed.key = wanted.value";
const SELECT_KEYS_BY_ID = KEY + "keyed.id = wanted.value";
const INSERT_KEYS = "INSERT INTO mnema_keys (id, key, ruled, winner) " +
  "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)";
const UPDATE_KEYS =
  "UPDATE mnema_keys SET ruled = new.value ->> 1, winner = new.value ->> 2 FROM json_each(?) AS new " +
  "WHERE mnema_keys.id = new.value ->> 0";

const GROUP = "SELECT grouped.id, grouped.key, grouped.value, standing, cause, latest, depth, op_id FROM ";
const JOIN_LATEST = " LEFT JOIN mnema_claims AS claim ON claim.seq = latest";
const SELECT_GROUPS = GROUP + "json_each(?) AS wanted JOIN mnema_values AS grouped " +
  "ON grouped.key = wanted.value ->> 0 AND grouped.value = wanted.value ->> 1" + JOIN_LATEST;
const SELECT_GROUPS_BY_ID = GROUP + "json_each(?) AS wanted JOIN mnema_values AS grouped ON grouped.id = wanted.value" +
  JOIN_LATEST;
const SELECT_GROUPS_OF_KEY = GROUP + "mnema_values AS grouped" + JOIN_LATEST + " WHERE grouped.key = ?";
const INSERT_GROUPS = "INSERT INTO mnema_values (id, key, value, standing, cause, latest) " +
  "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)";
const UPDATE_GROUPS = "UPDATE mnema_values SET standing = new.value ->> 1, cause = new.value ->> 2, " +
  "latest = new.value ->> 3 FROM json_each(?) AS new WHERE mnema_values.id = new.value ->> 0";

const SELECT_NEXT = "SELECT coalesce((SELECT max(id) FROM mnema_keys), 0) + 1, " +
  "coalesce((SELECT max(id) FROM mnema_values), 0) + 1";
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

/** What claims are about. */
export interface Key {
  /** Its number. */
  readonly id: number;
  /** The key itself, as the database has it. */
  readonly text: string;
  /** Whether there are refutes or corrections of it. */
  ruled: boolean;
  /** The number of the group that holds. */
  winner: number | null;
  /** Those of its groups that were loaded, by their values. */
  readonly groups: Map<string, Group>;
}

/** The claims of one key and one value. */
export interface Group {
  /** Its number. */
  readonly id: number;
  /** Its key. */
  readonly key: Key;
  /** Its value, as the database has it. */
  readonly value: string;
  /** How it stands. */
  standing: number;
  /** The refute or correction that felled it. */
  cause: number | null;
  /** The last of its sound claims in the order of replay. */
  latest: Ranked | undefined;
  /** Whether `latest` was lost, and must be looked for. */
  isStale: boolean;
}

type KeyRow = [number, string, number, number | null];
type GroupRow = [number, number, string, number, number | null, number | null, number | null, string | null];

/** The groups that a run of operations concerns. */
export class Groups {
  readonly #connection: Connection;
  readonly #keys = new Map<number, Key>();
  readonly #keysByText = new Map<string, Key>();
  readonly #groups = new Map<number, Group>();
  #nextKey = 0;
  #nextGroup = 0;
  readonly #newKeys = new Set<Key>();
  readonly #newGroups = new Set<Group>();
  readonly #changedKeys = new Set<Key>();
  readonly #changed = new Set<Group>();
  /** Those whose claims, or whose standing, may make another group of their key hold. */
  readonly #touched = new Set<Group>();

  /** @param connection The log's file, inside a transaction. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Loads the groups that facts name, and makes those that are not there. */
  load(facts: readonly Fact[]): void {
    [this.#nextKey, this.#nextGroup] = this.#connection.query(SELECT_NEXT).value<[number, number]>()!;
    this.#loadKeys(SELECT_KEYS, [...new Set(facts.map(({ key }) => key))].sort());
    const wanted = new Map<number, Set<string>>();
    for (const { key: text, value } of facts) {
      const key = this.#keysByText.get(text) ?? this.#makeKey(text);
      if (value === null || this.#newKeys.has(key)) continue;
      const values = wanted.get(key.id);
      if (values === undefined) wanted.set(key.id, new Set([value]));
      else values.add(value);
    }
    this.#loadGroups(SELECT_GROUPS, [...wanted].flatMap(([id, values]) => [...values].map((value) => [id, value])));
    for (const { key: text, value } of facts) {
      const key = this.key(text);
      if (value !== null && !key.groups.has(value)) this.#makeGroup(key, value);
    }
  }

  /** A key that was loaded. */
  key(text: string): Key {
    return this.#keysByText.get(text)!;
  }

  /** A group that was loaded. */
  of(key: string, value: string): Group {
    return this.key(key).groups.get(value)!;
  }

  /** A group, which is loaded when it was not. */
  get(id: number): Group {
    if (!this.#groups.has(id)) this.#loadGroups(SELECT_GROUPS_BY_ID, [id]);
    return this.#groups.get(id)!;
  }

  /** Loads every group of a key. */
  loadAllOf(key: Key): void {
    this.#keepGroups(this.#connection.query(SELECT_GROUPS_OF_KEY).values<GroupRow>(key.id));
  }

  /** Notes that there is a rule for a key. */
  markRuled(key: Key): void {
    key.ruled = true;
    this.#changedKeys.add(key);
  }

  /** The keys that were loaded for which there are rules. */
  ruledKeys(): Key[] {
    return [...this.#keys.values()].filter(({ ruled }) => ruled);
  }

  /** Notes how the rules of its key judge a group. */
  setVerdict(group: Group, verdict: Verdict): void {
    // Which of those that are not felled holds is for `save` to find.
    const standing = verdict?.standing ?? Math.min(group.standing, Standing.superseded);
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
    this.#touched.add(group);
  }

  /** Writes how groups that were there stand, for what reads it from the tables. */
  saveStandings(): void {
    const rows = [...this.#changed].filter((group) => !this.#newGroups.has(group)).map(stateOf);
    this.#write(UPDATE_GROUPS, rows);
  }

  /** Finds the groups that hold now, and writes everything. */
  save(): void {
    if (this.#touched.size > 0) this.#findWinners();
    this.#writeAll();
  }

  #findWinners(): void {
    const touched = Map.groupBy(this.#touched, ({ key }) => key);
    this.#touched.clear();
    const holders = [...touched.keys()].flatMap(({ winner }) => winner ?? []);
    this.#loadGroups(SELECT_GROUPS_BY_ID, holders.filter((id) => !this.#groups.has(id)));
    const lost: [Key, Group][] = [];
    for (const [key, groups] of touched) {
      const holder = key.winner === null ? undefined : this.get(key.winner);
      const isLost = holder !== undefined && (holder.isStale || !isEligible(holder));
      for (const group of groups) if (group.isStale) this.#findLatest(group);
      if (isLost) lost.push([key, holder]);
      else this.#setWinner(key, holder, latestOf(holder, groups));
    }
    if (lost.length === 0) return;
    this.#writeAll(); // where the others are looked for
    for (const [key, holder] of lost) {
      const [winner] = this.#connection.query(SELECT_WINNER).value<[number]>(key.id) ?? [];
      this.#setWinner(key, holder, winner === undefined ? undefined : this.get(winner));
    }
  }

  #setWinner(key: Key, holder: Group | undefined, winner: Group | undefined): void {
    if (holder !== undefined && holder !== winner && holder.standing === Standing.active) {
      holder.standing = Standing.superseded;
      this.#changed.add(holder);
    }
    if (winner !== undefined && winner.standing !== Standing.active) {
      winner.standing = Standing.active;
      this.#changed.add(winner);
    }
    const id = winner?.id ?? null;
    if (key.winner === id) return;
    key.winner = id;
    this.#changedKeys.add(key);
  }

  #findLatest(group: Group): void {
    const row = this.#connection.query(SELECT_LATEST).value<[number, number, string]>(group.id);
    group.latest = row && { seq: row[0], depth: row[1], opId: row[2] };
    group.isStale = false;
    this.#changed.add(group);
  }

  #writeAll(): void {
    for (const key of this.#newKeys) this.#changedKeys.delete(key);
    for (const group of this.#newGroups) this.#changed.delete(group);
    const keyState = ({ id, ruled, winner }: Key) => [id, Number(ruled), winner];
    this.#write(
      INSERT_KEYS,
      [...this.#newKeys].map(({ id, text, ruled, winner }) => [id, text, Number(ruled), winner]),
    );
    this.#write(UPDATE_KEYS, [...this.#changedKeys].map(keyState));
    this.#write(
      INSERT_GROUPS,
      [...this.#newGroups].map((group) => [group.id, group.key.id, group.value, ...stateOf(group).slice(1)]),
    );
    this.#write(UPDATE_GROUPS, [...this.#changed].map(stateOf));
    for (const written of [this.#newKeys, this.#newGroups, this.#changedKeys, this.#changed]) written.clear();
  }

  #write(sql: string, rows: readonly unknown[]): void {
    if (rows.length > 0) this.#connection.query(sql).run(JSON.stringify(rows));
  }

  #makeKey(text: string): Key {
    const key = this.#keepKey([this.#nextKey++, text, 0, null]);
    this.#newKeys.add(key);
    return key;
  }

  #makeGroup(key: Key, value: string): void {
    const id = this.#nextGroup++;
    this.#keepGroups([[id, key.id, value, Standing.superseded, null, null, null, null]]);
    this.#newGroups.add(this.#groups.get(id)!);
  }

  #loadKeys(sql: string, wanted: readonly unknown[]): void {
    if (wanted.length === 0) return;
    const rows = this.#connection.query(sql).values<KeyRow>(JSON.stringify(wanted));
    for (const row of rows) if (!this.#keys.has(row[0])) this.#keepKey(row);
  }

  #keepKey([id, text, ruled, winner]: KeyRow): Key {
    const key: Key = { id, text, ruled: ruled === 1, winner, groups: new Map() };
    this.#keys.set(id, key);
    this.#keysByText.set(text, key);
    return key;
  }

  #loadGroups(sql: string, wanted: readonly unknown[]): void {
    if (wanted.length === 0) return;
    const rows = this.#connection.query(sql).values<GroupRow>(JSON.stringify(wanted));
    this.#loadKeys(SELECT_KEYS_BY_ID, [...new Set(rows.map(([, key]) => key))].filter((id) => !this.#keys.has(id)));
    this.#keepGroups(rows);
  }

  #keepGroups(rows: GroupRow[]): void {
    for (const [id, keyId, value, standing, cause, latest, depth, opId] of rows) {
      if (this.#groups.has(id)) continue;
      const key = this.#keys.get(keyId)!;
      const ranked = latest === null ? undefined : { seq: latest, depth: depth!, opId: opId! };
      const group = { id, key, value, standing, cause, latest: ranked, isStale: false };
      this.#groups.set(id, group);
      key.groups.set(value, group);
    }
  }
}

/** Of the group that held and those whose claims changed, the one with the latest sound claim. */
function latestOf(holder: Group | undefined, groups: readonly Group[]): Group | undefined {
  let best = holder;
  for (const group of groups) {
    if (isEligible(group) && (best === undefined || isAfter(group.latest!, best.latest!))) best = group;
  }
  return best;
}

function isEligible({ standing, latest }: Group): boolean {
  return standing < Standing.corrected && latest !== undefined;
}

/** The order of replay: by depth, then id. */
function isAfter(a: Ranked, b: Ranked): boolean {
  return a.depth !== b.depth ? a.depth > b.depth : a.opId > b.opId;
}

function stateOf({ id, standing, cause, latest }: Group): unknown[] {
  return [id, standing, cause, latest?.seq ?? null];
}
