import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  audit,
  FileError,
  InconsistentError,
  LogError,
  NotFoundError,
  Operation,
  OpLog,
  ProofError,
} from "../../mod.ts";
import { verifierKey, verifyCheckpoint, verifyConsistency, verifyInclusion } from "../../proof.ts";
import { leafHash, nodeHash } from "../../src/tlog/merkle.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, bob, note, vectorOperations } from "../operations.ts";
import { readVectors } from "../vectors.ts";
import { runs } from "../runs.ts";

const NAMED = { origin: "example.org/log" };
const vkey = verifierKey(alice.author, NAMED.origin);
const utf8 = new TextEncoder();
const UNCHECKED = { verify: false };

/** MTH of RFC 6962, section 2.1, read off word by word. */
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0];
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

function rootOfOperations(ops: readonly Operation[]): string {
  return rootOf(ops.map(({ wire }) => leafHash(utf8.encode(wire)))).toBase64();
}

/** Operations that nobody signed, one after the other. */
function chain(count: number, from = 0): Operation[] {
  return Array.from({ length: count }, (_, n) =>
    Operation.fromWire({
      v: 1,
      type: "note",
      author: "mnk_" + "a".repeat(64),
      ts: from + n,
      prev: [],
      body: { n: "é".repeat(n % 3) },
      sig: "b".repeat(128),
      op_id: "op_" + (from + n).toString(16).padStart(64, "0"),
    }));
}

function change(path: string, sql: string): void {
  withDatabase(path, (database) => {
    database.exec("DROP TRIGGER ops_no_update; DROP TRIGGER ops_no_delete; DROP TRIGGER ops_no_replace");
    database.exec(sql);
  });
}

Deno.test("a checkpoint of log.jsonl has the roots of the vectors, at every size they give", () => {
  const { roots } = readVectors("merkle.json") as { roots: Record<string, string> };
  using log = OpLog.open();
  let size = 0;
  const sizes = new Set(Object.keys(roots).map(Number));
  if (sizes.has(0)) assertEquals(verifyCheckpoint(log.proofs.checkpoint(alice, NAMED), vkey).root.toBase64(), roots[0]);
  for (const op of vectorOperations()) {
    log.append(op, UNCHECKED);
    if (!sizes.has(++size)) continue;
    const checkpoint = verifyCheckpoint(log.proofs.checkpoint(alice, NAMED), vkey);
    assertEquals([checkpoint.size, checkpoint.root.toBase64()], [size, roots[size]]);
  }
  assert(size >= 1000);
});

Deno.test("the tree is that of the RFC, however operations come in", () => {
  withFolder((folder) => {
    let file = 0;
    const step = fc.record({ how: fc.constantFrom("append", "batch", "insert", "reopen", "sign"), count: fc.nat(300) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const path = `${folder}/${file++}.db`;
        let log = OpLog.open(path, { durability: "normal" });
        const ops: Operation[] = [];
        for (const { how, count } of steps) {
          const more = how === "reopen" || how === "sign" ? [] : chain(count, ops.length);
          if (how === "append") { for (const op of more) log.append(op, UNCHECKED); }
          if (how === "batch") log.appendAll(more, UNCHECKED);
          if (how === "insert") {
            withDatabase(path, (database) => {
              const insert = database.prepare("INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, ?, ?, ?, ?)");
              for (const { opId, type, author, ts, wire } of more) insert.run(opId, type, author, ts, wire);
            });
          }
          if (how === "sign") log.proofs.checkpoint(alice, NAMED);
          if (how === "reopen") {
            log.close();
            log = OpLog.open(path, { durability: "normal" });
          }
          ops.push(...more);
        }
        if (ops.length > 0) {
          assertEquals(
            verifyCheckpoint(log.proofs.checkpoint(alice, NAMED), vkey).root.toBase64(),
            rootOfOperations(ops),
          );
        }
        log.close();
        Deno.removeSync(path);
      }),
      { numRuns: runs(15) },
    );
  });
});

Deno.test("every operation is proved at every size, and every checkpoint consistent with every later one", () => {
  using log = OpLog.open();
  const ops = chain(40);
  const signed: string[] = [];
  for (const op of ops) {
    log.append(op, UNCHECKED);
    signed.push(log.proofs.checkpoint(alice, NAMED));
  }
  assertEquals(log.proofs.checkpoints(), signed);
  for (const [i, op] of ops.entries()) {
    for (const checkpoint of signed.slice(i)) {
      assertEquals(verifyInclusion(log.proofs.prove(op.opId, checkpoint), op.wire, vkey).index, i);
    }
    for (const later of signed.slice(i)) {
      assertEquals(verifyConsistency(log.proofs.proveConsistency(signed[i], later), vkey).new.text, later);
    }
  }
  assertEquals(verifyInclusion(log.proofs.prove(ops[3].opId), ops[3].wire, vkey).size, ops.length);
});

Deno.test("trees of more than one and of more than two layers are proved", () => {
  using log = OpLog.open();
  const ops = chain(66_000); // 256 tiles, and some
  log.appendAll(ops, UNCHECKED);
  const first = log.proofs.checkpoint(alice, NAMED);
  assertEquals(verifyCheckpoint(first, vkey).root.toBase64(), rootOfOperations(ops));
  log.appendAll(chain(600, ops.length), UNCHECKED);
  const second = log.proofs.checkpoint(alice, NAMED);
  for (const i of [0, 255, 256, 65_535, 65_536, 65_999]) {
    for (const checkpoint of [first, second]) {
      assertEquals(verifyInclusion(log.proofs.prove(ops[i].opId, checkpoint), ops[i].wire, vkey).index, i);
    }
  }
  verifyConsistency(log.proofs.proveConsistency(first, second), vkey);
});

Deno.test("what cannot be proved is refused with what to do", () => {
  using log = OpLog.open();
  const tea = log.record(alice, "note", { text: "tea" });
  assertThrows(() => log.proofs.prove("op_" + "0".repeat(64)), NotFoundError);
  assertEquals(assertThrows(() => log.proofs.prove(tea.opId), LogError, "sign one first").code, "not-found");
  const checkpoint = log.proofs.checkpoint(alice, NAMED);
  const later = log.record(alice, "note", { text: "later" });
  assertEquals(assertThrows(() => log.proofs.prove(later.opId), LogError, "sign one first").code, "not-found");
  assertEquals(assertThrows(() => log.proofs.prove(later.opId, checkpoint), LogError).code, "not-found");
  assertEquals(assertThrows(() => log.proofs.prove(tea.opId, "nonsense"), ProofError).code, "bad-checkpoint");
  assertEquals(assertThrows(() => log.proofs.checkpoint(alice, { origin: "two words" }), ProofError).code, "bad-key");
  const newer = log.proofs.checkpoint(alice, NAMED);
  assertEquals(assertThrows(() => log.proofs.proveConsistency(newer, checkpoint), LogError).code, "invalid-argument");
  using other = OpLog.open();
  other.append(note("somebody else's"));
  assertThrows(() => other.proofs.prove(note("somebody else's").opId, checkpoint), InconsistentError);
  assertThrows(() => other.proofs.proveConsistency(newer, newer), InconsistentError);
});

Deno.test("several identities and origins sign one log; signing twice keeps one checkpoint", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const byAlice = log.proofs.checkpoint(alice, NAMED);
  assertEquals(log.proofs.checkpoint(alice, NAMED), byAlice);
  const named = log.proofs.checkpoint(bob, { origin: "example.org/log" });
  verifyCheckpoint(named, verifierKey(bob.author, "example.org/log"));
  assertEquals(log.proofs.checkpoints().toSorted(), [byAlice, named].toSorted());
});

Deno.test("the file itself refuses to change or to forget a checkpoint", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    log.append(note("a"));
    const signed = log.proofs.checkpoint(alice, NAMED);
    withDatabase(path, (database) => {
      for (const sql of ["UPDATE checkpoints SET size = 0", "DELETE FROM checkpoints"]) {
        assertThrows(() => database.exec(sql), Error, "signed checkpoints are kept");
      }
    });
    log.rebuild();
    assertEquals(log.proofs.checkpoints(), [signed]);
  });
});

Deno.test("a readonly log proves, also when its tree is behind, and signs nothing", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const ops = chain(300);
    const signed = (() => {
      using log = OpLog.open(path);
      log.appendAll(ops, UNCHECKED);
      return log.proofs.checkpoint(alice, NAMED);
    })();
    withDatabase(path, (database) => database.exec("DELETE FROM mnema_tiles; UPDATE mnema_watermarks SET seq = 0"));
    using log = OpLog.open(path, { readonly: true });
    assertEquals(verifyInclusion(log.proofs.prove(ops[9].opId, signed), ops[9].wire, vkey).index, 9);
    assertEquals(assertThrows(() => log.proofs.checkpoint(alice, NAMED), FileError).code, "read-only");
    assertEquals(log.proofs.checkpoints(), [signed]);
  });
});

const changed = note("changed").wire.replace("changed", "altered");

Deno.test("nothing is signed or proved that a kept checkpoint contradicts, and the first change is named", () => {
  withFolder((folder) => {
    const signedAt = (path: string, sizes: readonly number[]) => {
      using log = OpLog.open(path);
      const ops = Array.from({ length: 9 }, (_, n) => note(`${n}`));
      for (const [i, op] of ops.entries()) {
        log.append(op);
        if (sizes.includes(i + 1)) log.proofs.checkpoint(alice, NAMED);
      }
      return ops;
    };
    const refuses = (path: string, act: (log: OpLog) => void) => {
      using log = OpLog.open(path);
      return assertThrows(() => act(log), InconsistentError);
    };
    {
      const path = `${folder}/hashes-kept.db`;
      const ops = signedAt(path, [9]);
      change(path, `UPDATE ops SET wire = '${changed}' WHERE seq = 4`);
      const error = refuses(path, (log) => log.proofs.prove(ops[3].opId));
      assertEquals([error.code, error.change], ["inconsistent", { seq: 4, opId: ops[3].opId }]);
    }
    {
      const path = `${folder}/hashes-changed.db`;
      const ops = signedAt(path, [9]);
      const tile = withDatabase(
        path,
        (database) => database.prepare("SELECT hashes FROM mnema_tiles").value<[Uint8Array]>()!,
      );
      tile[0][32 * 6] ^= 1;
      withDatabase(path, (database) => database.prepare("UPDATE mnema_tiles SET hashes = ?").run(tile[0]));
      const error = refuses(path, (log) => log.proofs.checkpoint(alice, NAMED));
      assertEquals(error.change, { seq: 7, opId: ops[6].opId });
    }
    {
      const path = `${folder}/rebuilt.db`;
      signedAt(path, [2, 5, 9]);
      change(path, `UPDATE ops SET wire = '${changed}' WHERE seq = 4`);
      {
        using log = OpLog.open(path);
        log.rebuild();
      }
      const error = refuses(path, (log) => log.proofs.checkpoint(alice, NAMED));
      assertEquals(error.change, undefined);
      assert(error.message.includes("number 3 to 5"), error.message);
    }
    {
      const path = `${folder}/removed.db`;
      signedAt(path, [9]);
      change(path, "DELETE FROM ops WHERE seq = 9");
      assert(refuses(path, (log) => log.proofs.checkpoint(alice, NAMED)).message.includes("some were removed"));
    }
  });
});

Deno.test("an audit finds that the log no longer begins with what it signed, and says it once", async () => {
  await withFolder(async (folder) => {
    const sign = (path: string): void => {
      using log = OpLog.open(path);
      for (let n = 0; n < 9; n++) log.append(note(`${n}`));
      log.proofs.checkpoint(alice, NAMED);
      log.append(note("later"));
    };
    const kinds = async (path: string) => (await audit(path, { workers: 0 })).findings.map(({ kind }) => kind);
    const restore = "DELETE FROM ops WHERE seq > 0; UPDATE sqlite_sequence SET seq = 0 WHERE name = 'ops'";
    const dropped = "DROP TABLE mnema_watermarks;";

    const cases: [name: string, act: (path: string) => void, expected: string[]][] = [
      ["untouched", () => {}, []],
      ["without-tree", (path) => withDatabase(path, (database) => database.exec(dropped)), []],
      ["a-row-changed", (path) => {
        withDatabase(path, (database) => database.exec("DROP TRIGGER ops_no_update"));
        withDatabase(
          path,
          (database) => database.exec("UPDATE ops SET wire = replace(wire, '\"3\"', '\"4\"') WHERE seq = 4"),
        );
      }, ["trigger", "bad-address"]],
      ["all-rewritten", (path) => {
        change(path, restore + ";" + dropped);
        using log = OpLog.open(path);
        for (let n = 0; n < 10; n++) log.append(note(`other ${n}`));
      }, ["checkpoint"]],
      ["cut-off", (path) => {
        change(path, "DELETE FROM ops WHERE seq > 5; UPDATE sqlite_sequence SET seq = 5 WHERE name = 'ops';" + dropped);
        OpLog.open(path).close();
      }, ["checkpoint"]],
      [
        "a-note-changed",
        (path) =>
          withDatabase(
            path,
            (database) => database.exec("DROP TRIGGER checkpoints_no_update; UPDATE checkpoints SET note = 'x'"),
          ),
        ["trigger", "checkpoint"],
      ],
    ];
    for (const [name, act, expected] of cases) {
      const path = `${folder}/${name}.db`;
      sign(path);
      act(path);
      assertEquals([name, ...await kinds(path)], [name, ...expected]);
    }
  });
});
