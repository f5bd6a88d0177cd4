import type { Database } from "@db/sqlite";
import { Identity, Operation, OpLog } from "../../mod.ts";
import { openRanges } from "../../src/sync/store.ts";
import { withDatabase } from "../folder.ts";
import { alice } from "../operations.ts";

/** The triggers that keep others from what these helpers do. */
const TRIGGERS = ["ops_no_update", "ops_no_delete", "ops_no_replace"];

/** A note after others. */
export function noteAfter(text: string, prev: readonly string[]): Operation {
  return Operation.create({ type: "note", body: { text }, prev, ts: 1_700_000_000_000 }, alice);
}

/** Operations of which each follows the one before, and some are claims derived from others. */
export function chain(count: number, filler = "word ".repeat(20)): Operation[] {
  const author = Identity.fromSeed(new Uint8Array(32).fill(9));
  const ops: Operation[] = [];
  const claims: string[] = [];
  for (let n = 0; n < count; n++) {
    const prev = ops.length === 0 ? [] : [ops[ops.length - 1].opId];
    const ts = 1_700_000_000_000 + n;
    if (n % 3 === 2) {
      const body = {
        key: `key ${n % 7}`,
        value: n % 5,
        confidence_ppm: 900_000,
        deriver: { id: "tests", version: "1" },
        inputs: claims.slice(-2),
      };
      ops.push(Operation.create({ type: "claim.assert", body, prev, ts }, author));
      claims.push(ops[n].opId);
    } else ops.push(Operation.create({ type: "note", body: { n, text: filler }, prev, ts }, author));
  }
  return ops;
}

/** A closed log that holds these operations, and all that is derived from them. */
export function makeFile(path: string, ops: readonly Operation[]): void {
  // The tables come before most rows: none of theirs is the last page.
  for (const part of [ops.slice(0, 1), ops.slice(1)]) {
    using log = OpLog.open(path);
    log.appendAll(part);
    log.heads();
    if (ops.length > 0) log.children(ops[0].opId);
    [...log.entries({ fromTs: 0, limit: 1 })];
    log.stats();
    [...log.claims.query()];
    openRanges(log).read(({ size }) => size);
  }
}

/** Changes a file as someone does who knows of the triggers: they are dropped, and put back afterwards. */
export function behindTriggers(path: string, change: (database: Database) => void): void {
  withDatabase(path, (database) => {
    const sql = (name: string) =>
      database.prepare("SELECT sql FROM sqlite_schema WHERE name = ?").value<[string]>(name)![0];
    const triggers = TRIGGERS.map(sql);
    for (const name of TRIGGERS) database.exec(`DROP TRIGGER ${name}`);
    change(database);
    for (const trigger of triggers) database.exec(trigger);
  });
}

/** Changes what the schema of a file says, as no statement would. */
export function rewriteSchema(path: string, sql: string): void {
  withDatabase(path, (database) => {
    database.exec("PRAGMA writable_schema = ON");
    database.exec(sql);
    const [version] = database.prepare("PRAGMA schema_version").value<[number]>()!;
    database.exec(`PRAGMA schema_version = ${version + 1}`);
  });
}

/** Changes bytes of a file. */
export function editBytes(path: string, edit: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array | void): void {
  const bytes = Deno.readFileSync(path);
  Deno.writeFileSync(path, edit(bytes) ?? bytes);
}

/** The index of a text in bytes. */
export function indexOf(bytes: Uint8Array, text: string): number {
  const at = new TextDecoder("latin1").decode(bytes).indexOf(text);
  if (at < 0) throw new Error(`${text} is not in the file`);
  return at;
}

/** A row of `ops` as another program reads it. */
export interface Row {
  seq: number;
  op_id: string;
  type: string;
  author: string;
  ts: number;
  wire: string;
}

/** Puts an operation at a `seq`. */
export function insertAt(database: Database, seq: number, op: Operation): void {
  database.prepare("INSERT INTO ops (seq, op_id, type, author, ts, wire) VALUES (?, ?, ?, ?, ?, ?)")
    .run(seq, op.opId, op.type, op.author, op.ts, op.wire);
}

/** Random integers, the same for a seed (mulberry32). */
export function seeded(seed: number): (limit: number) => number {
  return (limit) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}
