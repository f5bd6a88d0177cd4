import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { FileError, Identity, LogError, OpLog, ProofError } from "../../mod.ts";
import { verifierKey, verifyCheckpoint, verifyConsistency, verifyInclusion } from "../../proof.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, bob, note } from "../operations.ts";

const RANDOM = /^mnema\/mnk_[0-9a-f]{64}\/[0-9a-f]{32}$/;

function originOf(checkpoint: string): string {
  return checkpoint.split("\n")[0];
}

/** A kept checkpoint of one operation, as earlier versions or others put it into the file. */
function keep(path: string, text: string): void {
  withDatabase(path, (database) => {
    database.prepare("INSERT INTO checkpoints (size, note) VALUES (?, ?)").run(Number(text.split("\n")[1]), text);
  });
}

Deno.test("a log without a chosen origin is named after its author, with a random part that later checkpoints keep", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    const signed: string[] = [];
    for (let n = 0; n < 3; n++) {
      using log = OpLog.open(path);
      log.append(note(`${n}`));
      signed.push(log.proofs.checkpoint(alice));
      log.append(note(`${n} and more`));
      signed.push(log.proofs.checkpoint(alice));
    }
    const [origin, ...others] = new Set(signed.map(originOf));
    assertMatch(origin, RANDOM);
    assert(origin.startsWith(`mnema/${alice.author}/`));
    assertEquals(others, []);
    using log = OpLog.open(path, { readonly: true });
    assertEquals(log.proofs.verifierKey(alice.author), verifierKey(alice.author, origin));
    for (const checkpoint of signed) {
      verifyConsistency(log.proofs.proveConsistency(checkpoint), log.proofs.verifierKey(alice.author));
    }
  });
});

Deno.test("two logs of one key, and a log that was restored by an import, are trees of different names", async () => {
  using home = OpLog.open();
  home.append(note("a"));
  using other = OpLog.open();
  other.append(note("b"));
  using restored = OpLog.open();
  await restored.ingest(home.entries().map(({ op }) => op.wire));
  const origins = [home, other, restored].map((log) => originOf(log.proofs.checkpoint(alice)));
  assertEquals(new Set(origins).size, 3);
  assertEquals(originOf(home.proofs.checkpoint(alice)), origins[0]);
  assertThrows(
    () => verifyCheckpoint(restored.proofs.checkpoint(alice), home.proofs.verifierKey(alice.author)),
    ProofError,
  );
});

Deno.test("each author of a log has a name of their own, and a chosen origin changes none", () => {
  using log = OpLog.open();
  log.append(note("a"));
  const named = (n: number) =>
    [alice, bob].map((author) => originOf(log.proofs.checkpoint(author, { newName: n < 0 })));
  const first = named(0);
  log.append(note("b"));
  for (const origin of ["example.org/log", `mnema/${alice.author}/mine`, `mnema/${alice.author}/${"0".repeat(31)}`]) {
    assertEquals(originOf(log.proofs.checkpoint(alice, { origin })), origin);
    assertEquals(named(1), first);
  }
  assertNotEquals(first[0], first[1].replace(bob.author, alice.author));
});

Deno.test("a copy of the file can be given a new name, which it continues", () => {
  withFolder((folder) => {
    const [path, copy] = [`${folder}/log.db`, `${folder}/copy.db`];
    using log = OpLog.open(path);
    log.append(note("a"));
    const before = log.proofs.checkpoint(alice);
    withDatabase(path, (database) => database.exec(`VACUUM INTO '${copy}'`));
    using restored = OpLog.open(copy);
    assertEquals(restored.proofs.checkpoint(alice), before); // the copy cannot know that it is one
    const renamed = originOf(restored.proofs.checkpoint(alice, { newName: true }));
    assertMatch(renamed, RANDOM);
    assertNotEquals(renamed, originOf(before));
    assertEquals(originOf(restored.proofs.checkpoint(alice)), renamed);
    const tea = restored.record(alice, "note", {});
    assertEquals(originOf(restored.proofs.checkpoint(alice)), renamed);
    verifyInclusion(restored.proofs.prove(tea.opId), tea.wire, restored.proofs.verifierKey(alice.author));
    assertEquals(originOf(log.proofs.checkpoint(alice)), originOf(before));
  });
});

Deno.test("a file of an earlier version continues the name without a random part", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    log.append(note("a"));
    const origin = `mnema/${alice.author}`;
    const old = log.proofs.checkpoint(alice, { origin });
    log.append(note("b"));
    const next = log.proofs.checkpoint(alice);
    assertEquals(originOf(next), origin);
    assertEquals(log.proofs.verifierKey(alice.author), verifierKey(alice.author, origin));
    assertEquals(
      verifyConsistency(log.proofs.proveConsistency(old), log.proofs.verifierKey(alice.author)).new.text,
      next,
    );
  });
});

Deno.test("a name that somebody else put into the file is not continued", () => {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    log.append(note("a"));
    const { root } = verifyCheckpoint(log.proofs.checkpoint(bob), log.proofs.verifierKey(bob.author));
    const origin = `mnema/${alice.author}/${"0".repeat(32)}`;
    keep(path, signCheckpoint({ size: 1, root }, bob, origin));
    for (const ask of [() => log.proofs.checkpoint(alice), () => log.proofs.verifierKey(alice.author)]) {
      assertEquals(assertThrows(ask, FileError, "not signed by its author").code, "corrupt");
    }
    assertEquals(log.proofs.checkpoints().length, 2);
    assertEquals(originOf(log.proofs.checkpoint(alice, { origin: "example.org" })), "example.org");
  });
});

Deno.test("where an author has signed nothing there is no verifier key yet, and the error says so", () => {
  using log = OpLog.open();
  log.append(note("a"));
  log.proofs.checkpoint(bob);
  log.proofs.checkpoint(alice, { origin: "example.org" });
  assertEquals(assertThrows(() => log.proofs.verifierKey(alice.author), LogError, "sign one first").code, "not-found");
  const none = ["", "alice", alice.author.toUpperCase(), undefined, 5, Identity.generate()];
  for (const author of none) {
    assertEquals(assertThrows(() => log.proofs.verifierKey(author as string), ProofError).code, "bad-key");
  }
});
