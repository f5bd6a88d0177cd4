/**
 * Opens, reads, audits and writes damaged logs: `child.ts SEED COUNT FOLDER`. Prints a line before each file that says
 * what is damaged, and one for each thing that it finds. A process that dies or hangs does so at the file it named last.
 *
 * @module
 */

import { audit, FileError, formatJson, formatTree, LogError, type LogErrorCode, OpLog } from "../../../mod.ts";
import { alice } from "../../operations.ts";
import { Choices } from "../fuzz/choices.ts";
import { Random } from "../random.ts";
import { damage, type Files } from "./damage.ts";
import { makeSamples, type Sample, SUFFIXES } from "./samples.ts";

/** A line of output. */
export type FilesMessage = { kind: "file"; what: string } | { kind: "found"; what: string } | {
  kind: "done";
  opened: number;
  clean: number;
};

/** The codes with which a damaged file may be refused, or reading it may end. */
const CODES: readonly LogErrorCode[] = [
  "bad-checkpoint",
  "corrupt",
  "dangling-reference",
  "derived-damaged",
  "disk-full",
  "inconsistent",
  "io",
  "locked",
  "not-a-database",
  "not-a-log",
  "not-found",
  "read-only",
  "super-journal",
];

function print(message: FilesMessage): void {
  console.log(JSON.stringify(message));
}

/** Calls a function; what it throws must be documented. */
function attempt(what: string, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof LogError) || !CODES.includes(error.code)) {
      print({ kind: "found", what: `${what}: ${error instanceof Error ? error.stack : error}` });
    }
    return false;
  }
}

/** Everything that can be asked of a log. */
function readAll(log: OpLog): void {
  const questions: Record<string, () => unknown> = {
    entries: () => [...log.entries()],
    reverse: () => [...log.entries({ reverse: true, types: ["note"] })],
    times: () => [...log.entries({ fromTs: 1, untilTs: 1_700_000_000_010 })],
    heads: () => log.heads(),
    children: () => log.children(log.lastOpId() ?? "op_"),
    get: () => log.get(log.lastOpId() ?? "op_"),
    stats: () => [log.stats(), log.size, log.lastSeq()],
    claims: () => [...log.claims.query()].map(formatJson),
    explain: () => [...log.claims.query({ limit: 5 })].map(({ opId }) => formatTree(log.claims.explain(opId))),
    proofs: () => log.proofs.checkpoints().map((text) => log.proofs.proveConsistency(text)),
  };
  for (const [what, ask] of Object.entries(questions)) attempt(what, ask);
}

function write(path: string, { files }: { files: Files }): void {
  for (const suffix of [...SUFFIXES, "-shm"]) {
    try {
      Deno.removeSync(path + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  for (const [suffix, bytes] of files) Deno.writeFileSync(path + suffix, bytes);
}

/** The names of those of the files that are no longer as they were. */
function changed(path: string, files: Files): string[] {
  return [...files].filter(([suffix, bytes]) => {
    const now = Deno.readFileSync(path + suffix);
    return now.length !== bytes.length || now.some((byte, i) => byte !== bytes[i]);
  }).map(([suffix]) => `log.db${suffix}`);
}

/** Audits the file; whether it is clean. */
async function audited(path: string, files: Files): Promise<boolean> {
  try {
    const { clean } = await audit(path, { workers: 0, stallTimeoutMs: 20_000 });
    const differing = changed(path, files);
    if (differing.length > 0) print({ kind: "found", what: `the audit has changed ${differing}` });
    return clean;
  } catch (error) {
    if (!(error instanceof FileError)) {
      print({ kind: "found", what: `audit: ${error instanceof Error ? error.stack : error}` });
    }
    return false;
  }
}

async function tryOne(path: string, sample: Sample, choices: Choices): Promise<{ opened: boolean; clean: boolean }> {
  const files: Files = new Map([...sample.files].map(([suffix, bytes]) => [suffix, bytes.slice()]));
  print({ kind: "file", what: `${sample.name}, ${damage(files, choices)}` });
  write(path, { files });
  const clean = await audited(path, files);
  if (clean && sample.wires.length > 0) {
    attempt("what a clean audit has let through", () => {
      using log = OpLog.open(path, { readonly: true });
      const wires = [...log.entries()].map(({ op }) => op.wire);
      const isPrefix = wires.every((wire, i) => wire === sample.wires[i]);
      if (!isPrefix) throw new Error(`a clean log holds other operations: ${wires.length} of ${sample.wires.length}`);
    });
  }
  attempt("open to read", () => {
    using log = OpLog.open(path, { readonly: true, create: false });
    readAll(log);
  });
  let opened = false;
  attempt("open to write", () => {
    using log = OpLog.open(path, { create: false, busyTimeoutMs: 50 });
    opened = true;
    readAll(log);
    attempt("append", () => {
      const op = log.record(alice, "note", { text: "appended" });
      if (log.get(op.opId).wire !== op.wire) throw new Error("an operation that was appended is another when read");
    });
    attempt("correct", () => void log.claims.correct(alice, "key 2", "corrected"));
    attempt("checkpoint", () => void log.proofs.checkpoint(alice));
    attempt("rebuild", () => log.rebuild());
    readAll(log);
  });
  return { opened, clean };
}

if (import.meta.main) {
  const [seed, count, folder] = Deno.args;
  Deno.mkdirSync(`${folder}/samples`);
  const samples = makeSamples(`${folder}/samples`);
  const choices = new Choices(new Random(seed));
  const figures = { opened: 0, clean: 0 };
  for (let n = 0; n < Number(count); n++) {
    const { opened, clean } = await tryOne(`${folder}/log.db`, choices.pick(samples), choices);
    figures.opened += Number(opened);
    figures.clean += Number(clean);
  }
  print({ kind: "done", ...figures });
  Deno.exit(); // the worker of an audit that was abandoned would keep the process
}
