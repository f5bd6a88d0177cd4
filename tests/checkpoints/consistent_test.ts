import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { InconsistentError, type Operation, OpLog } from "../../mod.ts";
import { requireConsistent } from "../../src/checkpoints/consistent.ts";
import { storeCheckpoint } from "../../src/checkpoints/stored.ts";
import { treeSize } from "../../src/derived/tree.ts";
import type { Connection } from "../../src/sqlite/connection.ts";
import { openConnection } from "../../src/sqlite/open.ts";
import { type Checkpoint, parseCheckpoint, signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { alice, note } from "../operations.ts";

const ops = Array.from({ length: 9 }, (_, n) => note(`${n}`));
const leaves = ops.map(({ wire }) => sha256(0, wire));

function sha256(...parts: (number | string | Uint8Array)[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(typeof part === "number" ? Uint8Array.of(part) : part);
  return new Uint8Array(hash.digest());
}

/** MTH of RFC 6962, section 2.1. */
function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length <= 1) return hashes[0] ?? sha256();
  let k = 1;
  while (2 * k < hashes.length) k *= 2;
  return sha256(1, rootOf(hashes.slice(0, k)), rootOf(hashes.slice(k)));
}

/** A checkpoint of the first `size` operations; with `root`, a false one. */
function checkpoint(size: number, root = rootOf(leaves.slice(0, size))): Checkpoint {
  return parseCheckpoint(signCheckpoint({ size, root }, alice, "example.org/log"));
}

function falseCheckpoint(size: number): Checkpoint {
  return checkpoint(size, sha256("another log"));
}

/** Runs `use` with a connection to a log of `ops` with its tree, in which the leaf hashes of `tampered` seqs are changed. */
function withTree(tampered: readonly number[], use: (connection: Connection, size: number) => void): void {
  withFolder((folder) => {
    const path = `${folder}/log.db`;
    {
      using log = OpLog.open(path);
      log.appendAll(ops);
      log.rebuild();
    }
    withDatabase(path, (database) => {
      const [tile] = database.prepare("SELECT hashes FROM mnema_tiles WHERE id = 0").value<[Uint8Array]>()!;
      for (const seq of tampered) tile[32 * (seq - 1)] ^= 1;
      database.prepare("UPDATE mnema_tiles SET hashes = ? WHERE id = 0").run(tile);
    });
    const connection = openConnection(path, { readonly: false, create: false, busyTimeoutMs: 0 });
    try {
      assertEquals(treeSize(connection), ops.length);
      use(connection, ops.length);
    } finally {
      connection.close();
    }
  });
}

function refusal(connection: Connection, refused: Checkpoint, size: number): InconsistentError {
  const error = assertThrows(() => requireConsistent(connection, refused, size), InconsistentError);
  assertEquals([error.code, error.checkpoint], ["inconsistent", refused.text]);
  return error;
}

function changeOf({ opId }: Operation, seq: number): { seq: number; opId: string } {
  return { seq, opId };
}

Deno.test("a checkpoint of any prefix of the log is consistent", () => {
  withTree([], (connection, size) => {
    for (let n = 0; n <= size; n++) requireConsistent(connection, checkpoint(n), size);
  });
});

Deno.test("a checkpoint of more operations than the log has is refused as a removal", () => {
  withTree([], (connection, size) => {
    const { message, change } = refusal(connection, falseCheckpoint(10), size);
    assertEquals(message, "a checkpoint of 10 operations was signed, and the log has 9: some were removed");
    assertEquals(change, undefined);
  });
});

Deno.test("the error names the first operation that contradicts its leaf hash", () => {
  for (const tampered of [[1], [4], [9], [3, 6], [6, 3]]) {
    withTree(tampered, (connection, size) => {
      const { message, change } = refusal(connection, checkpoint(9), size);
      const first = Math.min(...tampered);
      assertEquals(change, changeOf(ops[first - 1], first));
      assertStringIncludes(message, `operation ${ops[first - 1].opId} (seq ${first}) is the first that changed`);
    });
  }
});

Deno.test("a changed operation that the checkpoint does not cover is not named", () => {
  withTree([7], (connection, size) => {
    requireConsistent(connection, checkpoint(6), size);
    assertEquals(refusal(connection, falseCheckpoint(6), size).change, undefined);
    assertEquals(refusal(connection, checkpoint(7), size).change, changeOf(ops[6], 7));
  });
});

Deno.test("where every leaf hash is right, the error names the stored checkpoints around the change", () => {
  const cases: [stored: Checkpoint[], refused: number, range: string][] = [
    [[], 9, "1 to 9"],
    [[checkpoint(2)], 9, "3 to 9"],
    [[checkpoint(2), falseCheckpoint(5)], 9, "3 to 5"],
    [[checkpoint(2), checkpoint(4), falseCheckpoint(6), falseCheckpoint(8)], 9, "5 to 6"],
    [[falseCheckpoint(3), checkpoint(5)], 8, "6 to 8"],
    [[checkpoint(2), checkpoint(8)], 5, "3 to 5"],
  ];
  for (const [stored, refused, range] of cases) {
    withTree([], (connection, size) => {
      connection.transaction(() => stored.forEach((stored) => storeCheckpoint(connection, stored)));
      const { message, change } = refusal(connection, falseCheckpoint(refused), size);
      assertEquals(change, undefined);
      assertStringIncludes(message, `its checkpoint of ${refused} operations says: `);
      assertStringIncludes(message, `the first that changed is one of number ${range}; `);
    });
  }
});

Deno.test("a false checkpoint beside a true stored one of the same size is of another log", () => {
  withTree([], (connection, size) => {
    storeCheckpoint(connection, checkpoint(5));
    assertStringIncludes(refusal(connection, falseCheckpoint(5), size).message, "so this is of another");
  });
});
