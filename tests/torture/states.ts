/**
 * What a disk could hold after a power cut at any point of a recording, and what must hold for it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { works } from "../processes.ts";
import { checkCheckpoints, checkLog, checkWhole, Promised } from "./check.ts";
import { Disk, type Files } from "./disk.ts";
import type { Call } from "./layer.ts";
import type { Random } from "./random.ts";

/** Thousands of states are written, which need not reach a disk. */
export const MEMORY = works("test", "-w", "/dev/shm") ? { dir: "/dev/shm" } : {};

/** How a log is opened. */
export type Durability = "full" | "normal";

/**
 * What was acknowledged once the calls before it were made; nothing but that the log is there, when it was opened. With
 * durability normal, no promise goes with it.
 */
export interface Acknowledgement {
  readonly kind: "acknowledgement";
  readonly opIds: readonly string[];
  readonly checkpoint?: string;
  readonly durability: Durability;
}

/** A call by which something was to be synced, and that failed. */
export interface Failure {
  readonly kind: "failure";
  readonly call: Call;
}

/** What is recorded of a log at work. */
export type Event = Call | Failure | Acknowledgement;

/** A disk after a power cut. */
export interface State {
  /** How many events were before the cut. */
  readonly at: number;
  readonly files: Files;
  /** What had been promised. */
  readonly promised: Promised;
  /** Whether anything had been acknowledged, if only that the log is there. */
  readonly isCreated: boolean;
  /** How many operations had been acknowledged, with or without a promise. */
  readonly acknowledged: number;
  /** Garbage in the place of `-shm`, which a cut may leave in any state. */
  readonly shm?: Uint8Array<ArrayBuffer>;
}

/**
 * Cuts a recording at random points.
 *
 * @param events What was recorded.
 * @param files The disk before.
 * @param promisedBefore What the log held before.
 * @param count How many cuts.
 * @param random Where to cut, and what each cut leaves.
 */
export function* cuts(
  events: readonly Event[],
  files: Files,
  promisedBefore: Promised,
  count: number,
  random: Random,
): Generator<State> {
  const disk = new Disk(files);
  const opIds = new Set(promisedBefore.opIds);
  const checkpoints = [...promisedBefore.checkpoints];
  let isCreated = files.size > 0;
  let acknowledged = opIds.size;
  const points = Array.from({ length: count }, () => random.integer(events.length + 1)).sort((a, b) => a - b);
  for (let at = 0; at <= events.length; at++) {
    for (; points[0] === at; points.shift()) {
      const promised = Object.assign(new Promised(), { opIds: new Set(opIds), checkpoints: [...checkpoints] });
      const shm = random.chance(0.25) ? new Uint8Array(32768).fill(random.integer(256)) : undefined;
      yield { at, files: disk.cut(random.fork(points.length)), promised, isCreated, acknowledged, shm };
    }
    const event = events[at];
    if (event === undefined) return;
    if (event.kind === "failure") {
      disk.fail(event.call, random.fork(`failure ${at}`));
      continue;
    }
    if (event.kind !== "acknowledgement") {
      disk.apply(event);
      continue;
    }
    isCreated = true;
    acknowledged += event.opIds.length;
    if (event.durability === "normal") continue;
    for (const opId of event.opIds) opIds.add(opId);
    if (event.checkpoint !== undefined) checkpoints.push(event.checkpoint);
  }
}

/**
 * Checks a log in a state, and returns the number of its operations.
 *
 * @param path Where the state is written.
 * @param recorded Where it was recorded.
 * @param state The state.
 * @param order The ids of which the log holds the first; undefined where nothing is known of others than those promised.
 * @param isWhole Whether it is checked in all respects.
 */
export async function checkState(
  path: string,
  recorded: string,
  { files, promised, shm }: State,
  order: readonly string[] | undefined,
  isWhole: boolean,
): Promise<number> {
  writeFiles(files, recorded, path);
  if (shm !== undefined) Deno.writeFileSync(`${path}-shm`, shm);
  const size = checkPromised(path, order, promised);
  if (isWhole) await checkLog(path, promised);
  return size;
}

/** Checks that a log holds what was promised, whole, and what it may hold; returns the number of its operations. */
function checkPromised(path: string, order: readonly string[] | undefined, promised: Promised): number {
  using log = OpLog.open(path);
  const ops = [...log.entries()].map(({ op }) => op);
  const opIds = ops.map(({ opId }) => opId);
  if (order !== undefined) {
    assertEquals(opIds, order.slice(0, ops.length), "the log is not a prefix of what was appended");
  }
  assertEquals([...promised.opIds.difference(new Set(opIds))], [], "acknowledged operations are lost");
  checkWhole(ops);
  checkCheckpoints(log, promised.checkpoints);
  return ops.length;
}

/** Writes the files of a log to another path. */
export function writeFiles(files: Files, from: string, to: string): void {
  for (const [path, content] of files) Deno.writeFileSync(to + path.slice(from.length), content);
}
