/**
 * Measures proofs: how large the tree is on disk, and how soon a checkpoint, an inclusion proof and a consistency proof
 * of any size are made.
 *
 * @module
 */

import { audit, Identity, OpLog } from "../mod.ts";
import { openConnection } from "../src/sqlite/open.ts";
import { signCheckpoint } from "../src/tlog/checkpoint.ts";
import { rootAt } from "../src/derived/tree.ts";
import { verifierKey, verifyConsistency, verifyInclusion } from "../proof.ts";

const SAMPLES = 100;
const ORIGIN = "example.org/bench";

/** Prints what proofs and an audit cost on a log of so many operations, which was ingested at so many a second. */
export async function measureProofs(path: string, size: number, ingestRate: number): Promise<void> {
  const alice = Identity.fromSeed(new Uint8Array(32).fill(1));
  const vkey = verifierKey(alice.author, ORIGIN);
  const earlier = checkpointsBefore(path, size, alice);
  const say = (what: string, figure: string) => console.log(`${what.padEnd(44)}${figure}`);
  console.log(`\nproofs, on ${size.toLocaleString("en")} operations`);
  say("the tree on disk", `${bytesOfTree(path, size)} bytes an operation`);

  using log = OpLog.open(path);
  const signing = time(() => log.proofs.checkpoint(alice, { origin: ORIGIN }));
  say("a checkpoint", `${signing.toFixed(1)} ms`);
  const ids = [...log.entries({ limit: Math.min(size, 1000) })].map(({ op }) => op);
  const newest = log.proofs.checkpoints().at(-1)!;
  const inclusion = earlier.map((checkpoint, i) => {
    const op = ids[i * 7 % ids.length];
    let proof = "";
    const ms = time(() => proof = log.proofs.prove(op.opId, checkpoint.size >= ids.length ? checkpoint.text : newest));
    verifyInclusion(proof, op.wire, vkey);
    return ms;
  });
  const consistency = earlier.map(({ text }) => {
    let proof = "";
    const ms = time(() => proof = log.proofs.proveConsistency(text, newest));
    verifyConsistency(proof, vkey);
    return ms;
  });
  for (const [what, times] of [["an inclusion proof", inclusion], ["a consistency proof", consistency]] as const) {
    times.sort((a, b) => a - b);
    say(`${what}, median and slowest`, `${times[times.length >> 1].toFixed(1)} ms, ${times.at(-1)!.toFixed(1)} ms`);
  }

  // Last, because what it leaves behind is cleared away while others are measured.
  log.close();
  const start = performance.now();
  const { found, operations } = await audit(path);
  if (found > 0 || operations !== size) throw new Error(`${found} found in ${operations} operations`);
  const rate = size / (performance.now() - start) * 1000;
  const ratio = (rate / ingestRate).toFixed(2);
  say("an audit", `${Math.round(rate).toLocaleString("en")} operations a second, ${ratio} of the rate of ingest`);
}

/** Checkpoints of the same log when it was smaller. */
function checkpointsBefore(path: string, size: number, alice: Identity): { size: number; text: string }[] {
  const connection = openConnection(path, { readonly: true, create: false, busyTimeoutMs: 0 });
  const checkpoints = Array.from({ length: SAMPLES }, (_, i) => {
    const earlier = { size: Math.max(1, Math.floor(size * (i + 1) / SAMPLES) - i) };
    return { ...earlier, text: signCheckpoint({ ...earlier, root: rootAt(connection, earlier.size) }, alice, ORIGIN) };
  });
  connection.close();
  return checkpoints;
}

/** By SQLite's own count of the pages that the table takes. */
function bytesOfTree(path: string, size: number): string {
  const connection = openConnection(path, { readonly: true, create: false, busyTimeoutMs: 0 });
  const [bytes] = connection.query("SELECT sum(pgsize) FROM dbstat WHERE name = 'mnema_tiles'").value<[number]>()!;
  connection.close();
  return (bytes / size).toFixed(1);
}

function time(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
