/**
 * What is done to a log while it is killed, cut off or crowded. What an action appends says by itself what must be whole,
 * so that a log can be checked without knowing how far it came:
 *
 * - `{ batch, of }`: there are `of` operations of this batch, or none.
 * - `{ source, position }`: of an ingest, the operations up to some position are there.
 * - a refute or a correction whose reason is `falls N`: N of `claim.invalidate` name it as their cause.
 *
 * An action that is added to {@linkcode ACTIONS} is a victim of the crashes; see README.md.
 *
 * @module
 */

import { type OpenOptions, Operation, OpLog } from "../../mod.ts";
import { main } from "../../src/cli/main.ts";
import { withDatabase } from "../folder.ts";
import { alice, bob, carol } from "../operations.ts";
import type { Random } from "./random.ts";

/** What an action works on. */
export interface Scene {
  /** The file of the log. */
  readonly path: string;
  /** The log, open for writing. An action may open it again. */
  log: OpLog;
  /** How the log is opened. */
  readonly options?: OpenOptions;
  /** How many workers check what is ingested: none by default. */
  readonly workers?: number;
  /** The choices of this action. */
  readonly random: Random;
  /** Distinguishes what this action appends from all else. */
  readonly tag: string;
  /** Is told of operations once an append of them has returned. */
  acknowledge(opIds: readonly string[]): void;
  /** Is given a checkpoint once it is signed. */
  signed(checkpoint: string): void;
}

/** Does something to a log, and resolves when it is done. */
export type Action = (scene: Scene) => Promise<void> | void;

/** What an operation says of what must be whole. */
type Mark = Record<string, string | number>;

/** The name under which checkpoints are signed: it names the key, and is the same in every run. */
const ORIGIN = `mnema/${alice.author}`;
/** When all that is appended was made: a seed repeats it. */
export const TS = 1_700_000_000_000;
/** The most heads that an operation follows here. */
const MAX_HEADS = 4;

/** The actions, by name. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  append({ log, random, tag, acknowledge }) {
    const op = draft(random, { tag }, log.heads(MAX_HEADS));
    log.append(op);
    acknowledge([op.opId]);
  },

  record({ log, random, tag, acknowledge }) {
    const body = { tag, text: textOf(random) };
    acknowledge([log.record(random.pick([alice, bob, carol]), "note", body, { ts: TS }).opId]);
  },

  appendAll({ log, random, tag, acknowledge }) {
    const ops = chain(random, random.between(2, 20), log.heads(MAX_HEADS), (_, of) => ({ batch: tag, of }));
    log.appendAll(ops);
    acknowledge(ops.map(({ opId }) => opId));
  },

  async ingest({ log, random, tag, workers, acknowledge }) {
    const ops = chain(random, random.between(2, 60), log.heads(MAX_HEADS), (n) => ({ source: tag, position: n + 1 }));
    await ingestInParts(log, ops, { random, workers, acknowledge });
  },

  async ingestAtomic({ log, random, tag, workers = 0, acknowledge }) {
    const ops = chain(random, random.between(2, 60), log.heads(MAX_HEADS), (_, of) => ({ batch: tag, of }));
    await log.ingest(ops, { workers, atomic: true });
    acknowledge(ops.map(({ opId }) => opId));
  },

  async import({ path, log, random, tag, acknowledge }) {
    const isStrict = random.chance(0.5);
    const mark = (n: number, of: number): Mark => isStrict ? { batch: tag, of } : { source: tag, position: n + 1 };
    const ops = chain(random, random.between(2, 60), log.heads(MAX_HEADS), mark);
    const file = `${path}-${tag}.jsonl`;
    Deno.writeTextFileSync(file, ops.map(({ wire }) => wire + "\n").join(""));
    const code = await main(["import", file, "--log", path, "--json", ...isStrict ? ["--strict"] : []]);
    if (code !== 0) throw new Error(`mnema import returned ${code}`);
    acknowledge(ops.map(({ opId }) => opId));
    Deno.removeSync(file);
  },

  /** Claims, each derived from the one before, that fall together. */
  claims({ log, random, tag, acknowledge }) {
    const count = random.between(1, 8);
    const seen = log.record(alice, "evidence.add", { source: tag, kind: "torture", content: {} }, { ts: TS });
    acknowledge([seen.opId]);
    let input = seen.opId;
    for (let n = 0; n < count; n++) {
      const key = n === 0 ? tag : `${tag} ${n}`;
      input = log.claims.assert(bob, { key, value: n, inputs: [input], ts: TS }).opId;
      acknowledge([input]);
    }
    const options = { reason: `falls ${count}`, ts: TS };
    const { op, invalidations } = random.chance(0.5)
      ? log.claims.refute(carol, tag, options)
      : log.claims.correct(carol, tag, "corrected", options);
    acknowledge([op, ...invalidations].map(({ opId }) => opId));
  },

  rebuild({ log }) {
    log.rebuild();
  },

  checkpoint({ log, random, tag, acknowledge, signed }) {
    const op = draft(random, { tag }, log.heads(MAX_HEADS));
    log.append(op);
    acknowledge([op.opId]);
    signed(log.proofs.checkpoint(alice, { origin: ORIGIN }));
  },

  reopen(scene) {
    scene.log.close();
    scene.log = OpLog.open(scene.path, scene.options);
  },

  /** Another connection copies the write-ahead log into the file. */
  truncateWal({ path, random }) {
    const mode = random.pick(["PASSIVE", "FULL", "RESTART", "TRUNCATE"]);
    withDatabase(path, (database) => void database.prepare(`PRAGMA wal_checkpoint(${mode})`).value());
  },
};

/** The names of those that use the given log alone, and write nothing to the standard output. */
export const RECORDED: readonly string[] = Object.keys(ACTIONS).filter((name) => name !== "import");

/** Sizes of texts: most operations are small, some span pages. */
function textOf(random: Random): string {
  const length = random.pick([5, 50, 300, 300, 3000, random.chance(0.1) ? 30_000 : 5000]);
  return String(random.integer(1e9)).repeat(Math.ceil(length / 9)).slice(0, length);
}

function draft(random: Random, mark: Mark, prev: readonly string[]): Operation {
  const body = { ...mark, text: textOf(random) };
  return Operation.create({ type: "note", body, prev, ts: TS }, random.pick([alice, bob, carol]));
}

/** Operations of which each follows the one before. */
function chain(
  random: Random,
  count: number,
  heads: readonly string[],
  mark: (n: number, count: number) => Mark,
): Operation[] {
  const ops: Operation[] = [];
  for (let n = 0; n < count; n++) {
    ops.push(draft(random, mark(n, count), n === 0 ? heads : [ops[n - 1].opId]));
  }
  return ops;
}

/** Ingests from a source that now and then waits until what it has given is committed: each wait ends a transaction. */
async function ingestInParts(
  log: OpLog,
  ops: readonly Operation[],
  { random, workers = 0, acknowledge }: Pick<Scene, "random" | "workers" | "acknowledge">,
): Promise<void> {
  let committed = Promise.withResolvers<void>();
  const parts = random.between(1, 2);
  async function* source() {
    for (let part = 0; part < parts; part++) {
      if (part > 0) await committed.promise;
      committed = Promise.withResolvers();
      yield* ops.slice(ops.length * part / parts, ops.length * (part + 1) / parts);
    }
  }
  const { length } = ops;
  const report = await log.ingest(source(), {
    workers,
    onProgress: () => committed.resolve(),
    onOutcome: (outcome) => {
      if (outcome.status === "new") acknowledge([outcome.opId]);
    },
  });
  if (report.new !== length) throw new Error(`of ${length} operations ${report.new} were new`);
}
