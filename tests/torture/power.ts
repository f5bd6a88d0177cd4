/**
 * Power cuts: records every write and sync of a log at work, and opens what a disk could hold after a cut at any point of
 * the recording.
 *
 * @module
 */

import { OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { ACTIONS, RECORDED, type Scene } from "./actions.ts";
import { Promised } from "./check.ts";
import type { Files } from "./disk.ts";
import { canInstallLayer, installLayer } from "./layer.ts";
import type { Context, Part, Step } from "./part.ts";
import type { Random } from "./random.ts";
import { checkState, cuts, type Durability, type Event, MEMORY, writeFiles } from "./states.ts";

/** Power cuts. */
export const powerCuts: Part = {
  name: "power",
  summary: "after a power cut the log holds what was acknowledged, or, with durability normal, all up to some point",
  weight: 3,
  short: 3,
  long: 100, // 10,000 states
  skipped: canInstallLayer() ? undefined : "the layer below SQLite is known for Linux on 64 bits alone",
  run: (context) => context.each((step) => cutPower(context, step)),
};

/** Recordings of a step: each begins with a disk that a cut in the one before has left. */
const RECORDINGS = 2;
/** Cuts of a recording. */
const CUTS = 50;
/** One of so many states is checked in all respects. */
const CHECKED_WHOLE = 10;

/** How logs are opened, on systems with and without shared memory: without, there is a rollback journal. */
const SYSTEMS: readonly { durability: Durability; sharesMemory: boolean }[] = [
  { durability: "full", sharesMemory: true },
  { durability: "normal", sharesMemory: true },
  { durability: "full", sharesMemory: false },
  { durability: "full", sharesMemory: true },
  { durability: "normal", sharesMemory: false },
];

/** What was done to a log, from its opening to its closing. */
interface Recording {
  readonly events: readonly Event[];
  /** The ids of the log at the end, in their order. */
  readonly order: readonly string[];
}

async function cutPower(context: Context, { number, random, folder }: Step): Promise<void> {
  // In turn, so that a short run has each.
  const { durability, sharesMemory } = SYSTEMS[(number - 1) % SYSTEMS.length];
  const path = `${folder}/log.db`;
  let files: Files = new Map();
  let promised = new Promised();
  for (let round = 1; round <= RECORDINGS; round++) {
    const recording = await record(path, files, random.fork(round), { durability, sharesMemory, round });
    context.count("recordings");
    context.count("calls", recording.events.filter(({ kind }) => kind !== "acknowledgement").length);
    const states = [...cuts(recording.events, files, promised, CUTS, random.fork(`cuts ${round}`))];
    for (const [n, state] of states.entries()) {
      const isWhole = n % CHECKED_WHOLE === 0;
      try {
        await withFolder(async (cut) => {
          const size = await checkState(`${cut}/log.db`, path, state, recording.order, isWhole);
          if (size < state.acknowledged) context.count("states with a lost tail");
        }, MEMORY);
      } catch (error) {
        const what =
          `round ${round}, cut ${n} of ${states.length}, before call ${state.at} of ${recording.events.length}`;
        throw new Error(`${what}, durability ${durability}, shared memory ${sharesMemory}`, { cause: error });
      }
      context.count("states");
    }
    ({ files } = random.pick(states));
    removeLog(path);
    writeFiles(files, path, path);
    promised = survivors(path);
    removeLog(path);
  }
}

/** Records what is done to a log that begins as these files. */
async function record(
  path: string,
  files: Files,
  random: Random,
  options: { durability: Durability; sharesMemory: boolean; round: number },
): Promise<Recording> {
  const { durability, sharesMemory, round } = options;
  const events: Event[] = [];
  writeFiles(files, path, path);
  using _ = installLayer((call) => void events.push(call), { sharesMemory });
  const acknowledge = (durability: Durability, opIds: readonly string[], checkpoint?: string) => {
    events.push({ kind: "acknowledgement", opIds, checkpoint, durability });
  };
  const open = (durability: Durability) => ({ durability, log: OpLog.open(path, { durability }) });
  const connections = [open(durability)];
  try {
    if (random.chance(0.3)) connections.push(open(random.pick(["full", "normal"])));
    const count = random.between(5, 20);
    for (let n = 0; n < count; n++) {
      const connection = random.pick(connections);
      const { durability } = connection;
      const name = random.pick(RECORDED);
      const scene: Scene = {
        path,
        log: connection.log,
        options: { durability },
        random: random.fork(n),
        tag: `${round}.${n} ${name}`,
        acknowledge: (opIds) => acknowledge(durability, opIds),
        signed: (checkpoint) => acknowledge(durability, [], checkpoint),
      };
      await ACTIONS[name](scene);
      connection.log = scene.log;
    }
    return { events, order: [...connections[0].log.entries()].map(({ op }) => op.opId) };
  } finally {
    for (const { log } of connections) log.close();
  }
}

/** What a log holds is promised from now on. */
function survivors(path: string): Promised {
  using log = OpLog.open(path);
  const promised = new Promised();
  for (const { op } of log.entries()) promised.opIds.add(op.opId);
  promised.checkpoints.push(...log.proofs.checkpoints());
  return promised;
}

function removeLog(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) {
    try {
      Deno.removeSync(path + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
