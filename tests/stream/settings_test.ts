import type { StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { assertEquals, assertThrows } from "@std/assert";
import { StreamError } from "../../stream.ts";
import { newStreamConfig, requireUsable, warningsOf } from "../../src/stream/settings.ts";
import { requireStreamName, subjectOf } from "../../src/stream/subjects.ts";
import { note } from "../operations.ts";

/** A stream as it is created, with changes. */
function infoOf(change: Partial<StreamConfig>, firstSeq = 1): StreamInfo {
  const state = { first_seq: firstSeq, last_seq: 9 };
  return { config: { ...newStreamConfig("team", 3), ...change }, state } as StreamInfo;
}

const codesOf = (...args: Parameters<typeof infoOf>) => warningsOf(infoOf(...args)).map(({ code }) => code);

Deno.test("a stream as it is created has no warning but the one about what a server does not tell", () => {
  assertEquals(codesOf({}), ["sync-interval"]);
});

Deno.test("each setting that endangers operations has a warning", () => {
  assertEquals(codesOf({ num_replicas: 1 }), ["one-replica", "sync-interval"]);
  assertEquals(codesOf({ storage: "memory" }), ["memory-storage", "sync-interval"]);
  assertEquals(codesOf({ max_age: 1e9 }), ["discards-old", "sync-interval"]);
  assertEquals(codesOf({ max_msgs_per_subject: 1 }), ["discards-old", "sync-interval"]);
  assertEquals(codesOf({ max_bytes: 1, discard: "old" }), ["discards-old", "sync-interval"]);
  assertEquals(codesOf({ max_bytes: 1, discard: "new" }), ["sync-interval"]);
  assertEquals(codesOf({}, 5), ["discarded", "sync-interval"]);
});

Deno.test("a stream is usable when its subjects cover those of operations", () => {
  for (const subject of ["team.ops.*", "team.ops.>", "team.>", "*.ops.*", ">"]) {
    requireUsable(infoOf({ subjects: [subject] }));
  }
  for (const subject of ["team.ops", "team.ops.1", "team.*", "other.ops.*", "team.ops.*.*"]) {
    assertThrows(() => requireUsable(infoOf({ subjects: [subject] })), StreamError, "does not take the subjects");
  }
});

Deno.test("a stream that forgets, seals or does not acknowledge is refused", () => {
  for (const change of [{ retention: "workqueue" }, { retention: "interest" }, { sealed: true }, { no_ack: true }]) {
    assertThrows(() => requireUsable(infoOf(change as Partial<StreamConfig>)), StreamError);
  }
});

Deno.test("a subject has the first hex digit of the author's key, and no name has a wildcard", () => {
  const op = note("x");
  assertEquals(subjectOf("team", op.wire), `team.ops.${op.author["mnk_".length]}`);
  for (const name of ["", "a b", "a.b", "*", ">", "ä", "x".repeat(65), 1]) assertThrows(() => requireStreamName(name));
});
