/**
 * Crashes: kills processes with SIGKILL while they work on a log, and checks what they leave. A step is the life of one
 * log, through several kills.
 *
 * A process is killed at a moment that is chosen by a number of reported operations and a pause after it, or it kills
 * itself before a call that changes a file, which a seed repeats exactly.
 *
 * @module
 */

import { assert } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { alice } from "../operations.ts";
import { ACTIONS } from "./actions.ts";
import { checkAudit, checkLog, Promised } from "./check.ts";
import { canInstallLayer } from "./layer.ts";
import type { Context, Part, Step } from "./part.ts";
import type { Orders } from "./victim.ts";
import { Victim } from "./victims.ts";

/** Crashes. */
export const crashes: Part = {
  name: "crashes",
  summary: "after a kill the log holds what was acknowledged, no half batch, and nothing that an audit finds",
  weight: 6,
  short: 3,
  long: 220, // more than 1,000 kills
  async run(context) {
    await using victims = new Victims();
    await context.each((step) => crash(context, step, victims), PARALLEL);
  },
};

/** Logs at a time. */
const PARALLEL = 2;
/** Kills in the life of a log. */
const KILLS = 4;
/** The most calls that a victim makes before it kills itself: about ten appends. */
const MAX_CALLS = 250;
/** The most reported operations before a victim is killed. */
const MAX_REPORTED = 60;
const MAX_PAUSE_MS = 8;
/** How often a victim does what it is named after, for once that it does something else. */
const OFTEN = 4;

const VICTIMS = Object.keys(ACTIONS);

async function crash(context: Context, { number, random, folder }: Step, victims: Victims): Promise<void> {
  const path = `${folder}/log.db`;
  const promised = new Promised();
  for (let kill = 0; kill < KILLS; kill++) {
    const count = random.chance(0.25) ? 2 : 1;
    const names = Array.from({ length: count }, (_, n) => VICTIMS[(number * KILLS + kill + n) % VICTIMS.length]);
    const orders = names.map((name, n): Orders => ({
      path,
      actions: [...Array<string>(OFTEN * VICTIMS.length).fill(name), ...VICTIMS],
      seed: `${context.seed}/${number}/${kill}/${n}`,
      tag: `${kill}.${n}`,
      dieAt: canInstallLayer() && random.chance(0.5) ? random.between(1, MAX_CALLS) : undefined,
    }));
    const what = orders.map(({ dieAt }, n) => dieAt === undefined ? names[n] : `${names[n]} at call ${dieAt}`);
    // While another process has the log open, nobody recovers it: what was killed leaves its marks in shared memory.
    const open = random.chance(0.5) ? OpLog.open(path) : undefined;
    try {
      await Promise.all(orders.map((order, n) => {
        const reported = random.fork(n).between(0, MAX_REPORTED);
        return victims.kill(order, promised, { reported, pauseMs: random.integer(MAX_PAUSE_MS) });
      }));
      context.count("kills", count);
      if (open !== undefined) promised.opIds.add(open.record(alice, "note", { kill }).opId);
      // While it is open -wal holds what a killed process has left; its end tidies that.
      if (open !== undefined) await checkAudit(path, promised.checkpoints);
      open?.close();
      context.count("operations", await checkLog(path, promised));
    } catch (error) {
      throw new Error(`kill ${kill} of the log: ${what.join(" and ")}`, { cause: error });
    } finally {
      open?.close();
    }
  }
}

/** Processes that are started ahead, as starting takes longer than being killed. */
class Victims implements AsyncDisposable {
  readonly #ready: Victim[] = [];

  /**
   * Gives a victim its orders, and kills it unless it does that itself.
   *
   * @param orders What it does.
   * @param promised Takes what it reports.
   * @param when After how many reported operations it is killed, and how long after, where it does not kill itself.
   */
  async kill(orders: Orders, promised: Promised, when: { reported: number; pauseMs: number }): Promise<void> {
    const victim = this.#ready.pop() ?? new Victim();
    this.#ready.push(new Victim());
    let isKilled = orders.dieAt !== undefined;
    const { signal, refusal, errors } = await victim.suffer(orders, promised, (reported) => {
      if (isKilled || reported < when.reported) return;
      isKilled = true;
      setTimeout(() => victim.kill(), when.pauseMs);
    });
    assert(signal === "SIGKILL", `a victim ended by itself, or hung: ${signal ?? refusal} ${errors}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const victim of this.#ready) await victim.suffer(undefined, new Promised());
  }
}
