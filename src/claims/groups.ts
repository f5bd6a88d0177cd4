/**
 * A cache of the keys and groups that a batch of operations changes: loaded together, changed in memory, saved together.
 *
 * @module
 */

import type { Connection } from "../sqlite/connection.ts";
import { Standing } from "./encoding.ts";
import type { Statement } from "./statements.ts";
import { isBefore, type Ranked } from "./order.ts";
import type { Verdict } from "./rules.ts";

// Qualified names: json_each has columns key, value and id itself.
const KEY = "SELECT keyed.id, keyed.key, ruled, winner, latest, depth, op_id FROM json_each(?) AS wanted ";
const JOIN_LATEST = " LEFT JOIN mnema_claims AS claim ON claim.seq = latest";
const SELECT_KEYS = KEY + "JOIN mnema_keys AS keyed ON keyed.key = wanted.value" + JOIN_LATEST;
const SELECT_KEYS_BY_ID = KEY + "JOIN mnema_keys AS keyed ON keyed.id = wanted.value" + JOIN_LATEST;
const INSERT_KEYS = "INSERT INTO mnema_keys (id, key, ruled, winner, latest) " +
  "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)";
const UPDATE_KEYS = "UPDATE mnema_keys SET ruled = new.value ->> 1, winner = new.value ->> 2, " +
  "latest = new.value ->> 3 FROM json_each(?) AS new WHERE mnema_keys.id = new.value ->> 0";

const GROUP = "SELECT grouped.id, grouped.key, grouped.value, standing, cause FROM ";
const SELECT_GROUPS = GROUP + "json_each(?) AS wanted JOIN mnema_values AS grouped " +
  "ON grouped.key = wanted.value ->> 0 AND grouped.value = wanted.value ->> 1";
const SELECT_GROUPS_BY_ID = GROUP + "json_each(?) AS wanted JOIN mnema_values AS grouped ON grouped.id = wanted.value";
const SELECT_GROUPS_OF_KEY = GROUP + "mnema_values AS grouped WHERE grouped.key = ?";
const INSERT_GROUPS = "INSERT INTO mnema_values (id, key, value, standing, cause) " +
  "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)";
const UPDATE_GROUPS = "UPDATE mnema_values SET standing = new.value ->> 1, cause = new.value ->> 2 " +
  "FROM json_each(?) AS new WHERE mnema_values.id = new.value ->> 0";

const SELECT_NEXT = "SELECT coalesce((SELECT max(id) FROM mnema_keys), 0) + 1, " +
  "coalesce((SELECT max(id) FROM mnema_values), 0) + 1";
const SELECT_LATEST = "SELECT wanted.value, claim.value, claim.seq, claim.depth, claim.op_id " +
  "FROM json_each(?) AS wanted LEFT JOIN mnema_claims AS claim ON claim.seq = " +
  "(SELECT live.seq FROM mnema_values AS grouped JOIN mnema_claims AS live ON live.value = grouped.id AND support = 0 " +
  "WHERE grouped.key = wanted.value AND standing = 0 ORDER BY depth DESC, op_id DESC LIMIT 1)";

/** A key: the subject of claims. */
export interface Key {
  /** Its id in the tables. */
  readonly id: number;
  /** The key, encoded by `keyText`. */
  readonly text: string;
  /** Whether it has rules: refutes or corrections. */
  ruled: boolean;
  /** Its last claim in replay order that is neither fallen nor pending. */
  latest: Ranked | undefined;
  /** The id of the group of `latest`, whose value is the current one. */
  winner: number | null;
  /** Whether `latest` and `winner` must be selected again. */
  isStale: boolean;
  /** Its loaded groups, by value. */
  readonly groups: Map<string, Group>;
}

/** A group: the claims with the same key and value. */
export interface Group {
  /** Its id in the tables. */
  readonly id: number;
  /** Its key. */
  readonly key: Key;
  /** Its value, encoded by `valueText`. */
  readonly value: string;
  /** The verdict on it, a `Standing`. */
  standing: number;
  /** The `seq` of the refute or correction that caused the verdict. */
  cause: number | null;
}

type KeyRow = [number, string, number, number | null, number | null, number | null, string | null];
type GroupRow = [number, number, string, number, number | null];

/** The keys and groups of a batch of operations. */
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
  readonly #changedGroups = new Set<Group>();

  /** @param connection The log's file, inside a transaction. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Loads the keys and groups of statements, and creates missing ones. */
  load(statements: readonly Statement[]): void {
    [this.#nextKey, this.#nextGroup] = this.#connection.query(SELECT_NEXT).value<[number, number]>()!;
    this.#loadKeys(SELECT_KEYS, [...new Set(statements.map(({ key }) => key))].sort());
    const wanted = new Map<number, Set<string>>();
    for (const { key: text, value } of statements) {
      const key = this.#keysByText.get(text) ?? this.#createKey(text);
      if (value === null || this.#newKeys.has(key)) continue;
      const values = wanted.get(key.id);
      if (values === undefined) wanted.set(key.id, new Set([value]));
      else values.add(value);
    }
    this.#loadGroups(SELECT_GROUPS, [...wanted].flatMap(([id, values]) => [...values].map((value) => [id, value])));
    for (const { key: text, value } of statements) {
      const key = this.key(text);
      if (value !== null && !key.groups.has(value)) this.#createGroup(key, value);
    }
  }

  /** A loaded key. */
  key(text: string): Key {
    return this.#keysByText.get(text)!;
  }

  /** A loaded group, by encoded key and value. */
  of(key: string, value: string): Group {
    return this.key(key).groups.get(value)!;
  }

  /** A loaded group, by id. */
  get(id: number): Group {
    return this.#groups.get(id)!;
  }

  /** Loads groups by their ids. */
  loadById(ids: readonly number[]): void {
    this.#loadGroups(SELECT_GROUPS_BY_ID, [...new Set(ids)].filter((id) => !this.#groups.has(id)));
  }

  /** Loads every group of a key. */
  loadAllOf(key: Key): void {
    this.#addGroups(this.#connection.query(SELECT_GROUPS_OF_KEY).values<GroupRow>(key.id));
  }

  /** Marks a key as having rules. */
  markRuled(key: Key): void {
    key.ruled = true;
    this.#changedKeys.add(key);
  }

  /** The loaded keys with rules. */
  ruledKeys(): Key[] {
    return [...this.#keys.values()].filter(({ ruled }) => ruled);
  }

  /** Sets the verdict on a group. */
  setVerdict(group: Group, verdict: Verdict): void {
    const { standing, cause } = verdict ?? { standing: Standing.upheld, cause: null };
    if (standing === group.standing && cause === group.cause) return;
    const isWinner = group.key.winner === group.id;
    const rises = standing === Standing.upheld && group.standing !== Standing.upheld;
    if (rises || (isWinner && standing !== Standing.upheld)) this.#setStale(group.key);
    Object.assign(group, { standing, cause });
    this.#changedGroups.add(group);
  }

  /** Records that a claim of a group has become sound. */
  gain(group: Group, claim: Ranked): void {
    const { key } = group;
    if (group.standing !== Standing.upheld || key.isStale) return;
    if (key.latest !== undefined && !isBefore(key.latest, claim)) return;
    key.latest = claim;
    key.winner = group.id;
    this.#changedKeys.add(key);
  }

  /** Records that a claim of a group is no longer sound. */
  lose({ key }: Group, seq: number): void {
    if (key.latest?.seq === seq) this.#setStale(key);
  }

  /** Saves the verdicts on groups that are in the tables already, for statements that read them. */
  saveStandings(): void {
    this.#write(
      UPDATE_GROUPS,
      [...this.#changedGroups].filter((group) => !this.#newGroups.has(group)).map(groupColumns),
    );
  }

  /** Selects the winners of stale keys, and saves all changes. */
  save(): void {
    const stale = [...this.#changedKeys].filter(({ isStale }) => isStale);
    this.#saveAll();
    if (stale.length === 0) return;
    const rows = this.#connection.query(SELECT_LATEST)
      .values<[number, number | null, number, number, string]>(JSON.stringify(stale.map(({ id }) => id)));
    for (const [id, winner, seq, depth, opId] of rows) {
      const key = this.#keys.get(id)!;
      key.winner = winner;
      key.latest = winner === null ? undefined : { seq, depth, opId };
      key.isStale = false;
      this.#changedKeys.add(key);
    }
    this.#saveAll();
  }

  #setStale(key: Key): void {
    key.isStale = true;
    this.#changedKeys.add(key);
  }

  #saveAll(): void {
    for (const key of this.#newKeys) this.#changedKeys.delete(key);
    for (const group of this.#newGroups) this.#changedGroups.delete(group);
    const keyColumns = ({ ruled, winner, latest }: Key) => [Number(ruled), winner, latest?.seq ?? null];
    this.#write(INSERT_KEYS, [...this.#newKeys].map((key) => [key.id, key.text, ...keyColumns(key)]));
    this.#write(UPDATE_KEYS, [...this.#changedKeys].map((key) => [key.id, ...keyColumns(key)]));
    this.#write(
      INSERT_GROUPS,
      [...this.#newGroups].map(({ id, key, value, standing, cause }) => [id, key.id, value, standing, cause]),
    );
    this.#write(UPDATE_GROUPS, [...this.#changedGroups].map(groupColumns));
    for (const written of [this.#newKeys, this.#newGroups, this.#changedKeys, this.#changedGroups]) written.clear();
  }

  #write(sql: string, rows: readonly unknown[]): void {
    if (rows.length > 0) this.#connection.query(sql).run(JSON.stringify(rows));
  }

  #createKey(text: string): Key {
    const key = this.#addKey([this.#nextKey++, text, 0, null, null, null, null]);
    this.#newKeys.add(key);
    return key;
  }

  #createGroup(key: Key, value: string): void {
    const id = this.#nextGroup++;
    this.#addGroups([[id, key.id, value, Standing.upheld, null]]);
    this.#newGroups.add(this.#groups.get(id)!);
  }

  #loadKeys(sql: string, wanted: readonly unknown[]): void {
    if (wanted.length === 0) return;
    const rows = this.#connection.query(sql).values<KeyRow>(JSON.stringify(wanted));
    for (const row of rows) if (!this.#keys.has(row[0])) this.#addKey(row);
  }

  #addKey([id, text, ruled, winner, seq, depth, opId]: KeyRow): Key {
    const latest = seq === null ? undefined : { seq, depth: depth!, opId: opId! };
    const key: Key = { id, text, ruled: ruled === 1, latest, winner, isStale: false, groups: new Map() };
    this.#keys.set(id, key);
    this.#keysByText.set(text, key);
    return key;
  }

  #loadGroups(sql: string, wanted: readonly unknown[]): void {
    if (wanted.length === 0) return;
    const rows = this.#connection.query(sql).values<GroupRow>(JSON.stringify(wanted));
    this.#loadKeys(SELECT_KEYS_BY_ID, [...new Set(rows.map(([, key]) => key))].filter((id) => !this.#keys.has(id)));
    this.#addGroups(rows);
  }

  #addGroups(rows: GroupRow[]): void {
    for (const [id, keyId, value, standing, cause] of rows) {
      if (this.#groups.has(id)) continue;
      const key = this.#keys.get(keyId)!;
      const group = { id, key, value, standing, cause };
      this.#groups.set(id, group);
      key.groups.set(value, group);
    }
  }
}

function groupColumns({ id, standing, cause }: Group): unknown[] {
  return [id, standing, cause];
}
