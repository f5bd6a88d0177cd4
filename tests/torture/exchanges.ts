/**
 * What is done to two logs at once while it is killed: they are synchronized, one is served, or both are on a stream.
 * What the other log appends need not be whole. What comes to it may be there in part until the logs have met again, as a
 * batch is whole in the log that it was appended to.
 *
 * An exchange that is added to {@linkcode EXCHANGES} is a victim of the crashes; see README.md.
 *
 * @module
 */

import { OpLog } from "../../mod.ts";
import { stream, type StreamOptions } from "../../stream.ts";
import { type Direction, serve, sync } from "../../sync.ts";
import { alice, bob, carol } from "../operations.ts";
import { type Scene, TS } from "./actions.ts";
import type { Random } from "./random.ts";

/** Who else there is. */
export interface Company {
  /** The file of another log. */
  readonly path: string;
  /** The stream of both logs; undefined where there is no server. */
  readonly stream?: StreamOptions;
  /** Is told of operations once the other log holds them. */
  acknowledge(opIds: readonly string[]): void;
  /** Is told of a server of the log, to which somebody connects who follows and appends. */
  serving(url: string): void;
}

/** Does something to a log and another one, and resolves when it is done. */
export type Exchange = (scene: Scene, company: Company) => Promise<void>;

/** One of the two logs, and who is told of what it holds. */
interface Side {
  readonly log: OpLog;
  readonly tag: string;
  acknowledge(opIds: readonly string[]): void;
}

const DIRECTIONS: readonly Direction[] = ["both", "both", "push", "pull"];
const MAX_APPENDED = 12;
const MAX_PAUSE_MS = 3;

/** The exchanges, by name. */
export const EXCHANGES: Readonly<Record<string, Exchange>> = {
  /** Each side appends before and meanwhile. What was appended before is on both sides when it returns. */
  async sync(scene, company) {
    using log = OpLog.open(company.path);
    const { random } = scene;
    const other: Side = { log, tag: `${scene.tag}.other`, acknowledge: company.acknowledge };
    const [here, there] = [appendSome(scene, random), appendSome(other, random)];
    const direction = random.pick(DIRECTIONS);
    const session = sync(scene.log, log, { direction });
    await Promise.all([session, appendSlowly(scene, random.fork("here")), appendSlowly(other, random.fork("there"))]);
    if (direction !== "pull") company.acknowledge(here);
    if (direction !== "push") scene.acknowledge(there);
  },

  /** Appends while somebody follows, and ends the server in good order. */
  async serve(scene, { serving }) {
    const { random } = scene;
    const followed = Promise.withResolvers<void>();
    await using server = await serve(scene.log, {
      signer: alice,
      onStatus: ({ phase }) => {
        if (phase === "follow") followed.resolve();
      },
      onSession: (_, error) => {
        if (error !== undefined) followed.reject(error);
      },
    });
    appendSome(scene, random);
    serving(server.url);
    await appendSlowly(scene, random);
    await followed.promise;
    await appendSlowly(scene, random);
  },

  /** Each side appends while it is on the stream. What was appended is on both sides when all is settled. */
  async stream(scene, company) {
    if (company.stream === undefined) throw new Error("there is no server of streams");
    const { random } = scene;
    using log = OpLog.open(company.path);
    const other: Side = { log, tag: `${scene.tag}.other`, acknowledge: company.acknowledge };
    await using first = await stream(scene.log, company.stream);
    const here = await appendSlowly(scene, random);
    await using second = await stream(log, company.stream);
    const there = await appendSlowly(other, random);
    if (random.chance(0.3)) return;
    await first.settled();
    await second.settled();
    company.acknowledge(here);
    await first.settled();
    scene.acknowledge(there);
  },
};

/** Appends, and returns the ids. */
function appendSome(side: Side, random: Random): string[] {
  return Array.from({ length: random.integer(MAX_APPENDED) }, () => append(side, random));
}

/**
 * Appends, and lets others work in between.
 *
 * @param side The log, and who is told.
 * @param random Its choices.
 * @param signal Ends it.
 * @returns The ids.
 */
export async function appendSlowly(side: Side, random: Random, signal?: AbortSignal): Promise<string[]> {
  const opIds: string[] = [];
  const count = random.integer(MAX_APPENDED);
  while (opIds.length < count && !signal?.aborted) {
    opIds.push(append(side, random));
    await new Promise((resolve) => setTimeout(resolve, random.integer(MAX_PAUSE_MS + 1)));
  }
  return opIds;
}

function append({ log, tag, acknowledge }: Side, random: Random): string {
  const body = { tag, text: "exchanged ".repeat(random.pick([1, 20, 20, 300])) };
  const { opId } = log.record(random.pick([alice, bob, carol]), "note", body, { ts: TS });
  acknowledge([opId]);
  return opId;
}
