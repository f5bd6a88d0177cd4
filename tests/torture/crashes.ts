/**
 * Crashes: kills processes with SIGKILL while they work on a log, and checks what they leave. A step is the life of one
 * log, through several kills.
 *
 * A process is killed at a moment that is chosen by a number of reported operations and a pause after it, or it kills
 * itself before a call that changes a file, which a seed repeats exactly.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { linesOf } from "../processes.ts";
import { ACTIONS } from "./actions.ts";
import { checkLog, Promised } from "./check.ts";
import { canInstallLayer } from "./layer.ts";
import type { Context, Part, Step } from "./part.ts";
import type { Orders } from "./victim.ts";

/** Crashes. */
export const crashes: Part = {
  name: "crashes",
  summary: "after a kill the log holds what was acknowledged, no half batch, and nothing that an audit finds",
  weight: 6,
  short: 4,
  async run(context) {
    await using victims = new Victims();
    await context.each((step) => crash(context, step, victims));
  },
};

/** Kills in the life of a log. */
const KILLS = 4;
/** The most calls that a victim makes before it kills itself: about ten appends. */
const MAX_CALLS = 250;
/** The most reported operations before a victim is killed. */
const MAX_REPORTED = 60;
const MAX_PAUSE_MS = 8;
/** Ends a victim that hangs, which is a finding. */
const MAX_LIFE_MS = 60_000;

const VICTIMS = Object.keys(ACTIONS);

async function crash(context: Context, { number, random, folder }: Step, victims: Victims): Promise<void> {
  const path = `${folder}/log.db`;
  const promised = new Promised();
  // While another process has the log open, nobody recovers it: what was killed leaves its marks in shared memory.
  using _open = random.chance(0.5) ? OpLog.open(path) : undefined;
  for (let kill = 0; kill < KILLS; kill++) {
    const count = random.chance(0.25) ? 2 : 1;
    const orders = Array.from({ length: count }, (_, n): Orders => ({
      path,
      action: VICTIMS[(number * KILLS + kill + n) % VICTIMS.length],
      seed: `${context.seed}/${number}/${kill}/${n}`,
      tag: `${kill}.${n}`,
      dieAt: canInstallLayer() && random.chance(0.5) ? random.between(1, MAX_CALLS) : undefined,
    }));
    const what = orders.map(({ action, dieAt }) => `${action} ${dieAt === undefined ? "" : `at call ${dieAt}`}`);
    try {
      await Promise.all(orders.map((order, n) => {
        const reported = random.fork(n).between(0, MAX_REPORTED);
        return victims.kill(order, promised, { reported, pauseMs: random.integer(MAX_PAUSE_MS) });
      }));
      context.count("kills", count);
      context.count("operations", await checkLog(path, promised));
    } catch (error) {
      throw new Error(`kill ${kill} of the log: ${what.join(" and ")}`, { cause: error });
    }
  }
}

/** A process that waits for its orders. */
interface Victim {
  process: Deno.ChildProcess;
  lines: AsyncGenerator<string, undefined>;
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
    const { process, lines } = this.#take();
    const timer = setTimeout(() => process.kill("SIGTERM"), MAX_LIFE_MS);
    const errors = new Response(process.stderr).text();
    try {
      assertEquals((await lines.next()).value, "ready");
      const stdin = process.stdin.getWriter();
      await stdin.write(new TextEncoder().encode(`${JSON.stringify(orders)}\n`));
      let reported = 0;
      let isKilled = false;
      for await (const line of lines) {
        const [kind, ...rest] = line.split(" ");
        if (kind === "+") { for (const opId of rest) promised.opIds.add(opId); }
        if (kind === "signed") promised.checkpoints.push(JSON.parse(line.slice("signed ".length)));
        reported += kind === "+" ? rest.length : 0;
        if (orders.dieAt !== undefined || isKilled || reported < when.reported) continue;
        isKilled = true;
        setTimeout(() => process.kill("SIGKILL"), when.pauseMs);
      }
      await stdin.close().catch(() => {}); // nobody reads it any more
    } finally {
      const { signal } = await process.status;
      clearTimeout(timer);
      assert(signal === "SIGKILL", `a victim ended by itself, or hung: ${signal} ${await errors}`);
    }
  }

  #take(): Victim {
    const victim = this.#ready.pop() ?? start();
    this.#ready.push(start());
    return victim;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process, lines } of this.#ready) {
      await process.stdin.close();
      for await (const _ of lines);
      await process.stderr.cancel();
      await process.status;
    }
  }
}

function start(): Victim {
  const script = decodeURIComponent(new URL("victim.ts", import.meta.url).pathname);
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-all", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return { process, lines: linesOf(process.stdout) };
}
