/**
 * The part of a torture run that searches for leaks: after ten thousand opens, or ten minutes of appends, a process holds
 * what it held after the first hundred.
 *
 * @module
 */

import type { Context, Part, Step } from "../part.ts";
import type { Held } from "./child.ts";
import { CACHE_KIB } from "../../../src/log/cache.ts";
import { WORK } from "./work.ts";

const KINDS = Object.keys(WORK);
/** Processes at a time in a long run, as one appends for ten minutes. */
const PARALLEL = 2;
/** Room for compiled code, in bytes. */
const HEAP_ROOM = 8 << 20;
/** Room for compiled code, the stacks of threads, and gaps between what is in use, in bytes. */
const NATIVE_ROOM = 16 << 20;
/** Room for a page cache, which SQLite fills and then keeps, in bytes: the pages and their heads. */
const CACHE_ROOM = 1.05 * 1024 * CACHE_KIB;
/** Room for what the runtime opens when it first needs it: pipes and sockets to itself. */
const DESCRIPTOR_ROOM = 6;
const CHILD = new URL("./child.ts", import.meta.url);

/** Leaks. */
export const leaks: Part = {
  name: "leaks",
  summary: `memory and descriptors end where they were after the first hundred: ${KINDS.join(", ")}`,
  weight: 3,
  short: KINDS.length,
  long: 3 * KINDS.length, // all amounts
  run: (context) => context.each((step) => search(context, step), context.isShort ? 1 : PARALLEL),
};

async function search(context: Context, { number, folder }: Step): Promise<void> {
  const kind = KINDS[(number - 1) % KINDS.length];
  const { amounts, caches } = WORK[kind];
  const amount = amounts[Math.min(2, Math.floor((number - 1) / KINDS.length))];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--v8-flags=--expose-gc", CHILD.href, kind, JSON.stringify(amount), folder],
  }).output();
  if (!success) throw new Error(`${kind}: ${new TextDecoder().decode(stderr)}`);
  const [early, late]: Held[] = new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) => JSON.parse(line));
  context.count(kind, late.times);
  const leaked = [
    ...moreOpen(early.descriptors, late.descriptors),
    ...late.heap > early.heap + HEAP_ROOM ? [`${late.heap - early.heap} more bytes of values`] : [],
    ...late.native > early.native + NATIVE_ROOM + caches * CACHE_ROOM
      ? [`${late.native - early.native} more bytes of native memory`]
      : [],
  ];
  if (leaked.length === 0) return;
  throw new Error(`${kind}: ${leaked.join(", ")} after ${late.times} times than after ${early.times}`);
}

/** Files that are open at the end and were not before, and too many other descriptors. */
function moreOpen(early: readonly string[], late: readonly string[]): string[] {
  const isFile = (target: string) => target.startsWith("/");
  const before = early.filter(isFile);
  const files = late.filter(isFile);
  const others = late.length - files.length - (early.length - before.length);
  return [
    ...files.length > before.length ? [`more open files: ${files} and not ${before}`] : [],
    ...others > DESCRIPTOR_ROOM ? [`${others} more pipes and sockets`] : [],
  ];
}
