/**
 * Crashes: kills processes with SIGKILL while they work on a log, and checks what they leave. A step is the life of one
 * log, through several kills.
 *
 * A process is killed at a moment that is chosen by a number of reported operations and a pause after it, or it kills
 * itself before a call that changes a file, which a seed repeats exactly.
 *
 * Exchanges have another log, which is checked as well. Now and then, and at the end, both are brought together: then they
 * must be the same.
 *
 * @module
 */

import { assert } from "@std/assert";
import { OpLog } from "../../mod.ts";
import type { StreamOptions } from "../../stream.ts";
import { withFolder } from "../folder.ts";
import { alice } from "../operations.ts";
import { NatsServer, noServer } from "../stream/server.ts";
import { ACTIONS } from "./actions.ts";
import { checkAudit, checkLog, Promised } from "./check.ts";
import { EXCHANGES } from "./exchanges.ts";
import { canInstallLayer } from "./layer.ts";
import type { Context, Part, Step } from "./part.ts";
import { follow, meet, type Other } from "./peers.ts";
import type { Random } from "./random.ts";
import type { Orders } from "./victim.ts";
import { type Listener, Victim } from "./victims.ts";

/** Crashes. */
export const crashes: Part = {
  name: "crashes",
  summary: "after a kill the log holds what was acknowledged, no half batch, and nothing that an audit finds",
  weight: 6,
  short: 3,
  long: 220, // more than 1,000 kills
  async run(context) {
    await using victims = new Victims();
    await withFolder(async (folder) => {
      await using server = noServer ? undefined : await NatsServer.start(folder);
      await context.each((step) => crash(context, step, victims, server?.url), PARALLEL);
    });
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

/** How long a server of streams may take on a busy machine. */
const TIMEOUT_MS = 30_000;
/** How often the two logs meet after a kill. */
const MEETINGS = 0.4;

const VICTIMS = [...Object.keys(ACTIONS), ...Object.keys(EXCHANGES).filter((name) => name !== "stream" || !noServer)];

async function crash(context: Context, { number, random, folder }: Step, victims: Victims, servers?: string) {
  const path = `${folder}/log.db`;
  const promised = new Promised();
  const other: Other = { path: `${folder}/other.db`, promised: new Promised() };
  const stream: StreamOptions | undefined = servers === undefined
    ? undefined
    : { servers, stream: `step-${number}`, create: true, replicas: 1, workers: 0, timeoutMs: TIMEOUT_MS };
  for (let kill = 0; kill < KILLS; kill++) {
    const count = random.chance(0.25) ? 2 : 1;
    const names = Array.from({ length: count }, (_, n) => VICTIMS[(number * KILLS + kill + n) % VICTIMS.length]);
    const orders = names.map((name, n): Orders => ({
      path,
      actions: [...Array<string>(OFTEN * VICTIMS.length).fill(name), ...VICTIMS],
      company: { path: other.path, stream },
      seed: `${context.seed}/${number}/${kill}/${n}`,
      tag: `${kill}.${n}`,
      dieAt: canInstallLayer() && random.chance(0.5) ? random.between(1, MAX_CALLS) : undefined,
    }));
    const what = orders.map(({ dieAt }, n) => dieAt === undefined ? names[n] : `${names[n]} at call ${dieAt}`);
    // While another process has the log open, nobody recovers it: what was killed leaves its marks in shared memory.
    const open = random.chance(0.5) ? OpLog.open(path) : undefined;
    const isMeeting = random.chance(MEETINGS) || kill === KILLS - 1;
    const isStreamed = random.chance(0.5) || names.includes("stream");
    try {
      await Promise.all(orders.map((order, n) => {
        const own = random.fork(`${kill}/${n}`);
        const when = { reported: own.between(0, MAX_REPORTED), pauseMs: own.integer(MAX_PAUSE_MS) };
        return killAmongPeers(order, { promised, other, victims, random: own, when });
      }));
      context.count("kills", count);
      if (open !== undefined) promised.opIds.add(open.record(alice, "note", { kill }).opId);
      // While it is open -wal holds what a killed process has left; its end tidies that.
      if (open !== undefined) await checkAudit(path, promised.checkpoints);
      open?.close();
      context.count("operations", await checkLog(path, promised));
      if (isMeeting || names.some((name) => name in EXCHANGES)) {
        context.count("operations", await checkLog(other.path, other.promised, { isWhole: false }));
      }
      if (isMeeting) {
        await meet(path, other, promised, isStreamed ? stream : undefined);
        context.count("meetings");
      }
    } catch (error) {
      throw new Error(`kill ${kill} of the log: ${what.join(" and ")}`, { cause: error });
    } finally {
      open?.close();
    }
  }
}

/** When a victim is killed that does not kill itself: after how many reported operations, and how long after. */
interface Moment {
  readonly reported: number;
  readonly pauseMs: number;
}

/** Kills a victim, while the other log follows each server of the victim. */
async function killAmongPeers(
  orders: Orders,
  { promised, other, victims, random, when }: {
    promised: Promised;
    other: Other;
    victims: Victims;
    random: Random;
    when: Moment;
  },
): Promise<void> {
  const errors: unknown[] = [];
  const followers: Promise<void>[] = [];
  const onServing = (url: string) => {
    const n = followers.length;
    const tag = `${orders.tag}.peer.${n}`;
    followers.push(follow(url, other, random.fork(n), tag).catch((error) => void errors.push(error)));
  };
  await victims.kill(orders, { promised, other: other.promised, onServing }, when);
  await Promise.all(followers);
  if (errors.length > 0) throw new Error("a peer of the victim failed", { cause: errors[0] });
}

/** Processes that are started ahead, as starting takes longer than being killed. */
class Victims implements AsyncDisposable {
  readonly #ready: Victim[] = [];

  /**
   * Gives a victim its orders, and kills it unless it does that itself.
   *
   * @param orders What it does.
   * @param listener Takes what it reports.
   * @param when When it is killed, where it does not kill itself.
   */
  async kill(orders: Orders, listener: Listener, when: Moment): Promise<void> {
    const victim = this.#ready.pop() ?? new Victim();
    this.#ready.push(new Victim());
    let isKilled = orders.dieAt !== undefined;
    const onReported = (reported: number) => {
      if (isKilled || reported < when.reported) return;
      isKilled = true;
      setTimeout(() => victim.kill(), when.pauseMs);
    };
    const { signal, refusal, errors } = await victim.suffer(orders, { ...listener, onReported });
    assert(signal === "SIGKILL", `a victim ended by itself, or hung: ${signal ?? refusal} ${errors}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const victim of this.#ready) await victim.suffer(undefined, { promised: new Promised() });
  }
}
