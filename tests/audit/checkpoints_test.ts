import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { OpLog, ProofError } from "../../mod.ts";
import { verifierKey } from "../../proof.ts";
import { audit, type AuditOptions } from "../../src/audit/audit.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, bob, carol, note } from "../operations.ts";
import { behindTriggers } from "./tamper.ts";

const ORIGIN = "example.org/log";

/** Runs `use` with a log of Alice's of thirty operations, that was signed after every fifth. */
async function withSigned(
  use: (path: string, checkpoints: string[]) => Promise<void>,
  options: { origin?: string } = {},
): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    const checkpoints: string[] = [];
    {
      using log = OpLog.open(path);
      for (let n = 1; n <= 30; n++) {
        log.append(note(`${n}`));
        if (n % 5 === 0) checkpoints.push(log.proofs.checkpoint(alice, options));
      }
    }
    await use(path, checkpoints);
  });
}

async function auditOf(path: string, options: AuditOptions = {}): Promise<{ found: string[]; unchecked: string[] }> {
  const { findings, unchecked } = await audit(path, { workers: 0, ...options });
  return { found: findings.map(({ kind, message }) => `${kind}: ${message}`), unchecked };
}

/** Changes the stored checkpoints as someone does who knows of the triggers. */
function changeKept(path: string, sql: string): void {
  withDatabase(path, (db) => {
    const triggers = db.prepare("SELECT name, sql FROM sqlite_schema WHERE name LIKE 'checkpoints_no_%'")
      .values<[string, string]>();
    for (const [name] of triggers) db.exec(`DROP TRIGGER ${name}`);
    db.exec(sql);
    for (const [, text] of triggers) db.exec(text);
  });
}

/** Writes the log again with another text in one operation, and everything in it derived again. */
function rewriteFrom(path: string, first: number): void {
  behindTriggers(
    path,
    (db) => db.exec(`DELETE FROM ops WHERE seq >= ${first}; UPDATE sqlite_sequence SET seq = ${first - 1}`),
  );
  withDatabase(path, (db) => db.exec("DROP TABLE mnema_watermarks"));
  using log = OpLog.open(path);
  for (let n = first; n <= 30; n++) log.append(note(`other ${n}`));
  log.heads();
}

Deno.test("nothing is found in a log that was signed many times, by several keys and under several names", async () => {
  await withSigned(async (path) => {
    {
      using log = OpLog.open(path);
      log.append(note("by bob", []));
      log.record(bob, "note", {});
      log.proofs.checkpoint(bob);
      log.proofs.checkpoint(bob, { origin: ORIGIN }); // one of its authors
    }
    assertEquals(await auditOf(path), { found: [], unchecked: [] });
    withDatabase(path, (db) => db.exec("DROP TABLE mnema_tiles"));
    assertEquals(await auditOf(path), { found: [], unchecked: [] });
  });
});

Deno.test("every stored checkpoint is compared with the log, and a change is reported once, with the smallest that it contradicts", async () => {
  await withSigned(async (path) => {
    rewriteFrom(path, 12);
    const { found } = await auditOf(path);
    assertEquals(found.length, 1);
    assertMatch(
      found[0],
      /^checkpoint: the log contradicts its signed checkpoint of 15 operations, and 3 more$/,
    );
  });
});

Deno.test("a stored checkpoint that is larger than the log is found", async () => {
  await withSigned(async (path) => {
    behindTriggers(path, (db) => db.exec("DELETE FROM ops WHERE seq > 12; UPDATE sqlite_sequence SET seq = 12"));
    withDatabase(path, (db) => db.exec("DROP TABLE mnema_watermarks"));
    assertEquals((await auditOf(path)).found, [
      "checkpoint: a checkpoint of 30 operations was signed, and there are 12",
    ]);
  });
});

/** What someone does to the stored checkpoints, and what is said of that. */
const CHANGES: [what: string, sql: string, found: RegExp][] = [
  ["one is removed", "DELETE FROM checkpoints WHERE rowid = 3", /number 3 is missing$/],
  ["some are removed", "DELETE FROM checkpoints WHERE rowid IN (1, 2, 3)", /numbers 1 to 3 are missing$/],
  [
    "a size is changed",
    "UPDATE checkpoints SET size = 11 WHERE rowid = 2",
    /^checkpoint: stored checkpoint 2 .* is 11$/,
  ],
  [
    "a size is a text",
    "UPDATE checkpoints SET size = 'ten' WHERE rowid = 2",
    /^checkpoint: stored checkpoint 2 .* is null$/,
  ],
  [
    "a size is changed in the note",
    "UPDATE checkpoints SET note = replace(note, char(10) || '10' || char(10), char(10) || '11' || char(10)), size = 11 " +
    "WHERE rowid = 2",
    /^checkpoint: stored checkpoint 2: the signature .* is not of this text$/,
  ],
  [
    "a signature is taken off",
    "UPDATE checkpoints SET note = substr(note, 1, instr(note, char(10) || char(10))) WHERE rowid = 2",
    /^checkpoint: stored checkpoint 2 is malformed$/,
  ],
  [
    "a note has something behind its signature",
    "UPDATE checkpoints SET note = note || 'x' WHERE rowid = 2",
    /^checkpoint: stored checkpoint 2: the signed note does not end/,
  ],
  [
    "a note is a blob",
    "UPDATE checkpoints SET note = CAST(note AS BLOB) WHERE rowid = 2",
    /stored checkpoint 2 is malformed$/,
  ],
  ["a note is huge", "UPDATE checkpoints SET note = note || hex(zeroblob(1000000)) WHERE rowid = 2", /has \d+ bytes/],
  [
    "one is put in before the first",
    "INSERT INTO checkpoints (rowid, size, note) SELECT 0, size, note || ' ' FROM checkpoints LIMIT 1",
    /number 0; the first is 1$/,
  ],
];

for (const [what, sql, expected] of CHANGES) {
  Deno.test(`it is found that of the stored checkpoints ${what}`, async () => {
    await withSigned(async (path) => {
      changeKept(path, sql);
      const { found } = await auditOf(path);
      assertMatch(found[0], expected);
      assert(found.every((text) => text.startsWith("checkpoint: ")), found.join("\n"));
    });
  });
}

Deno.test("the signer of a name without a key is found among the authors, or reported as unknown", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    {
      using log = OpLog.open(path);
      log.append(note("by alice"));
      log.proofs.checkpoint(carol, { origin: ORIGIN }); // no author of the log
    }
    const { found, unchecked } = await auditOf(path);
    assertEquals([found, unchecked.length], [[], 1]);
    assertMatch(unchecked[0], /^who signed 1 stored checkpoint: /);
    assertEquals(await auditOf(path, { vkeys: [verifierKey(carol.author, ORIGIN)] }), { found: [], unchecked: [] });
    changeKept(path, "UPDATE checkpoints SET note = replace(note, '1', '0')");
    assertEquals((await auditOf(path, { vkeys: [verifierKey(carol.author, ORIGIN)] })).found.length > 0, true);
  });
});

Deno.test("where stored checkpoints cannot be read, those that others hold are compared with the log all the same", async () => {
  await withSigned(async (path, checkpoints) => {
    rewriteFrom(path, 12);
    withDatabase(path, (db) => {
      db.exec(
        "DROP TABLE checkpoints; CREATE TABLE checkpoints (size INTEGER NOT NULL, mote TEXT NOT NULL PRIMARY KEY)",
      );
    });
    const whole = await auditOf(path, { checkpoints: [checkpoints[1]] });
    assert(whole.found.length > 0);
    assert(!whole.found.some((text) => text.includes("that was given")), whole.found.join("\n"));
    const changed = await auditOf(path, { checkpoints: [checkpoints[2]] });
    assert(changed.found.some((text) => text.includes("that was given")), changed.found.join("\n"));
  });
});

Deno.test("a stored checkpoint that another key signed in the name of an author is found", async () => {
  await withSigned(async (path) => {
    {
      using log = OpLog.open(path);
      log.proofs.checkpoint(bob, { origin: `mnema/${alice.author}` });
    }
    const { found } = await auditOf(path);
    assertEquals(found.length, 1);
    assertMatch(found[0], /^checkpoint: stored checkpoint 7: .* has not signed this text$/);
  });
});

Deno.test("a log that contradicts a checkpoint that somebody else holds is a finding", async () => {
  await withSigned(async (path, checkpoints) => {
    assertEquals(await auditOf(path, { checkpoints }), { found: [], unchecked: [] });
    // The log and its stored checkpoints are rewritten.
    rewriteFrom(path, 12);
    changeKept(path, "DELETE FROM checkpoints");
    assertEquals(await auditOf(path), { found: [], unchecked: [] });
    assertEquals(await auditOf(path, { checkpoints: [checkpoints[1]] }), { found: [], unchecked: [] });
    const changed = await auditOf(path, { checkpoints: [checkpoints[2]] });
    assertEquals(changed.found.length, 1);
    assertMatch(
      changed.found[0],
      /^checkpoint: the log contradicts the checkpoint of 15 operations in .* that was given$/,
    );
    behindTriggers(path, (db) => db.exec("DELETE FROM ops WHERE seq > 12; UPDATE sqlite_sequence SET seq = 12"));
    withDatabase(path, (db) => db.exec("DROP TABLE mnema_watermarks"));
    const short = await auditOf(path, { checkpoints: [checkpoints[1], checkpoints[5]] });
    assertEquals(short.found.length, 1);
    assertMatch(short.found[0], /^checkpoint: the log has 12 operations, fewer than the checkpoint of 30 operations/);
  });
});

Deno.test("a checkpoint under a name of its own needs the verifier key", async () => {
  await withSigned(async (path, checkpoints) => {
    const error = await assertRejects(() => audit(path, { checkpoints }), ProofError);
    assertEquals(error.code, "bad-key");
    assertEquals(await auditOf(path, { checkpoints, vkeys: [verifierKey(alice.author, ORIGIN)] }), {
      found: [],
      unchecked: [],
    });
    const other = verifierKey(bob.author, ORIGIN);
    const wrong = await assertRejects(() => audit(path, { checkpoints, vkeys: [other] }), ProofError);
    assertEquals(wrong.code, "bad-checkpoint");
  }, { origin: ORIGIN });
});

Deno.test("what is given for a checkpoint and is none is refused, and not quoted", async () => {
  await withSigned(async (path, checkpoints) => {
    const secret = "c0ffee".repeat(10);
    for (
      const text of ["", secret, `${secret}\n`, `a\n${secret}\n${secret}\n\n`, `{"seed":"${secret}"}`, "\n".repeat(9)]
    ) {
      const error = await assertRejects(() => audit(path, { checkpoints: [text] }), ProofError);
      assertEquals(error.code, "bad-checkpoint");
      assert(!error.message.includes("c0ffee"), error.message);
    }
    const unsigned = checkpoints[0].replace("\n5\n", "\n6\n");
    assertEquals(
      (await assertRejects(() => audit(path, { checkpoints: [unsigned] }), ProofError)).code,
      "bad-checkpoint",
    );
    assertEquals((await assertRejects(() => audit(path, { vkeys: ["none"] }), ProofError)).code, "bad-key");
  });
});

Deno.test("what others append and sign while the log is audited is no finding", async () => {
  await withSigned(async (path) => {
    using log = OpLog.open(path);
    const underWay = audit(path, {
      workers: 1,
      onProgress: () => {
        log.record(alice, "note", {});
        log.proofs.checkpoint(alice);
      },
    });
    const { findings, unchecked } = await underWay;
    assertEquals([findings, unchecked], [[], []]);
  });
});
