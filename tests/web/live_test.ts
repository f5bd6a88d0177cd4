import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Operation, OpLog } from "../../mod.ts";
import { alice, note } from "../operations.ts";
import { HOST, until, type Visitor, withSite } from "./site.ts";

/** The events of a stream, as it is read. */
class Stream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(response: Response) {
    this.#reader = response.body!.getReader();
  }

  /** Waits for an event with a `seq`. */
  async until(seq: number): Promise<void> {
    while (!this.#text.includes(`data: ${seq}.`)) {
      const { value, done } = await this.#reader.read();
      assert(!done, `the stream ended after ${this.#text}`);
      this.#text += new TextDecoder().decode(value);
    }
  }

  /** Waits for the end of the stream. */
  async ended(): Promise<void> {
    while (!(await this.#reader.read()).done);
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}

function openEvents(visitor: Visitor): Promise<Response> {
  return visitor.raw("/events", { headers: { host: HOST, authorization: `Bearer ${visitor.token}` } });
}

Deno.test("a stream of events tells of what this and any other connection appends", async () => {
  await withSite({}, async (visitor) => {
    const response = await openEvents(visitor);
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const stream = new Stream(response);
    await stream.until(0);
    visitor.log.append(note("tea"));
    await stream.until(1);
    {
      using other = OpLog.open(visitor.path);
      other.append(note("coffee"));
    }
    await stream.until(2);
    await stream.close();
  });
});

Deno.test("only so many streams are open at once; a place is free when one ends", async () => {
  await withSite({}, async (visitor) => {
    const open = await Promise.all(Array.from({ length: 32 }, () => openEvents(visitor)));
    const refused = await openEvents(visitor);
    assertEquals([refused.status, refused.headers.get("retry-after")], [503, "10"]);
    await refused.body?.cancel();
    await open[0].body!.cancel();
    const next = await openEvents(visitor);
    assertEquals(next.status, 200);
    for (const { body } of [...open.slice(1), next]) await body!.cancel();
  });
});

Deno.test("who does not read its stream is given up, and its place is free", async () => {
  await withSite({ inMemory: true }, async (visitor) => {
    const open = await Promise.all(Array.from({ length: 32 }, () => openEvents(visitor)));
    let n = 0;
    await until(async () => {
      visitor.log.append(note(`${n++}`));
      const response = await openEvents(visitor);
      await response.body?.cancel();
      return response.status;
    }, (status) => status === 200);
    for (const { body } of open) await body!.cancel();
  });
});

Deno.test("streams end when the site is closed", async () => {
  let stream: Stream | undefined;
  await withSite({}, async (visitor) => {
    stream = new Stream(await openEvents(visitor));
    await stream.until(0);
  });
  await stream!.ended();
});

/** So many claims. */
function claims(count: number): Operation[] {
  const deriver = { id: "d", version: "1" };
  return Array.from({ length: count }, (_, n) =>
    Operation.create({
      type: "claim.assert",
      body: { key: `key${n}`, value: n, confidence_ppm: 1, deriver, inputs: [] },
      prev: [],
      ts: n,
    }, alice));
}

Deno.test("while another connection holds the write lock, every page answers with what is caught up", async () => {
  await withSite({}, async (visitor) => {
    visitor.log.appendAll(claims(10));
    await until(() => visitor.page("/claims"), (text) => text.includes("10 claims"));
    using other = OpLog.open(visitor.path);
    let count = 10;
    for (let isBehind = false; !isBehind; count += 10) { // again, when the worker was faster than the lock
      const writing = Promise.withResolvers<void>();
      const began = Promise.withResolvers<void>();
      const lines = async function* () {
        yield note(`${count}`).wire;
        began.resolve();
        await writing.promise;
      };
      other.appendAll(claims(count + 10).slice(count));
      const ingest = other.ingest(lines(), { atomic: true });
      await began.promise;
      for (const path of ["/", "/claims", "/log", "/log?after=1970-01-01", "/audit"]) {
        assertStringIncludes(await visitor.page(path), "<h1>");
      }
      isBehind = (await visitor.page("/claims")).includes("Catching up: 10 operations to go");
      writing.resolve();
      await ingest;
      assert(isBehind || count < 200);
    }
    const all = `${count} claims`;
    await until(() => visitor.page("/claims"), (text) => text.includes(all) && !text.includes("Catching up"));
  });
});

Deno.test("what is derived and damaged is reported on the page, which shows what was known", async () => {
  await withSite({}, async (visitor) => {
    visitor.log.appendAll(claims(3));
    await until(() => visitor.page("/claims"), (text) => text.includes("3 claims"));
    const { Database } = await import("@db/sqlite");
    const database = new Database(visitor.path);
    database.exec("PRAGMA busy_timeout = 5000; UPDATE mnema_depths SET depth = 'deep'");
    database.close();
    visitor.log.record(alice, "claim.assert", { ...claims(1)[0].body, key: "new" });
    const page = await until(() => visitor.page("/claims"), (text) => text.includes("cannot be taken into account"));
    assertStringIncludes(page, "3 claims");
  });
});
