/**
 * Measures this log: each operation is created, signed and appended. The third argument is the durability.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { Operation, OpLog } from "../../mod.ts";
import { author } from "../generate.ts";
import { measureStore } from "./measure.mjs";

const signer = author(0);
const durability = Deno.args[2] === "normal" ? "normal" : "full";

await measureStore(config.version, (path) => {
  const log = OpLog.open(`${path}.db`, { durability });
  const ids: string[] = [];
  return {
    append: (payload) => ids.push(log.record(signer, "evidence.add", JSON.parse(payload)).opId),
    appendMany(payloads) {
      let prev = log.heads();
      const ops = payloads.map((payload) => {
        const op = Operation.create({ type: "evidence.add", body: JSON.parse(payload), prev }, signer);
        prev = [op.opId];
        ids.push(op.opId);
        return op;
      });
      log.appendAll(ops);
    },
    readAll: () => log.entries().reduce((count) => count + 1, 0),
    get: (index) => log.get(ids[index]),
    close() {
      log.close();
      ids.length = 0;
    },
  };
});
