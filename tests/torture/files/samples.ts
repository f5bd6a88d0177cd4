/**
 * Small files of logs, as closed logs, running and killed processes and other implementations leave them.
 *
 * @module
 */

import { type Operation, OpLog } from "../../../mod.ts";
import { chain, makeFile } from "../../audit/tamper.ts";
import { withDatabase } from "../../folder.ts";
import { alice, vectorOperations } from "../../operations.ts";
import { insertOutside } from "../../outside.ts";
import { vectorPath } from "../../vectors.ts";

/** The names of the files of a log, behind the path of the log. */
export const SUFFIXES = ["", "-wal", "-journal"] as const;
export type Suffix = typeof SUFFIXES[number];

/** The bytes of each file of a log, and the operations in it. */
export interface Sample {
  readonly name: string;
  readonly files: ReadonlyMap<Suffix, Uint8Array<ArrayBuffer>>;
  readonly wires: readonly string[];
}

function read(name: string, path: string, ops: readonly Operation[]): Sample {
  const files = new Map<Suffix, Uint8Array<ArrayBuffer>>();
  for (const suffix of SUFFIXES) {
    try {
      files.set(suffix, Deno.readFileSync(path + suffix));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return { name, files, wires: ops.map(({ wire }) => wire) };
}

/** Makes all samples in a folder. */
export function makeSamples(folder: string): Sample[] {
  const ops = chain(24);
  const closed = `${folder}/closed.db`;
  makeFile(closed, ops);
  const samples = [read("a closed log", closed, ops)];

  const running = `${folder}/running.db`;
  {
    using log = OpLog.open(running);
    log.appendAll(ops.slice(0, 8));
    log.heads();
    log.proofs.checkpoint(alice);
    for (const op of ops.slice(8)) log.append(op);
    samples.push(read("a log with commits in its -wal", running, ops));
  }

  const interrupted = `${folder}/interrupted.db`;
  makeFile(interrupted, ops);
  withDatabase(interrupted, (database) => {
    database.prepare("PRAGMA journal_mode = DELETE").value();
    database.exec("PRAGMA cache_spill = ON; PRAGMA cache_size = 1; BEGIN IMMEDIATE");
    database.exec("CREATE TABLE x (y); INSERT INTO x VALUES (zeroblob(100000))");
    samples.push(read("a log with a hot -journal", interrupted, ops));
    database.exec("ROLLBACK");
  });

  const small = `${folder}/small.db`;
  withDatabase(small, (database) => database.exec("PRAGMA page_size = 512; VACUUM; CREATE TABLE x (y); DROP TABLE x"));
  makeFile(small, ops);
  samples.push(read("a log in pages of 512 bytes", small, ops));

  const outside = `${folder}/outside.db`;
  OpLog.open(outside).close();
  insertOutside(outside, vectorOperations());
  samples.push(read("a log of another implementation", outside, vectorOperations()));
  samples.push({
    name: "a log of the Python original",
    files: new Map([["", Deno.readFileSync(vectorPath("python-node.db"))]]),
    wires: [],
  });
  samples.push(read("an empty log", emptyLog(`${folder}/empty.db`), []));
  return samples;
}

function emptyLog(path: string): string {
  OpLog.open(path).close();
  return path;
}
