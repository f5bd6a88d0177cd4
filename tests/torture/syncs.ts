/**
 * Power cuts after syncs that failed. A system that could not write a file reports that once, drops what it could not
 * write, and goes on reading it from memory: a later sync succeeds, and the disk never gets it. A log at work meets such
 * failures, goes on, is opened again, or dies and is opened again by a process that reads what the disk does not hold;
 * then the power is cut at any point.
 *
 * @module
 */

import { audit, FileError, Operation, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { alice } from "../operations.ts";
import { ACTIONS, RECORDED, type Scene, TS } from "./actions.ts";
import { Promised } from "./check.ts";
import { type Call, canInstallLayer, installLayer, IO_FOLDER_SYNC, IO_SYNC } from "./layer.ts";
import { watchOwnWrites } from "./own_writes.ts";
import type { Context, Part, Step } from "./part.ts";
import type { Random } from "./random.ts";
import { checkState, cuts, type Durability, type Event, MEMORY, type State, writeFiles } from "./states.ts";

/** A system, and how logs are opened on it. */
interface System {
  readonly durability: Durability;
  readonly sharesMemory: boolean;
}

/** How logs are opened, on systems with and without shared memory: without, there is a rollback journal. */
const SYSTEMS: readonly System[] = [
  { durability: "full", sharesMemory: true },
  { durability: "full", sharesMemory: false },
  { durability: "normal", sharesMemory: true },
  { durability: "full", sharesMemory: true },
];

/** Power cuts after syncs that failed. */
export const failedSyncs: Part = {
  name: "syncs",
  summary: "what is acknowledged after a sync that failed is on the disk, whatever that sync has lost",
  weight: 3,
  short: SYSTEMS.length,
  long: 100, // 5,000 states
  skipped: canInstallLayer() ? undefined : "the layer below SQLite is known for Linux on 64 bits alone",
  run: (context) => context.each((step) => failSyncs(context, step)),
};

/** What the failed syncs of a recording have lost is chosen so often. */
const LOSSES = 10;
const SHORT_LOSSES = 3;
/** Cuts for each of these choices. */
const CUTS = 5;
/** One of so many states is checked in all respects. */
const CHECKED_WHOLE = 5;
const FAILING = 0.12;
const DAMAGED = "states that an audit finds damaged, with durability normal or before the log was created";
/** As what a failure is reported; the second while a log is opened, when SQLite does not tell one from the other. */
const CODES = new Set(["io", "disk-full"]);
/** How often a log is opened before it must have been possible. */
const MAX_OPENS = 50;

async function failSyncs(context: Context, { number, random, folder }: Step): Promise<void> {
  const system = SYSTEMS[(number - 1) % SYSTEMS.length]; // in turn, so that a short run has each
  const life = new Life(folder, random.fork("life"), system);
  await life.run();
  context.count("recordings");
  context.count("failed syncs", life.events.filter(({ kind }) => kind === "failure").length);
  context.count("deaths", life.deaths);
  const losses = context.isShort ? SHORT_LOSSES : LOSSES;
  for (let loss = 0; loss < losses; loss++) {
    const states = cuts(life.events, new Map(), new Promised(), CUTS, random.fork(`loss ${loss}`));
    for (const state of states) {
      const isWhole = random.chance(1 / CHECKED_WHOLE);
      try {
        await withFolder(async (cut) => {
          const path = `${cut}/log.db`;
          const mayBeDamaged = system.durability === "normal" || !state.isCreated;
          if (mayBeDamaged && await isDamaged(path, life.path, state)) context.count(DAMAGED);
          else await checkState(path, life.path, state, undefined, isWhole);
        }, MEMORY);
      } catch (error) {
        const what = `loss ${loss}, before call ${state.at} of ${life.events.length}, ${JSON.stringify(system)}`;
        throw new Error(what, { cause: error });
      }
      context.count("states");
    }
  }
}

/**
 * Whether an audit of a state finds something: a failed sync may damage a log with durability normal, or one that could not
 * be created, but not unnoticed.
 */
async function isDamaged(path: string, recorded: string, { files }: State): Promise<boolean> {
  writeFiles(files, recorded, path);
  try {
    OpLog.open(path).close(); // removes what a commit has left that was cut off
    return !(await audit(path, { workers: 0 })).clean;
  } catch (error) {
    if (error instanceof FileError) return true;
    throw error;
  }
}

/** A log at work on a system whose syncs fail now and then. */
class Life {
  /** Where the log is, as it is recorded. */
  readonly path: string;
  readonly events: Event[] = [];
  /** How often its process has died. */
  deaths = 0;
  readonly #folder: string;
  readonly #random: Random;
  readonly #system: System;
  /** Where it is: a process that dies leaves its files, and the next one goes on with a copy of them. */
  #at: string;
  #log?: OpLog;
  /** Another connection, which keeps what the first leaves. */
  #other?: OpLog;
  readonly #dead: OpLog[] = [];

  /**
   * @param folder An empty folder.
   * @param random The choices.
   * @param system The system.
   */
  constructor(folder: string, random: Random, system: System) {
    this.#folder = folder;
    this.#random = random;
    this.#system = system;
    this.path = `${folder}/log.db`;
    this.#at = this.path;
  }

  /** Lives, and records it. */
  async run(): Promise<void> {
    using _layer = installLayer((call) => this.#watch(call), this.#system);
    using _own = watchOwnWrites((call) => this.#watch(call));
    try {
      this.#open();
      const count = this.#random.between(5, 20);
      for (let n = 0; n < count; n++) {
        this.#change();
        if (this.#random.chance(0.5)) this.#append(n);
        else await this.#act(n);
      }
    } finally {
      for (const log of [...this.#dead, this.#other, this.#log]) log?.close();
    }
  }

  /** Dies without a failure, opens a connection or uses the other one. */
  #change(): void {
    const next = this.#random.fraction();
    if (next < 0.05) this.#die();
    else if (next < 0.3 && this.#other !== undefined) [this.#log, this.#other] = [this.#other, this.#log];
    else if (next < 0.4 && this.#other === undefined) {
      this.#other = this.#log;
      this.#open();
    }
  }

  /** Appends an operation, and after a failure the same one again. */
  #append(n: number): void {
    const body = { n, text: "appended ".repeat(this.#random.pick([1, 20, 800])) };
    let op: Operation | undefined;
    do {
      const isDone = this.#attempt(() => {
        op ??= Operation.create({ type: "note", body, prev: this.#log!.heads(1), ts: TS }, alice);
        this.#log!.append(op);
        this.#acknowledge([op.opId]);
      });
      if (isDone) return;
      this.#afterFailure();
    } while (this.#random.chance(0.8));
  }

  async #act(n: number): Promise<void> {
    const name = this.#random.pick(RECORDED);
    const scene: Scene = {
      path: this.#at,
      log: this.#log!,
      options: { durability: this.#system.durability },
      random: this.#random.fork(n),
      tag: `${n} ${name}`,
      acknowledge: (opIds) => this.#acknowledge(opIds),
      signed: (checkpoint) => this.#acknowledge([], checkpoint),
    };
    let isDone = false;
    try {
      await ACTIONS[name](scene);
      isDone = true;
    } catch (error) {
      this.#accept(error, name === "truncateWal");
    }
    this.#log = scene.log;
    if (isDone) return;
    if (name === "reopen") this.#reopen();
    else this.#afterFailure();
  }

  /** Goes on, opens the log again, or dies. */
  #afterFailure(): void {
    const next = this.#random.fraction();
    if (next < 0.3) this.#reopen();
    else if (next < 0.6) this.#die();
  }

  #reopen(): void {
    this.#log!.close();
    this.#open();
  }

  #open(): void {
    const { durability } = this.#system;
    for (let n = 0; n < MAX_OPENS; n++) {
      if (this.#attempt(() => void (this.#log = OpLog.open(this.#at, { durability })))) return this.#acknowledge([]);
    }
    throw new Error("the log cannot be opened");
  }

  /** What the process leaves in memory is let go of; what it has written is what the next one reads. */
  #die(): void {
    for (const log of [this.#other, this.#log]) if (log !== undefined) this.#dead.push(log);
    this.#other = undefined;
    const to = `${this.#folder}/${++this.deaths}.db`;
    for (const suffix of ["", "-wal", "-journal"]) {
      try {
        Deno.copyFileSync(this.#at + suffix, to + suffix);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    this.#at = to;
    this.#open();
  }

  #watch(call: Call): number | undefined {
    if (!call.path.startsWith(this.#at)) return undefined; // of a dead process
    const own: Call = { ...call, path: this.path + call.path.slice(this.#at.length) };
    const isFailing = (call.kind === "sync" || (call.kind === "delete" && call.syncsFolder)) &&
      this.#random.chance(FAILING);
    this.events.push(isFailing ? { kind: "failure", call: own } : own);
    if (!isFailing) return undefined;
    return call.kind === "sync" ? IO_SYNC : IO_FOLDER_SYNC;
  }

  #attempt(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#accept(error);
      return false;
    }
  }

  /** Accepts what a disk that fails must be reported as. */
  #accept(error: unknown, isForeign = false): void {
    if (error instanceof FileError ? !CODES.has(error.code) : !isForeign) throw error;
  }

  #acknowledge(opIds: readonly string[], checkpoint?: string): void {
    this.events.push({ kind: "acknowledgement", opIds, checkpoint, durability: this.#system.durability });
  }
}
