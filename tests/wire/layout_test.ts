import { assertEquals } from "@std/assert";
import { Operation } from "../../mod.ts";
import {
  AUTHOR_LENGTH,
  AUTHOR_OFFSET,
  BODY_OFFSET,
  layoutOf,
  prevRange,
  readLink,
  TO_OP_ID,
  TO_TS,
  TS_TO_TYPE,
} from "../../src/wire/layout.ts";
import { note, vectorLines } from "../operations.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Every operation of log.jsonl with its bytes. */
const operations = vectorLines().map((line) => {
  const bytes = encoder.encode(line);
  return {
    line,
    bytes,
    op: Operation.parse(line),
    at: (from: number, to: number) => decoder.decode(bytes.subarray(from, to)),
  };
});

Deno.test("the computed offsets of every operation of log.jsonl are those of its members", () => {
  for (const { bytes, op, at } of operations) {
    const { opIdAt, prevAt, sigAt, tsAt } = layoutOf(bytes.length, op);
    assertEquals(at(AUTHOR_OFFSET, AUTHOR_OFFSET + AUTHOR_LENGTH), op.author);
    assertEquals(JSON.parse(at(BODY_OFFSET, opIdAt - 1)), JSON.parse(at(0, bytes.length)).body);
    assertEquals(at(opIdAt, prevAt), `"op_id":"${op.opId}",`);
    assertEquals(JSON.parse(`{${at(prevAt, sigAt - 1)}}`), { prev: [...op.prev] });
    assertEquals(at(sigAt, tsAt), `"sig":"${op.sig}",`);
    assertEquals(at(tsAt, bytes.length), `"ts":${op.ts},"type":"${op.type}","v":1}`);
    assertEquals(at(opIdAt + TO_OP_ID, opIdAt + TO_OP_ID + 10), op.opId.slice(0, 10));
    const typeAt = tsAt + TO_TS + String(op.ts).length + TS_TO_TYPE;
    assertEquals(at(typeAt, typeAt + op.type.length), op.type);
    const [from, to] = prevRange(opIdAt + TO_OP_ID, tsAt + TO_TS);
    assertEquals(at(from, to), op.prev.join('","'));
  }
});

Deno.test("readLink reads id and prev of every operation of log.jsonl", () => {
  for (const { line, op } of operations) assertEquals(readLink(line), { opId: op.opId, prev: [...op.prev] });
});

Deno.test("readLink returns undefined for a text of another layout", () => {
  const { wire } = note("tea", [note("first").opId]);
  for (
    const text of ["", "{}", wire.slice(0, -1), wire.slice(0, 300), wire.replace('"op_id"', '"op_ie"'), `${wire} `]
  ) {
    assertEquals(readLink(text), undefined, text);
  }
});

Deno.test("readLink ignores text in the body that looks like members", () => {
  const body = { text: '","op_id":"op_00","prev":["op_00"],"sig":"00","ts":1,"type":"x","v":1}' };
  const { wire, opId } = note(body.text);
  assertEquals(readLink(wire), { opId, prev: [] });
});
