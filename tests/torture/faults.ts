/**
 * A disk that fails: each call that changes a file fails in its turn, once or until the disk is repaired. What is done at
 * that moment throws; the same log, or one that is opened again, goes on afterwards.
 *
 * @module
 */

import { assert } from "@std/assert";
import { FileError, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { ACTIONS, RECORDED, type Scene } from "./actions.ts";
import { checkLog, Promised } from "./check.ts";
import {
  type Call,
  canInstallLayer,
  CANNOT_OPEN,
  FULL,
  installLayer,
  IO_DELETE,
  IO_SYNC,
  IO_TRUNCATE,
  IO_WRITE,
} from "./layer.ts";
import type { Context, Part, Step } from "./part.ts";
import type { Random } from "./random.ts";

/** A disk that fails. */
export const faults: Part = {
  name: "faults",
  summary: "what a full or failing disk refuses is not in the log, and once it is repaired the log goes on",
  weight: 2,
  short: 2,
  skipped: canInstallLayer() ? undefined : "the layer below SQLite is known for Linux on 64 bits alone",
  run: (context) => context.each((step) => failDisk(context, step)),
};

/** Failures of a step, each of a log of its own. */
const FAILURES = 10;
/** What the caller is told of a disk that fails. */
const CODES = new Set(["disk-full", "io", "read-only"]);

async function failDisk(context: Context, { number, random, folder }: Step): Promise<void> {
  const sharesMemory = number % 3 !== 0;
  const names = Array.from({ length: random.between(2, 6) }, () => random.pick(RECORDED));
  const run = (path: string, fault: Fault, promised: Promised) => {
    return useDisk(path, names, random.fork("actions"), { fault, promised, sharesMemory });
  };
  const { calls } = await run(`${folder}/log.db`, { at: Infinity, isLasting: false, isFull: false }, new Promised());
  for (let n = 0; n < FAILURES; n++) {
    const fault = { at: random.integer(calls), isLasting: random.chance(0.5), isFull: random.chance(0.5) };
    const promised = new Promised();
    try {
      await withFolder(async (folder) => {
        const path = `${folder}/log.db`;
        context.count("errors", (await run(path, fault, promised)).errors);
        await checkLog(path, promised);
      });
    } catch (error) {
      const what = `failure ${n} of ${JSON.stringify(names)}, shared memory ${sharesMemory}, ${JSON.stringify(fault)}`;
      throw new Error(what, { cause: error });
    }
    context.count("failures");
  }
}

/** How a disk fails. */
interface Fault {
  /** The first call that fails, from 0. */
  at: number;
  /** Whether all calls fail from then on, until the disk is repaired. */
  isLasting: boolean;
  /** Whether it is full, or broken. */
  isFull: boolean;
}

/** Does things to a log on a disk that fails, and is repaired as soon as that was noticed. */
async function useDisk(
  path: string,
  names: readonly string[],
  random: Random,
  { fault, promised, sharesMemory }: { fault: Fault; promised: Promised; sharesMemory: boolean },
): Promise<{ calls: number; errors: number }> {
  let calls = 0;
  let errors = 0;
  let isRepaired = false;
  using _ = installLayer((call) => {
    const isFailing = fault.isLasting ? calls >= fault.at : calls === fault.at;
    calls++;
    return isFailing && !isRepaired ? codeOf(call, fault) : undefined;
  }, { sharesMemory });
  const attempt = async (work: () => Promise<void> | void, isOurs = true) => {
    try {
      await work();
      return true;
    } catch (error) {
      const isNamed = error instanceof FileError ? CODES.has(error.code) : !isOurs;
      if (!isNamed || isRepaired || calls <= fault.at) throw error;
      errors++;
      isRepaired = true;
      return false;
    }
  };
  let log: OpLog | undefined;
  const open = () => void (log = OpLog.open(path));
  try {
    if (!await attempt(open)) open();
    for (const [n, name] of names.entries()) {
      const scene: Scene = {
        path,
        log: log!,
        random: random.fork(n),
        tag: `${n}`,
        acknowledge: (opIds) => opIds.forEach((opId) => promised.opIds.add(opId)),
        signed: (checkpoint) => promised.checkpoints.push(checkpoint),
      };
      const isDone = await attempt(() => ACTIONS[name](scene), name !== "truncateWal");
      log = scene.log;
      if (!isDone && (name === "reopen" || random.fork(n).chance(0.5))) {
        log.close();
        open();
      }
    }
  } finally {
    isRepaired = true;
    log?.close();
  }
  assert(fault.isLasting || errors <= 1, "one failure was noticed twice");
  return { calls, errors };
}

/** The code with which a call fails. Files that exist can be opened. */
function codeOf(call: Call, { isFull }: Fault): number | undefined {
  switch (call.kind) {
    case "open":
      return call.isCreating ? CANNOT_OPEN : undefined;
    case "write":
      return isFull ? FULL : IO_WRITE;
    case "truncate":
      return IO_TRUNCATE;
    case "sync":
      return IO_SYNC;
    case "delete":
      return IO_DELETE;
  }
}
