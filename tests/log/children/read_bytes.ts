/**
 * `read_bytes.ts PATH COUNT`: makes a log of so many operations, and reports how many bytes are read from its file to
 * open it and use it once, by what it is used for.
 */

import { Operation, OpLog } from "../../../mod.ts";
import { alice } from "../../operations.ts";
import { report } from "./report.ts";

const [path, count] = Deno.args;

/** An operation of the right shape, signed by nobody, that follows the one before. */
function operation(n: number): Operation {
  const id = (n: number) => "op_" + n.toString(16).padStart(8, "0").repeat(8);
  const [type, body] = n % 10 === 0
    ? ["claim.assert", {
      key: `key ${n}`,
      value: n,
      confidence_ppm: 900_000,
      deriver: { id: "tests", version: "1" },
      inputs: n === 0 ? [] : [id(n - 1)],
    }]
    : ["note.of_the_household", { n }];
  const prev = n === 0 ? [] : [id(n - 1)];
  return Operation.fromWire({
    v: 1,
    type,
    author: alice.author,
    ts: 1_700_000_000_000 + n,
    prev,
    body,
    sig: "b".repeat(128),
    op_id: id(n),
  });
}

const [first, second] = [operation(0), operation(1)];
const uses: Record<string, (log: OpLog) => unknown> = {
  nothing: () => {},
  size: (log) => log.size,
  heads: (log) => log.heads(),
  "the last": (log) => [log.lastSeq(), log.lastOpId()],
  "the newest": (log) => [...log.entries({ reverse: true, limit: 5 })],
  "the newest claims": (log) => [...log.entries({ reverse: true, limit: 5, types: ["claim.assert"] })],
  "the newest of an author": (log) => [...log.entries({ reverse: true, limit: 5, authors: [alice.author] })],
  "those of a time": (log) => [...log.entries({ fromTs: first.ts, untilTs: first.ts + 5, limit: 5 })],
  "an operation": (log) => log.get(log.resolve(second.opId.slice(0, 20))),
  children: (log) => log.children(second.opId),
  stats: (log) => log.stats(),
  claims: (log) => [...log.claims.query({ limit: 5 })],
  "a claim": (log) => [log.claims.current("key 0"), log.claims.get(first.opId)],
  "an explanation": (log) => log.claims.explain(first.opId),
  "a checkpoint": (log) => log.proofs.checkpoint(alice),
  "a proof": (log) => log.proofs.prove(second.opId),
  "a record": (log) => log.record(alice, "note", {}),
};

function bytesRead(): number {
  return Number(/^rchar: (\d+)/.exec(Deno.readTextFileSync("/proc/self/io"))![1]);
}

report(() => {
  {
    using log = OpLog.open(path, { durability: "normal" });
    log.appendAll(Array.from({ length: Number(count) }, (_, n) => operation(n)), { verify: false });
    for (const use of Object.values(uses)) use(log); // what is derived is built for the first time
  }
  const read: Record<string, number> = {};
  for (const [what, use] of Object.entries(uses)) {
    const before = bytesRead();
    {
      using log = OpLog.open(path, { durability: "normal" });
      use(log);
    }
    read[what] = bytesRead() - before;
  }
  return read;
});
