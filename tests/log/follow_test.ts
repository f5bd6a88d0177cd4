import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LogError, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { alice, note, vectorLines } from "../operations.ts";
import { insertOutside } from "../outside.ts";
import { runChild } from "./children/run.ts";

/** The texts of the next notes that are followed. */
async function next(entries: AsyncGenerator<{ op: { body: Record<string, unknown> } }>, count: number) {
  const texts: unknown[] = [];
  while (texts.length < count) texts.push((await entries.next()).value!.op.body.text);
  return texts;
}

/** Counts the watchers of files that are opened and closed. */
function countWatchers(): { opened: number; closed: number } & Disposable {
  const { watchFs } = Deno;
  const counts = { opened: 0, closed: 0, [Symbol.dispose]: () => void (Deno.watchFs = watchFs) };
  Deno.watchFs = (...args) => {
    const watcher = watchFs(...args);
    const close = watcher.close.bind(watcher);
    watcher.close = () => {
      counts.closed++;
      close();
    };
    counts.opened++;
    return watcher;
  };
  return counts;
}

Deno.test("following begins with what is appended after the call, or after a seq", async () => {
  using log = OpLog.open();
  for (const text of ["one", "two", "three"]) log.record(alice, "note", { text });
  const fresh = log.follow();
  const all = log.follow({ sinceSeq: 0 });
  const rest = log.follow({ sinceSeq: 2 });
  log.record(alice, "note", { text: "four" });
  assertEquals(await next(fresh, 1), ["four"]);
  assertEquals(await next(all, 4), ["one", "two", "three", "four"]);
  assertEquals(await next(rest, 2), ["three", "four"]);
});

Deno.test("types and authors are read once, so that an iterator can give them", async () => {
  using log = OpLog.open();
  const filter = { types: ["note"].values(), authors: [alice.author].values(), sinceSeq: 0 };
  log.record(alice, "note", { text: "one" });
  const entries = log.follow(filter);
  assertEquals(await next(entries, 1), ["one"]);
  const following = next(entries, 1);
  log.record(alice, "other", {});
  log.record(alice, "note", { text: "two" });
  assertEquals(await following, ["two"]);
});

Deno.test("a follower waits, and gets what this process appends", async () => {
  using log = OpLog.open();
  const following = next(log.follow(), 2);
  queueMicrotask(() => log.appendAll([note("one"), note("two")]));
  assertEquals(await following, ["one", "two"]);
});

Deno.test("a follower gets what another connection and another implementation append", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    const entries = log.follow();
    {
      using other = OpLog.open(path);
      const following = next(entries, 1);
      other.append(note("another connection"));
      assertEquals(await following, ["another connection"]);
    }
    const following = next(entries, 1);
    insertOutside(path, [note("another implementation")]);
    assertEquals(await following, ["another implementation"]);
  });
});

Deno.test("a follower keeps SQLite's locks: another process that closes the log leaves the -wal", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    log.append(note("first"));
    const entries = log.follow({ types: ["note"] });
    for (let n = 0; n < 2; n++) {
      const following = entries.next();
      assertEquals(await runChild("record.ts", [path, "1"]), { value: "done" });
      assertEquals((await following).value!.seq, n + 2);
      assertEquals(Deno.statSync(`${path}-wal`).isFile, true);
    }
    log.append(note("last"));
    await entries.return();
    using other = OpLog.open(path, { readonly: true });
    assertEquals(other.size, 4);
  });
});

Deno.test("who follows again and again, in one turn of the event loop, opens one watcher, which is closed in the next", async () => {
  await withFolder(async (folder) => {
    using log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
    using watchers = countWatchers();
    log.append(note("first"));
    for (let n = 0; n < 500; n++) {
      const entries = log.follow();
      const following = next(entries, 1);
      log.append(note(`note ${n}`));
      assertEquals(await following, [`note ${n}`]);
      await entries.return();
    }
    assertEquals({ opened: watchers.opened, closed: watchers.closed }, { opened: 1, closed: 0 });
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals({ opened: watchers.opened, closed: watchers.closed }, { opened: 1, closed: 1 });
  });
});

Deno.test("who follows while another does shares its watcher, which is closed after the last", async () => {
  await withFolder(async (folder) => {
    using log = OpLog.open(`${folder}/log.db`, { durability: "normal" });
    using watchers = countWatchers();
    const [first, second] = [log.follow(), log.follow()];
    const following = [next(first, 1), next(second, 1)];
    log.append(note("one"));
    await Promise.all(following);
    await first.return();
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals({ opened: watchers.opened, closed: watchers.closed }, { opened: 1, closed: 0 });
    await second.return();
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals({ opened: watchers.opened, closed: watchers.closed }, { opened: 1, closed: 1 });
  });
});

Deno.test("a readonly log can be followed", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    using log = OpLog.open(path);
    log.append(note("first"));
    using reader = OpLog.open(path, { readonly: true });
    const following = next(reader.follow(), 1);
    log.append(note("second"));
    assertEquals(await following, ["second"]);
  });
});

Deno.test("only the types and authors that are asked for are followed", async () => {
  using log = OpLog.open();
  const photos = log.follow({ types: ["photo"], authors: [alice.author] });
  log.append(note("no photo"));
  const photo = log.record(alice, "photo", {});
  assertEquals((await photos.next()).value!.op.opId, photo.opId);
});

Deno.test("a signal ends it without an error, before it begins and while it waits", async () => {
  using log = OpLog.open();
  const over = await log.follow({ sinceSeq: 0, signal: AbortSignal.abort() }).next();
  assertEquals(over, { value: undefined, done: true });
  const controller = new AbortController();
  const waiting = log.follow({ signal: controller.signal }).next();
  controller.abort();
  assertEquals(await waiting, { value: undefined, done: true });
});

Deno.test("closing the log ends it without an error, while it waits and while it reads", async () => {
  const log = OpLog.open();
  log.appendAll([note("one"), note("two")]);
  const waiting = log.follow().next();
  const reading = log.follow({ sinceSeq: 0 });
  assertEquals(await next(reading, 1), ["one"]);
  log.close();
  assertEquals(await waiting, { value: undefined, done: true });
  assertEquals(await reading.next(), { value: undefined, done: true });
});

Deno.test("what an atomic ingest has inserted is followed once it is committed, and never when it is rolled back", async () => {
  using log = OpLog.open();
  const entries = log.follow();
  const lines = vectorLines().slice(0, 20);
  const failing = log.ingest([...lines, "no operation"], { atomic: true });
  const following = entries.next();
  await assertRejects(() => failing, LogError, "nothing was appended");
  await log.ingest(lines.slice(0, 3), { atomic: true });
  assertEquals((await following).value!.op.wire, lines[0]);
  assertEquals([(await entries.next()).value!.seq, (await entries.next()).value!.seq], [2, 3]);
});

Deno.test("what is no seq, no list of types or a closed log is refused at the call", () => {
  const log = OpLog.open();
  const refused = (options: object) => assertThrows(() => log.follow(options), LogError);
  assertEquals(refused({ sinceSeq: -1 }).code, "invalid-argument");
  assertEquals(refused({ types: "note" }).code, "invalid-argument");
  log.close();
  assertEquals(refused({}).code, "closed");
});
