/**
 * `exhausted.ts PATH`: opens files until the system gives no more, and uses a log meanwhile. It prints what failed with
 * another error than the log's own, or failed although it needs no file, a line each; and `done`.
 *
 * @module
 */

import { audit, Identity, LogError, OpLog } from "../../mod.ts";
import { note } from "../operations.ts";

const [path] = Deno.args;

/** What failed. Deno itself needs files to show an error. */
const failures: [what: string, error: unknown][] = [];

/** Does something that the log may refuse for want of a file. */
async function attempt(what: string, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LogError)) failures.push([what, error]);
  }
}

/** Does something for which a log that is open needs no other file. */
async function succeed(what: string, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    failures.push([what, error]);
  }
}

/** The next operation of a follower. */
async function follow(log: OpLog): Promise<void> {
  for await (const _ of log.follow({ sinceSeq: 0 })) return;
}

const log = OpLog.open(path);
log.append(note("before"));

const files: Deno.FsFile[] = [];
try {
  for (;;) files.push(Deno.openSync("/dev/null"));
} catch (error) {
  if (!(error instanceof Error) || !/os error 24/.test(error.message)) throw error;
}

await succeed("append", () => log.append(note("meanwhile")));
await succeed("appendAll", () => log.appendAll([note("all"), note("of them")]));
await succeed("heads", () => log.heads());
await succeed("claims", () => [...log.claims.query()]);
await succeed("entries", () => [...log.entries()]);
await succeed("ingest", () => log.ingest([note("ingested")], { workers: 0 }));
await succeed("follow", () => follow(log));
await succeed("rebuild", () => log.rebuild());
await attempt("ingest, atomic", () => log.ingest([note("atomic")], { workers: 0, atomic: true }));
await attempt("open", () => OpLog.open(path).close());
await attempt("open to read", () => OpLog.open(path, { readonly: true }).close());
await attempt("open another", () => OpLog.open(`${path}-other`).close());
await attempt("audit", () => audit(path, { workers: 0 }));
await attempt("save a key", () => Identity.generate().save(`${path}.key`));
await attempt("load a key", () => Identity.load(`${path}.key`));

for (const file of files) file.close();
log.close();
for (const [what, error] of failures) console.log(`${what}: ${Deno.inspect(error)}`);
console.log("done");
