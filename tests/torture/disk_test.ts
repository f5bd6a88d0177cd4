import { assert, assertEquals } from "@std/assert";
import { Disk } from "./disk.ts";
import { Random } from "./random.ts";

const LOG = "/log.db";

/** The distinct contents of a file after many cuts; undefined where there is none. */
function outcomes(disk: Disk, path = LOG): (string | undefined)[] {
  const random = new Random("cuts");
  const found = new Set<string | undefined>();
  for (let n = 0; n < 300; n++) {
    const content = disk.cut(random.fork(n)).get(path);
    found.add(content && new TextDecoder().decode(content).replaceAll("\0", "."));
  }
  return [...found].sort();
}

function write(disk: Disk, text: string, offset = 0, path = LOG): void {
  disk.apply({ kind: "write", path, offset, bytes: new TextEncoder().encode(text) });
}

/** A disk with a log whose content is synced. */
function diskWith(text: string): Disk {
  return new Disk(new Map([[LOG, new TextEncoder().encode(text)]]));
}

Deno.test("what is synced is left by every cut", () => {
  const disk = diskWith("old");
  write(disk, "new");
  disk.apply({ kind: "sync", path: LOG });
  assertEquals(outcomes(disk), ["new"]);
});

Deno.test("what is not synced is left or lost, in any version since the last sync", () => {
  const disk = diskWith("old");
  write(disk, "new");
  write(disk, "two");
  assertEquals(outcomes(disk), ["new", "old", "two"]);
});

Deno.test("a write over two sectors can be torn between them, and nowhere else", () => {
  const disk = diskWith("a".repeat(8192));
  write(disk, "b".repeat(8), 4092);
  const found = outcomes(disk).map((content) => content!.slice(4090, 4102));
  assertEquals(found.sort(), ["aaaaaaaaaaaa", "aaaaaabbbbaa", "aabbbbaaaaaa", "aabbbbbbbbaa"]);
});

Deno.test("a file that grew may be longer without what was written to it", () => {
  const disk = diskWith("");
  write(disk, "new");
  const found = outcomes(disk);
  assert(found.includes("...") && found.includes("") && found.includes("new"), `${found}`);
});

Deno.test("a file that was cut may have its old length, or its old end as zeros", () => {
  const disk = diskWith("old");
  disk.apply({ kind: "truncate", path: LOG, size: 1 });
  const found = outcomes(disk);
  assert(found.includes("o") && found.includes("old"), `${found}`);
});

Deno.test("a new journal is certain with its first sync, which syncs the folder", () => {
  const path = "/log.db-wal";
  const disk = diskWith("old");
  disk.apply({ kind: "open", path, isCreating: true, isJournal: true });
  write(disk, "new", 0, path);
  assertEquals(outcomes(disk, path).includes(undefined), true);
  disk.apply({ kind: "sync", path });
  assertEquals(outcomes(disk, path), ["new"]);
});

Deno.test("a deleted file may be there again, unless its folder was synced", () => {
  for (const syncsFolder of [false, true]) {
    const disk = diskWith("old");
    disk.apply({ kind: "delete", path: LOG, syncsFolder });
    assertEquals(outcomes(disk), syncsFolder ? [undefined] : ["old", undefined]);
  }
});

Deno.test("what a failed sync has lost is not on the disk after a later sync, and what is written again is", () => {
  const found = new Set<string>();
  for (let n = 0; n < 50; n++) {
    const disk = diskWith("old");
    write(disk, "new");
    disk.fail({ kind: "sync", path: LOG }, new Random(`failure ${n}`));
    write(disk, "!", 3);
    disk.apply({ kind: "sync", path: LOG });
    outcomes(disk).forEach((content) => found.add(content!));
    write(disk, "new");
    disk.apply({ kind: "sync", path: LOG });
    assertEquals(outcomes(disk), ["new!"]);
  }
  assertEquals([...found].sort(), ["new!", "old!"]);
});

Deno.test("a file is as long after a later sync as the system takes it for, whatever a failed one has lost", () => {
  const disk = diskWith("");
  write(disk, "new");
  disk.fail({ kind: "sync", path: LOG }, new Random("failure"));
  disk.apply({ kind: "sync", path: LOG });
  assertEquals(outcomes(disk).map((content) => content!.length), [3]);
});

Deno.test("a deletion whose folder could not be synced is certain with the next sync of the folder", () => {
  const disk = diskWith("old");
  disk.fail({ kind: "delete", path: LOG, syncsFolder: true }, new Random("failure"));
  assertEquals(outcomes(disk), ["old", undefined]);
  disk.apply({ kind: "delete", path: "/log.db-journal", syncsFolder: true });
  assertEquals(outcomes(disk), [undefined]);
});
