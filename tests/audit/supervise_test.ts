import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileError, LogError } from "../../mod.ts";
import { audit } from "../../src/audit/audit.ts";
import { Findings } from "../../src/audit/findings.ts";
import type { AuditRequest } from "../../src/audit/run.ts";
import { auditInWorker } from "../../src/audit/supervise.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { chain, makeFile } from "./tamper.ts";

const structure = { bytes: 0, isSchemaSafe: true, unsafe: [], objects: [], findings: [], faults: [] };
const request: AuditRequest = {
  path: "none.db",
  busyTimeoutMs: 0,
  workers: 0,
  structure,
  checkpoints: [],
  vkeys: [],
};

/** A worker that says that it has started, as often as it takes, and runs a script when it is sent something. */
function scripted(script: string): URL {
  const module = `const calling = setInterval(() => postMessage({ kind: "started" }), 50);
    onmessage = () => { clearInterval(calling); ${script} };`;
  return new URL(`data:text/javascript,${encodeURIComponent(module)}`);
}

/** Runs a request in a worker that runs a script. */
function runIn(script: string, findings = new Findings(), stallTimeoutMs = 60_000): Promise<number | undefined> {
  return auditInWorker(request, findings, {}, { stallTimeoutMs, url: scripted(script) });
}

/** Runs `use` with a log and a table of someone else's beside it, which takes SQLite a while to check. */
async function withTable(use: (path: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, chain(20));
    withDatabase(path, (db) => {
      db.exec(
        "CREATE TABLE songs (title TEXT UNIQUE); INSERT INTO songs WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL " +
          "SELECT n + 1 FROM n WHERE n < 40000) SELECT hex(n * 7919 % 40009) || n FROM n",
      );
    });
    await use(path);
  });
}

Deno.test("a worker that makes no progress is abandoned, with a finding, and its earlier findings stay", async () => {
  const findings = new Findings();
  const script = `postMessage({ kind: "progress", progress: { checked: 7, total: 9 } });
    postMessage({ kind: "finding", finding: { kind: "schema", message: "a finding of this worker" } });
    postMessage({ kind: "unchecked", what: "and this" });`;
  assertEquals(await runIn(script, findings, 2000), 7);
  assertEquals(findings.sorted().map(({ kind }) => kind), ["integrity", "schema"]);
  assertStringIncludes(findings.sorted()[0].message, "aborted");
  assertEquals(findings.unchecked, ["and this", "the rest of the file: the audit was aborted"]);
});

Deno.test("a worker that reports progress is not abandoned", async () => {
  const findings = new Findings();
  const script = `let n = 0;
    const next = () => {
      postMessage(n < 20 ? { kind: "progress", progress: { checked: n, total: 20 } } : { kind: "done", operations: 20 });
      if (n++ < 20) setTimeout(next, 10);
    };
    next();`;
  assertEquals(await runIn(script, findings, 20_000), 20);
  assertEquals(findings.count, 0);
});

Deno.test("a worker that cannot be loaded is no error, one that dies is", async () => {
  assertEquals(await runIn("this is no script"), undefined);
  const missing = new URL("missing_worker.ts", import.meta.url);
  assertEquals(await auditInWorker(request, new Findings(), {}, { stallTimeoutMs: 60_000, url: missing }), undefined);
  const dying = `throw new Error("no more");`;
  assertEquals((await assertRejects(() => runIn(dying), LogError)).code, "worker-failed");
});

Deno.test("what is thrown in the worker comes out as the same error", async () => {
  // There is no such log.
  const error = await assertRejects(
    () => auditInWorker(request, new Findings(), {}, { stallTimeoutMs: 60_000 }),
    FileError,
  );
  assertEquals([error.code, error.path], ["missing-file", "none.db"]);
});

Deno.test("a log with something else beside it comes out as if it were alone", async () => {
  await withTable(async (path) => {
    const progress: number[] = [];
    const report = await audit(path, { onProgress: ({ checked }) => progress.push(checked) });
    assertEquals([report.operations, progress.at(-1)], [20, 20]);
    assertEquals(report.findings.filter(({ message }) => !message.includes("songs")), []);
    assertEquals(report.unchecked, []);
  });
});

Deno.test("native code that does not return in time is a finding, and the audit ends", async () => {
  await withTable(async (path) => {
    const report = await audit(path, { stallTimeoutMs: 1, workers: 0 });
    assertEquals(report.findings.map(({ kind }) => kind), ["integrity"]);
    assertStringIncludes(report.findings[0].message, "aborted");
    assertEquals([report.unchecked.length, report.clean], [1, false]);
  });
});

Deno.test("an audit in a worker ends when its signal aborts, and when a callback throws", async () => {
  await withTable(async (path) => {
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    await assertRejects(() => audit(path, { signal: stop.signal, onProgress, workers: 0 }), DOMException);
    const fail = () => {
      throw new RangeError("of the caller");
    };
    await assertRejects(() => audit(path, { onProgress: fail, workers: 0 }), RangeError, "of the caller");
  });
});

/** What keeps SQLite from checking the file. */
const COMPUTED: [what: string, sql: string, kind: string][] = [
  ["an index of an expression", "CREATE TABLE songs (a); CREATE INDEX bomb ON songs (hex(zeroblob(a)))", "index"],
  ["an index of some rows", "CREATE TABLE songs (a); CREATE INDEX bomb ON songs (a) WHERE hex(a) > '1'", "index"],
  ["a table with a column that is computed", "CREATE TABLE bomb (a, b AS (hex(zeroblob(a))))", "schema"],
  ["a virtual table", "CREATE VIRTUAL TABLE bomb USING fts5 (a)", "schema"],
];

for (const [what, sql, kind] of COMPUTED) {
  Deno.test(`what keeps SQLite from checking the file is a finding: ${what}`, async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/log.db`;
      makeFile(path, chain(20));
      withDatabase(path, (db) => db.exec(sql));
      const report = await audit(path, { workers: 0 });
      const isFound = report.findings.some((finding) => finding.kind === kind && /\bbomb\b/.test(finding.message));
      assert(isFound, JSON.stringify(report.findings));
      assert(report.unchecked.length > 0);
      assertEquals([report.operations, report.clean], [20, false]);
    });
  });
}
