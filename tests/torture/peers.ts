/**
 * What the process that kills does with the other log of a victim: it follows what the victim serves, and brings both logs
 * together afterwards.
 *
 * @module
 */

import { OpLog } from "../../mod.ts";
import { stream, type StreamOptions } from "../../stream.ts";
import { connect, sync } from "../../sync.ts";
import { bob } from "../operations.ts";
import { assertSame } from "../stream/nodes.ts";
import { checkWhole, type Promised } from "./check.ts";
import { appendSlowly } from "./exchanges.ts";
import type { Random } from "./random.ts";

/** The other log, on the side of the process that kills. */
export interface Other {
  /** The file. */
  readonly path: string;
  /** What it must hold. */
  readonly promised: Promised;
}

/**
 * Follows a server, and appends meanwhile, until the server has ended: in good order, or not.
 *
 * @param url Where it is served.
 * @param other The log that follows.
 * @param random Its choices.
 * @param tag Distinguishes what it appends.
 * @throws When the session ends as it would not because of a lost connection.
 */
export async function follow(url: string, { path, promised }: Other, random: Random, tag: string): Promise<void> {
  using log = OpLog.open(path);
  const ended = new AbortController();
  await using connection = connect(log, url, {
    signer: bob,
    follow: true,
    signal: ended.signal,
    onRetry: () => ended.abort(),
  });
  const acknowledge = (opIds: readonly string[]) => opIds.forEach((opId) => promised.opIds.add(opId));
  await Promise.all([connection.done, appendSlowly({ log, tag, acknowledge }, random, ended.signal)]);
}

/**
 * Brings two logs together, and checks that they are the same then.
 *
 * @param path The file of one.
 * @param other The other. Both must hold now what either must.
 * @param promised What the first must hold.
 * @param options The stream over which they meet: they are synchronized directly where there is none.
 */
export async function meet(path: string, other: Other, promised: Promised, options?: StreamOptions): Promise<void> {
  using here = OpLog.open(path);
  using there = OpLog.open(other.path);
  if (options === undefined) {
    await sync(here, there);
  } else {
    await using first = await stream(here, options);
    await first.settled();
    await using second = await stream(there, options);
    await second.settled();
    await first.settled();
  }
  assertSame(here, there);
  checkWhole([...there.entries()].map(({ op }) => op));
  for (const { opIds } of [promised, other.promised]) {
    for (const opId of opIds) {
      promised.opIds.add(opId);
      other.promised.opIds.add(opId);
    }
  }
}
