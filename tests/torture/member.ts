/**
 * One of a crowd that uses a log at the same time: a process, which says `ready` and reads its {@linkcode Task} as one
 * line of JSON; or a worker of such a process, which has its task in its URL. Both report as JSON, a {@linkcode Deed} a
 * line.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { audit, FileError, OpLog } from "../../mod.ts";
import { linesOf } from "../processes.ts";
import { ACTIONS, type Scene } from "./actions.ts";
import { removeSharedMemory } from "./layer.ts";
import { Random } from "./random.ts";

/** What a member does, until its time is over. */
export interface Task {
  role: "append" | "read" | "follow" | "audit" | "rebuild";
  /** The file of the log. */
  path: string;
  /** The seed of its choices. */
  seed: string;
  /** Distinguishes what it appends. */
  tag: string;
  /** How long, in milliseconds. */
  milliseconds: number;
  /** How many workers of a process do it, instead of the process itself. */
  workers?: number;
  /** Whether the process uses SQLite as on a system without shared memory: with a rollback journal. Without workers. */
  isWithoutMemory: boolean;
}

/** What a member has done: operations, a checkpoint, a count of something; at the end, that it is done or has failed. */
export type Deed =
  | { opIds: readonly string[] }
  | { checkpoint: string }
  | { figure: string; count: number }
  | { end: "done" | { failure: string } };

/** The type of the operation that is appended after all others: followers end with it. */
export const LAST_TYPE = "torture.last";

/** The actions of the crowd that appends. */
const APPENDING = ["append", "record", "appendAll", "ingest", "ingestAtomic", "claims", "checkpoint", "reopen"];
/** Lines of fewer bytes are written to a pipe as a whole, also by several threads. */
const MAX_LINE_IDS = 50;
/** Between two rebuilds, which hold the write lock. */
const PAUSE_MS = 300;
const BUSY_TIMEOUT_MS = 5000;

const ROLES: Record<Task["role"], (task: Task) => Promise<void>> = {
  append: appendAtOnce,
  read: readAtOnce,
  follow: followAll,
  audit: auditAtOnce,
  rebuild: rebuildAtOnce,
};

const utf8 = new TextEncoder();

const given = new URL(import.meta.url).searchParams.get("task");
if (given !== null) await perform(JSON.parse(given));
else if (import.meta.main) await wait();

/** Waits for a task, and performs it, or has workers perform it until the standard input ends. */
async function wait(): Promise<void> {
  say("ready");
  const lines = linesOf(Deno.stdin.readable);
  const { value } = await lines.next();
  if (value === undefined) return;
  const { workers = 0, ...task }: Task = JSON.parse(value);
  using _ = task.isWithoutMemory ? removeSharedMemory() : undefined;
  if (workers === 0) await perform(task);
  const started = Array.from({ length: workers }, (_, n) => {
    const url = new URL(import.meta.url);
    url.searchParams.set("task", JSON.stringify({ ...task, seed: `${task.seed}/${n}`, tag: `${task.tag}.${n}` }));
    return new Worker(url, { type: "module" });
  });
  await lines.next();
  for (const worker of started) worker.terminate();
}

async function perform(task: Task): Promise<void> {
  try {
    await ROLES[task.role](task);
    report({ end: "done" });
  } catch (error) {
    report({ end: { failure: Deno.inspect(error) } });
  }
}

function report(deed: Deed): void {
  say(JSON.stringify(deed));
}

function say(line: string): void {
  let rest = utf8.encode(`${line}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

async function appendAtOnce(task: Task): Promise<void> {
  const { path, seed, tag } = task;
  const random = new Random(seed);
  const options = { busyTimeoutMs: BUSY_TIMEOUT_MS };
  let log = OpLog.open(path, options);
  for (const n of turns(task)) {
    const scene: Scene = {
      path,
      log,
      options,
      random: random.fork(n),
      tag: `${tag}.${n}`,
      acknowledge: (opIds) => {
        for (let at = 0; at < opIds.length; at += MAX_LINE_IDS) report({ opIds: opIds.slice(at, at + MAX_LINE_IDS) });
      },
      signed: (checkpoint) => report({ checkpoint }),
    };
    await inTurn(() => ACTIONS[random.pick(APPENDING)](scene));
    log = scene.log;
  }
  log.close();
}

/** Runs `work`, which may wait in vain where many write on a slow machine, but is not to be turned away before. */
async function inTurn(work: () => Promise<void> | void): Promise<void> {
  const begin = performance.now();
  try {
    await work();
  } catch (error) {
    const waited = performance.now() - begin;
    if (!(error instanceof FileError) || error.code !== "locked" || waited < BUSY_TIMEOUT_MS) throw error;
    report({ figure: "waits beyond the busy timeout", count: 1 });
  }
}

async function readAtOnce(task: Task): Promise<void> {
  const random = new Random(task.seed);
  let count = 0;
  let seen = 0;
  for (const _ of turns(task)) {
    using log = OpLog.open(task.path, { readonly: random.chance(0.5) });
    const last = log.lastSeq();
    for (const { seq, op } of log.entries({ sinceSeq: Math.max(0, seen - 10) })) {
      for (const id of op.prev) assert(log.seqOf(id)! < seq, `seq ${seq} follows an operation that comes later`);
      seen = seq;
    }
    assert(seen >= last, `of ${last} operations ${seen} were read`);
    const heads = log.heads(4);
    assert(last === 0 || heads.length > 0, "a log has no heads");
    for (const claim of log.claims.query({ status: "active" }).take(100)) assertEquals(claim.status, "active");
    count++;
    await new Promise((resolve) => setTimeout(resolve));
  }
  report({ figure: "reads", count });
}

/** Follows from the first operation to the last. */
async function followAll({ path }: Task): Promise<void> {
  using log = OpLog.open(path, { readonly: true });
  let expected = 1;
  for await (const { seq, op } of log.follow({ sinceSeq: 0 })) {
    assertEquals(seq, expected++, "a follower missed an operation");
    if (op.type === LAST_TYPE) break;
  }
  report({ figure: "followed operations", count: expected - 1 });
}

async function auditAtOnce(task: Task): Promise<void> {
  let count = 0;
  for (const _ of turns(task)) {
    const { findings, unchecked } = await audit(task.path, { workers: 0 });
    assertEquals([findings, unchecked], [[], []], "an audit found something");
    count++;
  }
  report({ figure: "audits", count });
}

async function rebuildAtOnce(task: Task): Promise<void> {
  using log = OpLog.open(task.path);
  let count = 0;
  for (const _ of turns(task)) {
    await inTurn(() => log.rebuild());
    count++;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  report({ figure: "rebuilds", count });
}

function* turns({ milliseconds }: Task): Generator<number> {
  const end = performance.now() + milliseconds;
  for (let n = 0; performance.now() < end; n++) yield n;
}
