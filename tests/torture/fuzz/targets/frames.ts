/**
 * Messages in a stream of bytes, as a command writes them: however it is cut, each message comes whole, or an error.
 *
 * The first byte of an input says how long the pieces are.
 *
 * @module
 */

import { SyncError } from "../../../../src/errors.ts";
import { streamChannel } from "../../../../src/sync/stdio.ts";
import { require, type Target } from "../target.ts";

const MAX_MESSAGE = 1 << 18;

/** Each message behind its length. */
function frames(piece: number, ...messages: string[]): Uint8Array {
  const parts = messages.map((message) => {
    const bytes = new TextEncoder().encode(message);
    const frame = new Uint8Array(4 + bytes.length);
    new DataView(frame.buffer).setUint32(0, bytes.length);
    frame.set(bytes, 4);
    return frame;
  });
  return Uint8Array.of(piece, ...parts.flatMap((part) => [...part]));
}

/** The messages in a stream, and how it ends, in the plainest way. */
function expected(bytes: Uint8Array): string[] {
  const results: string[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) return [...results, "unreachable"];
    const header = bytes.subarray(at, at + 4);
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
    const isText = header.every((byte) => byte === 0x0a || byte === 0x0d || (byte >= 0x20 && byte < 0x7f));
    if (at === 0 && isText) return ["bad-message"];
    if (length > MAX_MESSAGE) return [...results, "too-large"];
    if (at + 4 + length > bytes.length) return [...results, "unreachable"];
    results.push(bytes.subarray(at + 4, at + 4 + length).toHex());
    at += 4 + length;
  }
  return [...results, "end"];
}

export const target: Target = {
  start: () => ({
    seeds: [frames(0, "hello", "", "x".repeat(300)), frames(2, "a", "b"), frames(255, "x".repeat(5000))],
    tokens: [
      new Uint8Array(4),
      Uint8Array.of(0, 0, 0, 1),
      Uint8Array.of(0, 4, 0, 1),
      Uint8Array.of(0, 4, 0, 0),
      "Last",
    ],
    async run(input) {
      const size = 1 + (input[0] ?? 0);
      const bytes = input.subarray(1);
      let at = 0;
      const readable = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= bytes.length) return controller.close();
          controller.enqueue(bytes.slice(at, at += size));
        },
      });
      const channel = streamChannel(readable, new WritableStream(), { limits: { maxMessageBytes: MAX_MESSAGE } });
      const results: string[] = [];
      try {
        for (let message = await channel.receive(); message !== undefined; message = await channel.receive()) {
          results.push(message.toHex());
        }
        results.push("end");
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        results.push(error.code);
      }
      await channel.close();
      require(results.join() === expected(bytes).join(), `${results.slice(-3)} is ${expected(bytes).slice(-3)}`);
    },
  }),
};
