import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { internalsOf } from "../../src/oplog.ts";
import { Page } from "../../src/stream/page.ts";
import { note } from "../operations.ts";

const utf8 = new TextEncoder();

Deno.test("an operation that the log holds is left out of the block, a false one with its id is not", () => {
  using log = OpLog.open();
  const known = note("known");
  log.append(known);
  const page = new Page(1 << 20);
  page.add({ seq: 1, data: utf8.encode(known.wire), id: known.opId });
  page.add({ seq: 2, data: utf8.encode("false"), id: known.opId });
  page.add({ seq: 3, data: utf8.encode(note("new").wire), id: "" });
  const { block, content } = page.finish(internalsOf(log).connection);
  assertEquals(new TextDecoder().decode(block.bytes), `false\n${note("new").wire}\n`);
  assertEquals(content, { lines: [2, 3], known: [1], refusals: [] });
});

Deno.test("bytes that only decode to the text of a known operation are not taken for it", () => {
  using log = OpLog.open();
  const known = note("\ufffd");
  log.append(known);
  const data = utf8.encode(known.wire);
  const at = data.indexOf(0xef); // EF BF BD: the replacement character
  data.set([0xf0, 0x9f, 0x98], at); // no whole character, which decodes to it
  assertEquals(new TextDecoder().decode(data), known.wire);
  const page = new Page(1 << 20);
  page.add({ seq: 1, data, id: known.opId });
  assertEquals(page.finish(internalsOf(log).connection).content, { lines: [1], known: [], refusals: [] });
});

Deno.test("what cannot be a line is refused without keeping it, and a page is full of it, too", () => {
  using log = OpLog.open();
  const page = new Page(100);
  page.add({ seq: 1, data: new Uint8Array(101), id: "" });
  page.add({ seq: 2, data: new Uint8Array(), id: "" });
  page.add({ seq: 3, data: utf8.encode("a\nb"), id: "" });
  for (let seq = 4; !page.isFull; seq++) page.add({ seq, data: new Uint8Array(), id: "" });
  const { block, content } = page.finish(internalsOf(log).connection);
  assertEquals([block.bytes.length, content.lines, content.refusals.length], [0, [], 512]);
  assertEquals(content.refusals.slice(0, 3), ["too-large", "bad-shape", "bad-shape"]);
});
