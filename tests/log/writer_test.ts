import { assertEquals, assertThrows } from "@std/assert";
import { LogError, type Operation } from "../../mod.ts";
import { definitionOf } from "../../src/audit/expected_schema.ts";
import { checkBlock } from "../../src/ingest/check.ts";
import type { Appended } from "../../src/log/appended.ts";
import { Changes } from "../../src/log/changes.ts";
import { namesOf, RecordBuffer } from "../../src/log/records.ts";
import { ensureSchema } from "../../src/log/schema.ts";
import { Writer } from "../../src/log/writer.ts";
import type { Connection } from "../../src/sqlite/connection.ts";
import { openConnection } from "../../src/sqlite/open.ts";
import { leafHash } from "../../src/tlog/leaf.ts";
import { withFolder } from "../folder.ts";
import { forged, note, vectorOperations } from "../operations.ts";

const MAX_BYTES = 1 << 20;

/** A writer to a log, in memory by default, and what it has reported. */
function openWriter(
  path = ":memory:",
): { writer: Writer; reported: (Appended[] | "rolled back")[]; connection: Connection } {
  const options = { readonly: false, create: true, busyTimeoutMs: 0, synchronous: "FULL" } as const;
  const connection = openConnection(path, options);
  ensureSchema(connection, definitionOf);
  const reported: (Appended[] | "rolled back")[] = [];
  const follower = {
    appended: (operations: readonly Appended[]) =>
      void reported.push(operations.map((operation) => ({ ...operation, leaf: operation.leaf.slice() }))),
    committed: (parts: Iterable<readonly Appended[]>) => [...parts].forEach((part) => follower.appended(part)),
    rolledBack: () => void reported.push("rolled back"),
  };
  return { writer: new Writer(connection, follower, new Changes(path), MAX_BYTES), reported, connection };
}

/** What is to be reported of operations that are the first of a log. */
function expected(ops: readonly Operation[]): Appended[] {
  return ops.map(({ opId, prev, wire }, i) => ({
    seq: i + 1,
    opId,
    prev: [...prev],
    leaf: leafHash(new TextEncoder().encode(wire)),
  }));
}

/** Appends wire texts as an ingest does. */
function insertBatch(writer: Writer, ops: readonly Operation[]): void {
  const block = checkBlock({ texts: ops.map(({ wire }) => wire) }, { maxBytes: MAX_BYTES, bodies: true });
  writer.transaction(() => writer.insertBatch({ ...block, ...namesOf(block) }));
}

/** Operations, each group as a block. */
function bufferOf(...groups: (readonly Operation[])[]): RecordBuffer {
  const buffer = new RecordBuffer();
  for (const group of groups) {
    const texts = group.map(({ wire }) => wire);
    buffer.add(checkBlock({ texts }, { maxBytes: MAX_BYTES, bodies: true }));
  }
  return buffer;
}

const ops = vectorOperations().slice(0, 200);

/** Leaf hashes as plain arrays of their own, so that they can be compared. */
function copied(appended: Appended[]): unknown[] {
  return appended.map((operation) => ({ ...operation, prev: [...operation.prev], leaf: [...operation.leaf] }));
}

Deno.test("an appended operation is reported with its seq, id, prev and leaf hash, however it is appended", () => {
  const ways: Record<string, (writer: Writer) => void> = {
    "one by one": (writer) => ops.forEach((op) => writer.insert(op)),
    "as new": (writer) => writer.transaction(() => writer.insertNew(ops)),
    "as records": (writer) => insertBatch(writer, ops),
    "as records, some of which are known": (writer) => {
      insertBatch(writer, ops.slice(0, 50));
      insertBatch(writer, ops);
    },
  };
  for (const [way, append] of Object.entries(ways)) {
    const { writer, reported, connection } = openWriter();
    append(writer);
    assertEquals(
      copied(reported.flatMap((report) => report === "rolled back" ? [] : report)),
      copied(expected(ops)),
      way,
    );
    connection.close();
  }
});

Deno.test("what is in the log already is not reported", () => {
  const { writer, reported, connection } = openWriter();
  insertBatch(writer, ops.slice(0, 3));
  insertBatch(writer, ops.slice(0, 3));
  writer.insert(ops[0]);
  assertEquals(reported.length, 1);
  connection.close();
});

Deno.test("a rollback is reported after what it undoes", () => {
  const { writer, reported, connection } = openWriter();
  assertThrows(() =>
    writer.transaction(() => {
      writer.insert(note("a"));
      writer.admit(forged(note("b")));
    }), LogError);
  assertEquals(reported.map((report) => report === "rolled back" ? report : report.length), [1, "rolled back"]);
  assertEquals(writer.seqOf(note("a").opId), undefined);
  connection.close();
});

Deno.test("blocks are appended together, and reported as if they were appended one after the other", () => {
  withFolder((folder) => {
    const { writer, reported, connection } = openWriter(`${folder}/log.db`);
    assertEquals(writer.insertTogether(bufferOf(ops.slice(0, 40), ops.slice(40, 41), ops.slice(41, 150))), 1);
    assertEquals(writer.insertTogether(bufferOf(ops.slice(150))), 151);
    assertEquals(copied(reported.flatMap((report) => report === "rolled back" ? [] : report)), copied(expected(ops)));
    assertEquals(ops.map(({ opId }) => writer.seqOf(opId)), ops.map((_, i) => i + 1));
    connection.close();
  });
});

Deno.test("blocks are not appended together where one operation is known or dangling, or a transaction is open", () => {
  withFolder((folder) => {
    const { writer, reported, connection } = openWriter(`${folder}/log.db`);
    const first = note("first");
    const second = note("second", [first.opId]);
    const together = (...blocks: Operation[][]) => writer.insertTogether(bufferOf(...blocks));
    assertEquals(together([second]), undefined);
    assertEquals(together([second], [first]), undefined);
    assertEquals(together([first], [second, first]), undefined);
    assertEquals(together([]), undefined);
    assertEquals(writer.transaction(() => together([first])), undefined);
    assertEquals(reported, []);
    assertEquals(writer.seqOf(first.opId), undefined);
    assertEquals(together([first], [second]), 1);
    assertEquals(together([note("third"), first]), undefined);
    assertEquals(writer.seqOf(note("third").opId), undefined);
    connection.close();
  });
});
