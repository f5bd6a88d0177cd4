import { assert, assertEquals, assertMatch } from "@std/assert";
import { LogError, OpLog } from "../../mod.ts";
import { audit, type FindingKind } from "../../src/audit/audit.ts";
import { found, kinds, ops, PAGE, row, withFile } from "./log_file.ts";
import { editBytes, indexOf, rewriteSchema, seeded } from "./tamper.ts";

/** Damage to the pages of a file, and the kinds of findings besides `integrity`, where rows of the log are damaged. */
const DAMAGES: [what: string, change: (path: string) => void, more?: readonly FindingKind[]][] = [
  ["the file is cut in half", (path) => editBytes(path, (bytes) => bytes.slice(0, bytes.length / 2))],
  ["the last page is cut off", (path) => editBytes(path, (bytes) => bytes.slice(0, -PAGE))],
  [
    "the file is cut within a page",
    (path) => editBytes(path, (bytes) => bytes.slice(0, -PAGE / 2)),
    ["seq-gap", "bad-shape"],
  ],
  ["all but the first page is cut off", (path) => editBytes(path, (bytes) => bytes.slice(0, PAGE))],
  ["half a header is left", (path) => editBytes(path, (bytes) => bytes.slice(0, 50))],
  ["the page of a row is zeroed", (path) =>
    editBytes(path, (bytes) => {
      const page = PAGE * Math.floor(indexOf(bytes, '"n":30,') / PAGE);
      bytes.fill(0, page, page + PAGE);
    })],
  ["the page of a row is garbled", (path) =>
    editBytes(path, (bytes) => {
      const page = PAGE * Math.floor(indexOf(bytes, '"n":30,') / PAGE);
      bytes.fill(0xa5, page, page + PAGE);
    })],
  ["the first page is zeroed", (path) => editBytes(path, (bytes) => void bytes.fill(0, 0, PAGE))],
  ["the schema is zeroed", (path) => editBytes(path, (bytes) => void bytes.fill(0, 100, PAGE))],
];

for (const [what, change, more = []] of DAMAGES) {
  Deno.test(`found as damage, and as nothing else: ${what}`, async () => {
    await withFile(async (path) => {
      change(path);
      const before = Deno.readFileSync(path);
      const report = await audit(path, { workers: 0 });
      const expected = report.operations === 0 ? ["schema", "index", "trigger"] : [];
      assertEquals(
        kinds(report).filter((kind) => !expected.includes(kind)),
        ["integrity", ...more],
        JSON.stringify(report, null, 1),
      );
      assertEquals(Deno.readFileSync(path), before);
    });
  });
}

Deno.test("where a page of rows is zeroed, it is said which cannot be read, and the others are looked at", async () => {
  await withFile(async (path) => {
    editBytes(path, (bytes) => {
      const page = PAGE * Math.floor(indexOf(bytes, '"n":30,') / PAGE);
      bytes.fill(0, page, page + PAGE);
    });
    behindTriggersRaw(path);
    const report = await audit(path, { workers: 0 });
    const [unreadable] = report.findings.filter(({ kind, seq }) => kind === "integrity" && seq !== undefined);
    const [, from, to] = unreadable.message.match(/^seq (\d+) to (\d+) cannot be read/)!.map(Number);
    assert(from <= 31 && to >= 31);
    assertEquals(report.operations, 60 - (to - from + 1));
    assertEquals(found(report).filter(([kind]) => kind !== "integrity"), [["bad-address", 2], ["bad-address", 59]]);
  });
});

/** Flips a byte of the second row and of the last but one. */
function behindTriggersRaw(path: string): void {
  editBytes(path, (bytes) => {
    for (const seq of [2, 59]) {
      const at = indexOf(bytes, row(seq).sig);
      bytes[at] = bytes[at] === 0x61 ? 0x62 : 0x61;
    }
  });
}

/** Everything that a reader can get out of a log, or the code of the error. */
function allThatIsRead(path: string): unknown {
  const attempt = (read: () => unknown) => {
    try {
      return read();
    } catch (error) {
      assert(error instanceof LogError, String(error));
      return error.code;
    }
  };
  return attempt(() => {
    using log = OpLog.open(path, { readonly: true });
    return [
      attempt(() => [...log.entries()].map(({ seq, op }) => [seq, op.wire])),
      attempt(() => ops.map(({ opId }) => log.seqOf(opId))),
      attempt(() => log.byType("claim.assert").length),
      attempt(() => log.heads()),
      attempt(() => [...log.claims.query()]),
      attempt(() => [log.size, log.lastSeq(), log.stats()]),
    ];
  });
}

Deno.test("a hundred random edits of a byte are found, or change nothing that is read", async () => {
  await withFile(async (path) => {
    const whole = Deno.readFileSync(path);
    const before = allThatIsRead(path);
    const random = seeded(1);
    let harmless = 0;
    for (let edit = 0; edit < 100; edit++) {
      // Some in the header and in the schema, where little of the file is and much depends on it.
      let at = edit < 20 ? random(100) : edit < 30 ? random(PAGE) : random(whole.length);
      while (edit >= 30 && whole[at] === 0) at = random(whole.length); // not in the free space of a page
      const to = whole[at] ^ (1 + random(255));
      editBytes(path, () => whole.with(at, to));
      const report = await audit(path, { workers: 0 });
      assertEquals(Deno.readFileSync(path), whole.with(at, to));
      if (report.found > 0) continue;
      harmless++;
      assertEquals(allThatIsRead(path), before, `byte ${at} from ${whole[at]} to ${to}`);
    }
    assert(harmless < 40, `${harmless} of 100`);
  });
});

/** Files of which nothing is to be believed. */

Deno.test("schema objects without a name are counted, not listed", async () => {
  await withFile(async (path) => {
    rewriteSchema(path, "UPDATE sqlite_schema SET name = NULL WHERE name LIKE 'mnema_claims%'");
    const { unchecked, findings } = await audit(path, { workers: 0 });
    assertMatch(unchecked[0], /^the structure of all but ops, because of [2-9] objects without a name$/);
    assert(findings.some(({ message }) => message.startsWith("a schema row without a name contradicts its SQL: ")));
  });
});
