import { assertEquals, assertRejects } from "@std/assert";
import { channelPair, SyncError } from "../../sync.ts";

const message = (n: number) => Uint8Array.of(n);

Deno.test("messages arrive whole and in order, in both directions", async () => {
  const [here, there] = channelPair();
  for (let n = 0; n < 5; n++) {
    await here.send(message(n));
    await there.send(message(10 + n));
  }
  for (let n = 0; n < 5; n++) {
    assertEquals([await there.receive(), await here.receive()], [message(n), message(10 + n)]);
  }
});

Deno.test("send waits while the other end takes nothing", async () => {
  const [here, there] = channelPair();
  let sent = 0;
  const sending = (async () => {
    for (let n = 0; n < 100; n++, sent++) await here.send(message(n));
  })();
  await there.receive();
  assertEquals(sent < 50, true);
  for (let n = 1; n < 100; n++) await there.receive();
  await sending;
});

Deno.test("what was sent before the end can be received, and then undefined", async () => {
  const [here, there] = channelPair();
  await here.send(message(1));
  here.close();
  here.close();
  assertEquals([await there.receive(), await there.receive()], [message(1), undefined]);
  assertEquals(await here.receive(), undefined);
  const error = await assertRejects(() => there.send(message(2)), SyncError);
  assertEquals(error.code, "unreachable");
});

Deno.test("a send that waits is rejected when the pair is closed", async () => {
  const [here, there] = channelPair();
  const sends = Array.from({ length: 100 }, (_, n) => here.send(message(n)));
  const last = assertRejects(() => sends[99], SyncError);
  there.close();
  await Promise.allSettled(sends);
  assertEquals((await last).code, "unreachable");
});
