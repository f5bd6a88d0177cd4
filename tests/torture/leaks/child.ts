/**
 * Does one kind of work again and again, and prints what the process holds after the first hundred times (or the first
 * tenth of fewer), and at the end: `child.ts KIND AMOUNT FOLDER`.
 *
 * @module
 */

import { collectGarbage } from "../garbage.ts";
import { type Amount, WORK } from "./work.ts";

const FIRST = 100;

/** What a process holds. */
export interface Held {
  /** How often the work was done. */
  times: number;
  /** What is open, one for each descriptor; empty where the system does not say. */
  descriptors: string[];
  /** Memory in use by values, in bytes. */
  heap: number;
  /** Memory of the process besides what V8 has taken for values, used or not, in bytes. */
  native: number;
}

async function held(times: number): Promise<Held> {
  await collectGarbage();
  const { heapUsed, heapTotal, external, rss } = Deno.memoryUsage();
  return { times, descriptors: descriptors(), heap: heapUsed + external, native: rss - heapTotal };
}

function descriptors(): string[] {
  if (Deno.build.os !== "linux") return [];
  return [...Deno.readDirSync("/proc/self/fd")].flatMap(({ name }) => {
    try {
      return [Deno.readLinkSync(`/proc/self/fd/${name}`)];
    } catch {
      return []; // that of the folder itself, which is closed by now
    }
  });
}

async function main(kind: string, amount: Amount, folder: string): Promise<void> {
  const work = await WORK[kind].start(folder);
  const end = "seconds" in amount ? performance.now() + 1000 * amount.seconds : Infinity;
  const times = "times" in amount ? amount.times : Infinity;
  const first = Math.min(FIRST, Math.ceil(times / 3));
  let n = 0;
  for (; n < times && performance.now() < end; n++) {
    if (n === first) console.log(JSON.stringify(await held(n)));
    await work.once(n);
  }
  console.log(JSON.stringify(await held(n)));
  await work.end?.();
}

if (import.meta.main) await main(Deno.args[0], JSON.parse(Deno.args[1]), Deno.args[2]);
