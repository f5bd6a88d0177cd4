import { assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { SyncError } from "../../sync.ts";
import { type FrameEvent, FrameReader, FrameWriter } from "../../src/sync/frames.ts";
import { upgradeResponse } from "../../src/sync/socket_channel.ts";

const MASK = [1, 2, 3, 4];

/** A frame of a client. */
function frame(opcode: number, payload: readonly number[], isFinal = true): number[] {
  const { length } = payload;
  const size = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 0xff] : [
    127,
    ...[0, 0, 0, 0],
    ...[24, 16, 8, 0].map((shift) => length >>> shift & 0xff),
  ];
  size[0] |= 0x80;
  return [(isFinal ? 0x80 : 0) | opcode, ...size, ...MASK, ...payload.map((byte, i) => byte ^ MASK[i % 4])];
}

/** Reads bytes in pieces of a size. */
function read(bytes: readonly number[], { size = bytes.length, limit = 1 << 20 } = {}): FrameEvent[] {
  const reader = new FrameReader(limit, true);
  const events: FrameEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    events.push(...reader.read(Uint8Array.from(bytes.slice(at, at + size))));
  }
  return events;
}

const message = (bytes: readonly number[]): FrameEvent => ({ kind: "message", message: Uint8Array.from(bytes) });

function refuses(code: string, bytes: readonly number[], limit?: number): void {
  assertEquals(assertThrows(() => read(bytes, { limit }), SyncError).code, code);
}

Deno.test("messages of any size are read, in one frame or in fragments, from pieces of any size", () => {
  const payload = fc.array(fc.nat(255), { maxLength: 300 });
  fc.assert(fc.property(fc.array(fc.array(payload, { minLength: 1, maxLength: 4 })), fc.integer({ min: 1, max: 99 }), (
    messages,
    size,
  ) => {
    const bytes = messages.flatMap((parts) =>
      parts.flatMap((part, i) => frame(i === 0 ? 2 : 0, part, i === parts.length - 1))
    );
    assertEquals(read(bytes, { size: Math.max(1, size) }), messages.map((parts) => message(parts.flat())));
  }));
});

Deno.test("the length of a message has one, two or eight bytes", () => {
  for (const length of [0, 125, 126, 65_535, 65_536]) {
    const payload = Array.from({ length }, (_, i) => i % 256);
    assertEquals(read(frame(2, payload)), [message(payload)]);
  }
});

Deno.test("control frames are read between the fragments of a message", () => {
  const bytes = [...frame(2, [1], false), ...frame(9, [7]), ...frame(10, [8]), ...frame(0, [2])];
  assertEquals(read(bytes), [{ kind: "ping", payload: Uint8Array.of(7) }, message([1, 2])]);
  assertEquals(read(frame(8, [3, 232])), [{ kind: "close", code: 1000 }]);
  assertEquals(read(frame(8, [])), [{ kind: "close", code: undefined }]);
});

Deno.test("what was read is left as it is, and is not kept", () => {
  const piece = Uint8Array.from(frame(2, [7, 8]));
  const before = piece.slice();
  const [event] = new FrameReader(10, true).read(Buffer.from(piece.buffer));
  assertEquals(piece, before);
  piece.fill(0);
  assertEquals(event, message([7, 8]));
});

Deno.test("a message beyond the limit is refused from its header on, all fragments together", () => {
  refuses("too-large", frame(2, Array(11).fill(0)).slice(0, 6), 10);
  refuses("too-large", [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...MASK]);
  refuses("too-large", [...frame(2, Array(6).fill(0), false), ...frame(0, Array(5).fill(0)).slice(0, 6)], 10);
  assertEquals(read([...frame(2, Array(10).fill(0)), ...frame(2, Array(10).fill(0))], { limit: 10 }).length, 2);
});

Deno.test("frames that break the standard are refused", () => {
  refuses("bad-message", frame(1, [65])); // text
  refuses("bad-message", [0x82, 0x01, ...MASK, 65]); // no mask
  refuses("bad-message", [0xc2, 0x81, ...MASK, 65]); // a reserved bit
  refuses("bad-message", frame(0, [65])); // continues nothing
  refuses("bad-message", [...frame(2, [65], false), ...frame(2, [65])]); // a message within a message
  refuses("bad-message", frame(3, [])); // an opcode that is not in the standard
  refuses("bad-message", frame(9, Array(126).fill(0))); // a long ping
  refuses("bad-message", frame(9, [], false)); // a ping in fragments
});

Deno.test("frames of a server have no mask, and the shortest form of their length", () => {
  const server = new FrameWriter(false);
  assertEquals([...server.message(Uint8Array.of(7, 8))], [0x82, 2, 7, 8]);
  assertEquals([...server.message(new Uint8Array(126)).subarray(0, 4)], [0x82, 126, 0, 126]);
  assertEquals([...server.message(new Uint8Array(65_536)).subarray(0, 10)], [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
  assertEquals([...server.pong(Uint8Array.of(7))], [0x8a, 1, 7]);
  assertEquals([...server.close(1000)], [0x88, 2, 0x03, 0xe8]);
});

Deno.test("frames of a client have a mask, new for each, and a server reads them; a client reads no masks", () => {
  const client = new FrameWriter(true);
  for (const length of [0, 3, 126, 70_000]) {
    const payload = Array.from({ length }, (_, i) => i % 256);
    assertEquals(read([...client.message(Uint8Array.from(payload))]), [message(payload)]);
  }
  const masks = new Set(Array.from({ length: 20 }, () => client.pong(Uint8Array.of(1)).subarray(2, 6).join()));
  assertEquals(masks.size, 20);
  const reader = new FrameReader(10, false);
  assertEquals([...reader.read(new FrameWriter(false).message(Uint8Array.of(1)))], [message([1])]);
  assertThrows(() => [...reader.read(client.message(Uint8Array.of(1)))], SyncError);
});

Deno.test("the key of a client is answered as the standard says, and anything else is no key", () => {
  const response = upgradeResponse("dGhlIHNhbXBsZSBub25jZQ==")!; // the example of RFC 6455, section 1.3
  assertEquals(response.includes("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), true);
  for (const key of [undefined, "", "short", "dGhlIHNhbXBsZSBub25jZQ==\r\nX: y"]) {
    assertEquals(upgradeResponse(key), undefined);
  }
});
