/**
 * Power cuts: records every write and sync of a log at work, and opens what a disk could hold after a cut at any point of
 * the recording.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { works } from "../processes.ts";
import { ACTIONS, RECORDED, type Scene } from "./actions.ts";
import { checkCheckpoints, checkLog, checkWhole, Promised } from "./check.ts";
import { Disk, type Files } from "./disk.ts";
import { type Call, canInstallLayer, installLayer } from "./layer.ts";
import type { Context, Part, Step } from "./part.ts";
import type { Random } from "./random.ts";

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

/** Thousands of states are written, which need not reach a disk. */
const MEMORY = works("test", "-w", "/dev/shm") ? { dir: "/dev/shm" } : {};

type Durability = "full" | "normal";

/** What was acknowledged once the calls before it were made. With durability normal, no promise goes with it. */
interface Acknowledgement {
  readonly kind: "acknowledgement";
  readonly opIds: readonly string[];
  readonly checkpoint?: string;
  readonly durability: Durability;
}

type Event = Call | Acknowledgement;

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
    const states = [...cuts(recording, files, promised, random.fork(`cuts ${round}`))];
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

/** A disk after a power cut. */
interface State {
  /** How many events were before the cut. */
  readonly at: number;
  readonly files: Files;
  /** What had been promised. */
  readonly promised: Promised;
  /** How many operations had been acknowledged, with or without a promise. */
  readonly acknowledged: number;
  /** Garbage in the place of `-shm`, which a cut may leave in any state. */
  readonly shm?: Uint8Array<ArrayBuffer>;
}

/** Cuts a recording at random points. */
function* cuts(
  { events }: Recording,
  files: Files,
  promisedBefore: Promised,
  random: Random,
): Generator<State> {
  const disk = new Disk(files);
  const opIds = new Set(promisedBefore.opIds);
  const checkpoints = [...promisedBefore.checkpoints];
  let acknowledged = opIds.size;
  const points = Array.from({ length: CUTS }, () => random.integer(events.length + 1)).sort((a, b) => a - b);
  for (let at = 0; at <= events.length; at++) {
    for (; points[0] === at; points.shift()) {
      const promised = Object.assign(new Promised(), { opIds: new Set(opIds), checkpoints: [...checkpoints] });
      const shm = random.chance(0.25) ? new Uint8Array(32768).fill(random.integer(256)) : undefined;
      yield { at, files: disk.cut(random.fork(points.length)), promised, acknowledged, shm };
    }
    const event = events[at];
    if (event === undefined) return;
    if (event.kind !== "acknowledgement") {
      disk.apply(event);
      continue;
    }
    acknowledged += event.opIds.length;
    if (event.durability === "normal") continue;
    for (const opId of event.opIds) opIds.add(opId);
    if (event.checkpoint !== undefined) checkpoints.push(event.checkpoint);
  }
}

/** Checks a log in a state, and returns the number of its operations. */
async function checkState(
  path: string,
  recorded: string,
  { files, promised, shm }: State,
  order: readonly string[],
  isWhole: boolean,
): Promise<number> {
  writeFiles(files, recorded, path);
  if (shm !== undefined) Deno.writeFileSync(`${path}-shm`, shm);
  const size = checkPrefix(path, order, promised);
  if (isWhole) await checkLog(path, promised);
  return size;
}

/** Checks that a log holds what was promised, and a prefix of what was appended; returns the number of its operations. */
function checkPrefix(path: string, order: readonly string[], promised: Promised): number {
  using log = OpLog.open(path);
  const ops = [...log.entries()].map(({ op }) => op);
  const opIds = ops.map(({ opId }) => opId);
  assertEquals(opIds, order.slice(0, ops.length), "the log is not a prefix of what was appended");
  assertEquals([...promised.opIds.difference(new Set(opIds))], [], "acknowledged operations are lost");
  checkWhole(ops);
  checkCheckpoints(log, promised.checkpoints);
  return ops.length;
}

/** What a log holds is promised from now on. */
function survivors(path: string): Promised {
  using log = OpLog.open(path);
  const promised = new Promised();
  for (const { op } of log.entries()) promised.opIds.add(op.opId);
  promised.checkpoints.push(...log.proofs.checkpoints());
  return promised;
}

/** Writes the files of a log to another path. */
function writeFiles(files: Files, from: string, to: string): void {
  for (const [path, content] of files) Deno.writeFileSync(to + path.slice(from.length), content);
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
