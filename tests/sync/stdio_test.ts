import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Channel, streamChannel } from "../../sync.ts";
import { bytes, rejectsWith, streamPair, testTransport } from "./transports.ts";

testTransport("a pair of streams", streamPair);

/** A channel that receives these chunks, and sends into nothing. */
function receiving(...chunks: Uint8Array[]): Channel {
  return streamChannel(ReadableStream.from(chunks), new WritableStream());
}

Deno.test("a message is four bytes of length and its bytes", async () => {
  const written: number[] = [];
  const writable = new WritableStream<Uint8Array>({ write: (chunk) => void written.push(...chunk) });
  const channel = streamChannel(new ReadableStream(), writable);
  await channel.send(bytes("hello"));
  assertEquals(written, [0, 0, 0, 5, ...bytes("hello")]);
  await channel.close();
});

Deno.test("messages may arrive in pieces of any size", async () => {
  const all = new Uint8Array([0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9]);
  for (const size of [1, 2, 3, 5, 15]) {
    const pieces = Array.from({ length: Math.ceil(15 / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
    const channel = receiving(...pieces);
    const received = [
      await channel.receive(),
      await channel.receive(),
      await channel.receive(),
      await channel.receive(),
    ];
    assertEquals(received, [new Uint8Array([7, 8]), new Uint8Array(), new Uint8Array([9]), undefined]);
  }
});

Deno.test("a stream that ends within a message is a lost connection", async () => {
  for (const part of [[0, 0], [0, 0, 0, 2], [0, 0, 0, 2, 7]]) {
    await rejectsWith("unreachable", () => receiving(new Uint8Array(part)).receive());
  }
});

Deno.test("a message that is too large is refused before memory is taken for it", async () => {
  await rejectsWith("too-large", () => receiving(new Uint8Array([0xff, 0xff, 0xff, 0xff])).receive());
});

Deno.test("the greeting of a shell is named as the reason", async () => {
  const error = await rejectsWith("bad-message", () => receiving(bytes("Welcome to debian\n")).receive());
  assertStringIncludes(error.message, '"Welc"');
  assertStringIncludes(error.message, "its shell must print nothing");
});

Deno.test("a reader that fails, and a writer that fails, are a lost connection", async () => {
  const fails = () => {
    throw new Error("broken");
  };
  const channel = streamChannel(new ReadableStream({ pull: fails }), new WritableStream({ write: fails }));
  await rejectsWith("unreachable", () => channel.receive());
  await rejectsWith("unreachable", () => channel.send(bytes("hello")));
  await channel.close();
});
