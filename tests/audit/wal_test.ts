import { assert, assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { audit } from "../../src/audit/audit.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { editWal } from "./craft.ts";
import { chain, makeFile } from "./tamper.ts";

const ops = chain(40);
/** How many operations are in the file itself. */
const SETTLED = 20;

/** Runs `use` with a log as a process leaves it that was killed: each of its last operations is a commit in the `-wal`. */
async function withCommits(use: (path: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops.slice(0, SETTLED));
    using log = OpLog.open(path);
    for (const op of ops.slice(SETTLED)) log.append(op);
    await use(copy(path));
  });
}

/** A copy of a log that is open. */
function copy(path: string): string {
  const to = path.replace("log.db", "copy.db");
  for (const suffix of ["", "-wal"]) Deno.copyFileSync(path + suffix, to + suffix);
  return to;
}

async function auditOf(path: string): Promise<{ operations: number; messages: string[] }> {
  const { operations, findings } = await audit(path, { workers: 0 });
  return { operations, messages: findings.map(({ kind, message }) => `${kind}: ${message}`) };
}

Deno.test("nothing is found in a -wal with commits that were not copied into the file yet", async () => {
  await withCommits(async (path) => {
    assertEquals(await auditOf(path), { operations: 40, messages: [] });
  });
});

Deno.test("one changed bit in a -wal is found wherever commits behind it are lost", async () => {
  await withCommits(async (path) => {
    const whole = Deno.readFileSync(`${path}-wal`);
    const places: number[] = [];
    editWal(path, (wal) => {
      const commits = wal.commits();
      const middle = commits[commits.length >> 1];
      // Each field of the header of a frame, its page, and the frame that ends a commit.
      for (const field of [0, 5, 12, 23, 2000]) places.push(wal.at(middle - 1) + field);
      places.push(wal.at(1) + 100, wal.at(middle) + 7, wal.at(middle) + 300, wal.at(commits.at(-2)!) + 50);
    });
    for (const at of places) {
      Deno.writeFileSync(`${path}-wal`, whole.with(at, whole[at] ^ 1));
      const { operations, messages } = await auditOf(path);
      assertEquals(messages.length, 1, `byte ${at}: ${messages}`);
      assert(/^integrity: frame \d+ of -wal has an invalid checksum .* behind it$/.test(messages[0]), messages[0]);
      assert(operations < 40);
      assertEquals(Deno.readFileSync(`${path}-wal`), whole.with(at, whole[at] ^ 1));
      await Deno.remove(`${path}-shm`).catch(() => {});
    }
  });
});

Deno.test("a changed bit in the header of a -wal is found: all of its commits are lost", async () => {
  await withCommits(async (path) => {
    const whole = Deno.readFileSync(`${path}-wal`);
    for (let at = 3; at < 32; at += 4) {
      Deno.writeFileSync(`${path}-wal`, whole.with(at, whole[at] ^ 0x10));
      const { operations, messages } = await auditOf(path);
      assertEquals(messages.length, 1, `byte ${at}: ${messages}`);
      assert(
        /^integrity: the header of -wal is damaged: SQLite does not read \d+ commits/.test(messages[0]),
        messages[0],
      );
      assertEquals(operations, SETTLED);
      await Deno.remove(`${path}-shm`).catch(() => {});
    }
  });
});

Deno.test("a -wal that SQLite refuses is a finding, and no error", async () => {
  await withCommits(async (path) => {
    editWal(path, (wal) => {
      new DataView(wal.bytes.buffer).setUint32(4, 3007001);
      wal.seal(true);
    });
    const report = await audit(path, { workers: 0 });
    assertEquals(report.findings.map(({ kind }) => kind), ["integrity"]);
    assertEquals([report.operations, report.unchecked.length], [0, 1]);
  });
});

Deno.test("a -wal whose checksums are of the other byte order is read", async () => {
  await withCommits(async (path) => {
    editWal(path, (wal) => wal.seal(false));
    assertEquals(await auditOf(path), { operations: 40, messages: [] });
    editWal(path, (wal) => void (wal.bytes[wal.at(wal.commits()[3]) + 30] ^= 1));
    await Deno.remove(`${path}-shm`).catch(() => {});
    const { operations, messages } = await auditOf(path);
    assertEquals([operations < 40, messages.length], [true, 1]);
  });
});

/** What a crash leaves behind, or a writer that goes on after one. */
const HONEST: [what: string, change: (path: string) => void, operations: number][] = [
  ["a last frame that is wrong", (path) => {
    editWal(path, (wal) => void (wal.bytes[wal.at(wal.count) + 1000] ^= 1));
  }, 39],
  ["a last frame that is incomplete", (path) => editWal(path, (wal) => wal.bytes.slice(0, -1000)), 39],
  ["frames without a commit", (path) => editWal(path, (wal) => wal.bytes.slice(0, wal.at(wal.count))), 39],
  ["wrong frames without a commit", (path) => {
    editWal(path, (wal) => {
      const [before] = wal.commits().slice(-2);
      assert(wal.count - before > 2);
      wal.bytes[wal.at(before + 1) + 1000] ^= 1;
      return wal.bytes.slice(0, wal.at(wal.count));
    });
  }, 39],
  ["a header and nothing more", (path) => editWal(path, (wal) => wal.bytes.slice(0, 32)), 20],
  ["half a header", (path) => editWal(path, (wal) => wal.bytes.slice(0, 16)), 20],
  ["nothing", (path) => editWal(path, () => new Uint8Array()), 20],
  ["zeros", (path) => editWal(path, (wal) => new Uint8Array(wal.bytes.length)), 20],
];

for (const [what, change, operations] of HONEST) {
  Deno.test(`nothing is found in a -wal that a crash left with ${what}`, async () => {
    await withCommits(async (path) => {
      change(path);
      assertEquals(await auditOf(path), { operations, messages: [] });
    });
  });
}

Deno.test("frames of before a -wal was started again are no finding", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops.slice(0, SETTLED));
    using log = OpLog.open(path);
    for (const op of ops.slice(SETTLED, 39)) log.append(op);
    withDatabase(path, (db) => assertEquals(db.prepare("PRAGMA wal_checkpoint(RESTART)").value<number[]>()![0], 0));
    log.append(ops[39]);
    const there = copy(path);
    let count = 0;
    editWal(there, (wal) => void (count = wal.count));
    assert(count > 50);
    assertEquals(await auditOf(there), { operations: 40, messages: [] });
    // A changed bit in those is none either.
    editWal(there, (wal) => void (wal.bytes[wal.at(40) + 500] ^= 1));
    assertEquals(await auditOf(there), { operations: 40, messages: [] });
  });
});

Deno.test("frames of a transaction that was rolled back are no finding", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops.slice(0, 39));
    using log = OpLog.open(path);
    withDatabase(path, (db) => {
      db.exec("PRAGMA cache_size = 1; BEGIN; CREATE TABLE x (y); INSERT INTO x VALUES (zeroblob(200000)); ROLLBACK");
      assert(Deno.statSync(`${path}-wal`).size > 100_000);
    });
    log.append(ops[39]);
    assertEquals(await auditOf(copy(path)), { operations: 40, messages: [] });
  });
});

Deno.test("while another process appends, no frame of its is taken for a wrong one", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, []);
    const script = decodeURIComponent(new URL("children/append_and_wait.ts", import.meta.url).pathname);
    const args = ["run", "--quiet", "--no-prompt", "--allow-all", script, path, "200"];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    const end = reader.read();
    const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
    for (let last = 0; await Promise.race([end, turn()]) === undefined;) {
      const { operations, messages } = await auditOf(path);
      assertEquals(messages, []);
      assert(operations >= last);
      last = operations;
    }
    assertEquals((await auditOf(path)).operations, 200);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  });
});

/**
 * Runs `use` with the path of an open log in whose `-wal` a commit is left that another process wrote, and did not live
 * to complete: the log has overwritten the beginning of it. It holds 21 operations.
 *
 * @param commits How many commits are left.
 */
async function withLeftover(commits: number, use: (path: string, log: OpLog) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, []);
    using log = OpLog.open(path);
    log.appendAll(ops.slice(0, SETTLED));
    const killed = copy(path);
    const size = Deno.statSync(`${killed}-wal`).size;
    {
      using log = OpLog.open(killed);
      const rest = ops.slice(SETTLED);
      for (let n = 0; n < commits; n++) {
        log.appendAll(rest.slice(n * rest.length / commits, (n + 1) * rest.length / commits));
      }
      const bytes = Deno.readFileSync(`${killed}-wal`);
      const wal = Deno.openSync(`${path}-wal`, { write: true });
      wal.seekSync(size, Deno.SeekMode.Start);
      wal.writeSync(bytes.subarray(size));
      wal.close();
    }
    log.append(ops[SETTLED]);
    await use(path, log);
  });
}

Deno.test("what a killed process has left of a commit is no finding while others keep the log open", async () => {
  await withLeftover(1, async (path, log) => {
    const bytes = Deno.readFileSync(`${path}-wal`);
    assertEquals(await auditOf(path), { operations: SETTLED + 1, messages: [] });
    assertEquals(Deno.readFileSync(`${path}-wal`), bytes);
    log.append(ops[SETTLED + 1]);
    assertEquals(await auditOf(path), { operations: SETTLED + 2, messages: [] });
  });
});

Deno.test("what a killed process has left of a commit is no finding when the others were killed, too", async () => {
  await withLeftover(1, async (path) => {
    const there = copy(path);
    Deno.copyFileSync(`${path}-shm`, `${there}-shm`);
    assertEquals(await auditOf(there), { operations: SETTLED + 1, messages: [] });
  });
});

const DOUBT = /^integrity: frame \d+ of -wal .* one that was cut off, or one that was never completed$/;
const LOSS = /^integrity: frame \d+ of -wal has an invalid checksum .* behind it$/;

/** Asserts that an audit finds one thing in a log, and says it like this. */
async function assertFinds(path: string, message: RegExp): Promise<void> {
  const { messages } = await auditOf(path);
  assertEquals(messages.length, 1, String(messages));
  assert(message.test(messages[0]), messages[0]);
}

Deno.test("without -shm, what is left of a commit is a finding that does not call it lost", async () => {
  await withLeftover(1, async (path) => {
    await assertFinds(copy(path), DOUBT);
  });
});

/** What `-shm` does not vouch for, by its header: two copies of 48 bytes. */
const UNUSABLE: [what: string, change: (shm: Uint8Array) => Uint8Array][] = [
  ["is of another -wal", (shm) => {
    const view = new DataView(shm.buffer);
    view.setUint32(32, view.getUint32(32) ^ 1);
    return sealIndex(shm);
  }],
  ["counts other frames", (shm) => {
    const view = new DataView(shm.buffer);
    view.setUint32(24, view.getUint32(24) ^ 1);
    return sealIndex(shm);
  }],
  ["has two copies that differ", (shm) => shm.with(48 + 16, shm[48 + 16] ^ 1)],
  ["has an invalid checksum", (shm) => {
    shm[20] ^= 1;
    shm.copyWithin(48, 0, 48);
    return shm;
  }],
  ["is short", (shm) => shm.slice(0, 95)],
  ["is all zeros", (shm) => shm.fill(0)],
];

/** Makes the checksum in the header of a `-shm` right, and the second copy like the first. */
function sealIndex(shm: Uint8Array): Uint8Array {
  const integers = new Uint32Array(shm.buffer, 0, 12);
  let [a, b] = [0, 0];
  for (let i = 0; i < 10; i += 2) {
    a = (a + integers[i] + b) >>> 0;
    b = (b + integers[i + 1] + a) >>> 0;
  }
  integers.set([a, b], 10);
  shm.copyWithin(48, 0, 48);
  return shm;
}

for (const [what, change] of UNUSABLE) {
  Deno.test(`a -shm that ${what} excuses nothing`, async () => {
    await withLeftover(1, async (path) => {
      const there = copy(path);
      Deno.writeFileSync(`${there}-shm`, change(Deno.readFileSync(`${path}-shm`)));
      await assertFinds(there, DOUBT);
    });
  });
}

Deno.test("a -shm cannot excuse what the -wal proves: a commit with another one behind it", async () => {
  await withLeftover(2, async (path) => {
    await assertFinds(path, LOSS);
  });
});

Deno.test("a changed header in the last commit is a lost commit: the frames behind it continue those before it", async () => {
  await withCommits(async (path) => {
    const whole = Deno.readFileSync(`${path}-wal`);
    let at = 0;
    editWal(path, (wal) => void (at = wal.at(wal.commits().at(-2)! + 1)));
    for (const field of [8, 16]) {
      Deno.writeFileSync(`${path}-wal`, whole.with(at + field, whole[at + field] ^ 1));
      await assertFinds(path, LOSS);
      await Deno.remove(`${path}-shm`).catch(() => {});
    }
  });
});

Deno.test("a changed page in the last commit is lost when -shm counts it, and else may be one never completed", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops.slice(0, SETTLED));
    using log = OpLog.open(path);
    for (const op of ops.slice(SETTLED)) log.append(op);
    for (const message of [LOSS, DOUBT]) {
      const there = copy(path);
      editWal(there, (wal) => void (wal.bytes[wal.at(wal.commits().at(-2)! + 1) + 100] ^= 1));
      if (message === LOSS) Deno.copyFileSync(`${path}-shm`, `${there}-shm`);
      await assertFinds(there, message);
      await Deno.remove(`${there}-shm`).catch(() => {});
    }
  });
});

Deno.test("a -wal of zeros that claims to be very large is read no further than a file can be", async () => {
  await withCommits(async (path) => {
    editWal(path, (wal) => void wal.bytes.fill(0));
    const file = Deno.openSync(`${path}-wal`, { write: true });
    file.truncateSync(2 ** 40);
    file.close();
    assertEquals(await auditOf(path), { operations: SETTLED, messages: [] });
  });
});
