/**
 * `writer.ts WAY PATH NUMBER COUNT`: appends one at a time to a log, in a process of its own. It gets ready, prints a line,
 * begins when it is told by a line, and prints how it went as JSON.
 *
 * @module
 */

import { type Identity, Operation, OpLog } from "../../mod.ts";
import { definitionOf } from "../../src/audit/expected_schema.ts";
import { openLog } from "../../src/log/open.ts";
import { author } from "../generate.ts";
import { cpuSeconds } from "../process.ts";

/** What one writer reports: times since the epoch in milliseconds, and those of single appends in microseconds. */
export interface Written {
  /** When it began and when it ended. */
  begin: number;
  end: number;
  /** The processor time of one append. */
  cpu: number;
  /** How long each append took. */
  times: number[];
}

/** An open log, and how one operation is appended to it. */
interface Way extends Disposable {
  append(op: Operation): void;
}

const INSERT = "INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, ?, ?, ?, ?)";

/** The ways to append. */
const WAYS: Record<string, (path: string, signer: Identity) => Way> = {
  /** The same row by SQLite alone, in a file with the same tables, settings and patience; a statement is a transaction. */
  sqlite(path) {
    const { connection } = openLog(path, {}, definitionOf);
    return {
      append: ({ opId, type, author, ts, wire }) => connection.query(INSERT).run(opId, type, author, ts, wire),
      [Symbol.dispose]: () => connection.close(),
    };
  },
  /** The same in BEGIN IMMEDIATE and COMMIT. */
  transaction(path) {
    const { connection } = openLog(path, {}, definitionOf);
    return {
      append({ opId, type, author, ts, wire }) {
        connection.transaction(() => connection.query(INSERT).run(opId, type, author, ts, wire));
      },
      [Symbol.dispose]: () => connection.close(),
    };
  },
  /** An operation of somebody else: its content address and signature are verified. */
  append: (path) => logWay(path, (log, op) => log.append(op)),
  /** An operation that the caller has verified. */
  unverified: (path) => logWay(path, (log, op) => log.append(op, { verify: false })),
  /** An operation of one's own: created and signed after everything in the log. */
  record: (path, signer) => logWay(path, (log, { type, body }) => log.record(signer, type, body)),
};

function logWay(path: string, append: (log: OpLog, op: Operation) => void): Way {
  const log = OpLog.open(path);
  return { append: (op) => append(log, op), [Symbol.dispose]: () => log.close() };
}

const [name, path, number, count] = Deno.args;
const signer = author(Number(number));
const ops = chain(signer, Number(count));
using way = WAYS[name](path, signer);
console.log("ready");
await Deno.stdin.read(new Uint8Array(16));

const [cpu, begin] = [cpuSeconds(), performance.timeOrigin + performance.now()];
const times: number[] = [];
for (const op of ops) {
  const start = performance.now();
  way.append(op);
  times.push((performance.now() - start) * 1000);
}
const written: Written = {
  begin,
  end: performance.timeOrigin + performance.now(),
  cpu: (cpuSeconds() - cpu) / ops.length * 1e6,
  times,
};
console.log(JSON.stringify(written));

/** Operations of which each follows the one before, not verified yet. */
function chain(signer: Identity, count: number): Operation[] {
  let prev: string[] = [];
  return Array.from({ length: count }, (_, n) => {
    const content = {
      title: `${"lunch at the office ".repeat(1 + n % 12)}`,
      n,
      tags: ["calendar", "café"],
      none: null,
    };
    const body = { source: "calendar", kind: "event", content };
    const op = Operation.create({ type: "evidence.add", body, prev, ts: 1_718_000_000_000 + n }, signer);
    prev = [op.opId];
    return Operation.parse(op.wire);
  });
}
