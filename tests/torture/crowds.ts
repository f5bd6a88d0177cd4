/**
 * Crowds: processes and workers append to one log at the same time, beside readers, followers, audits and rebuilds. What
 * the crowd does is repeated by a seed, but not the order in which it happens.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Operation, OpLog } from "../../mod.ts";
import { alice } from "../operations.ts";
import { linesOf } from "../processes.ts";
import { checkLog, Promised } from "./check.ts";
import { canInstallLayer, removeSharedMemory } from "./layer.ts";
import { type Deed, LAST_TYPE, type Task } from "./member.ts";
import type { Context, Part, Step } from "./part.ts";

/** Crowds. */
export const crowds: Part = {
  name: "crowds",
  summary: "processes and workers that use a log at the same time lose nothing, and are not turned away",
  weight: 2,
  short: 1,
  run: (context) => context.each((step) => crowd(context, step)),
};

/** A crowd of a long run, and of a short one. */
const LARGE = { processes: 8, workers: 8, milliseconds: 60_000 };
const SMALL = { processes: 2, workers: 2, milliseconds: 1_500 };

async function crowd(context: Context, { number, folder }: Step): Promise<void> {
  const path = `${folder}/log.db`;
  const { processes, workers, milliseconds } = context.isShort ? SMALL : LARGE;
  const isWithoutMemory = number % 2 === 0 && canInstallLayer();
  const task = (role: Task["role"], n: number, asked?: number): Task => {
    const workers = isWithoutMemory ? undefined : asked;
    const seed = `${context.seed}/${number}/${role}/${n}`;
    return { role, path, milliseconds, workers, isWithoutMemory, seed, tag: `${role}.${n}` };
  };
  const followers = [task("follow", 0), task("follow", 1, 1)];
  const others = [task("read", 0), task("audit", 0), task("rebuild", 0), task("append", 0, workers)];
  for (let n = 1; n <= processes; n++) others.push(task("append", n));

  const inSystem = <T>(work: () => T): T => {
    using _ = isWithoutMemory ? removeSharedMemory() : undefined;
    return work();
  };
  inSystem(() => OpLog.open(path).close());
  const promised = new Promised();
  const members = [...followers, ...others].map((task) => new Member(task));
  try {
    for (const member of members) await member.start();
    const ends = members.map((member) => member.perform(context, promised));
    await Promise.race([Promise.all(ends.slice(followers.length)), ...ends.map(failure)]);
    inSystem(() => appendLast(path, promised));
    await Promise.all(ends);
    for (const member of members) await member.end();
  } finally {
    for (const member of members) await member.kill();
  }
  assertEquals(holdsOnce(path), promised.opIds.size, "the log holds more or less than was acknowledged");
  context.count("operations", await checkLog(path, promised));
}

/** Rejects when a promise does, and else never ends. */
function failure(promise: Promise<void>): Promise<never> {
  return promise.then(() => new Promise<never>(() => {}));
}

/** Appends the operation with which followers end. */
function appendLast(path: string, promised: Promised): void {
  using log = OpLog.open(path);
  const op = Operation.create({ type: LAST_TYPE, body: {}, prev: log.heads(1) }, alice);
  log.append(op);
  promised.opIds.add(op.opId);
}

/** Checks that `seq` is without gaps and a topological order, and returns how many operations there are. */
function holdsOnce(path: string): number {
  using log = OpLog.open(path, { readonly: true });
  const held = new Set<string>();
  for (const { seq, op } of log.entries()) {
    for (const id of op.prev) assert(held.has(id), `seq ${seq} follows an operation that comes later`);
    held.add(op.opId);
    assertEquals(seq, held.size, "seq has a gap, or an operation is there twice");
  }
  return held.size;
}

/** A process of the crowd, as it is seen by the one that starts it. */
class Member {
  readonly #task: Task;
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string, undefined>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #hasEnded = false;

  constructor(task: Task) {
    this.#task = task;
    const script = decodeURIComponent(new URL("member.ts", import.meta.url).pathname);
    const args = ["run", "--quiet", "--no-prompt", "--allow-all", script];
    this.#process = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
    this.#lines = linesOf(this.#process.stdout);
    this.#stdin = this.#process.stdin.getWriter();
  }

  /** Waits until it can be given its task. */
  async start(): Promise<void> {
    assertEquals((await this.#lines.next()).value, "ready");
  }

  /** Gives it its task, and takes what it reports, until it has done it. */
  async perform(context: Context, promised: Promised): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(`${JSON.stringify(this.#task)}\n`));
    const { workers = 1 } = this.#task;
    for (let done = 0; done < workers;) {
      const { value } = await this.#lines.next();
      assert(value !== undefined, `a process with the task ${this.#task.tag} died`);
      const deed: Deed = JSON.parse(value);
      if ("opIds" in deed) { for (const opId of deed.opIds) promised.opIds.add(opId); }
      else if ("checkpoint" in deed) promised.checkpoints.push(deed.checkpoint);
      else if ("figure" in deed) context.count(deed.figure, deed.count);
      else if (deed.end === "done") done++;
      else throw new Error(`${this.#task.tag}: ${deed.end.failure}`);
    }
  }

  /** Waits for its end. */
  async end(): Promise<void> {
    await this.#stdin.close();
    for await (const _ of this.#lines);
    this.#hasEnded = true;
    assert((await this.#process.status).success, `a process with the task ${this.#task.tag} failed`);
  }

  /** Ends it where that has failed. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended by itself
    }
    await this.#process.status;
  }
}
