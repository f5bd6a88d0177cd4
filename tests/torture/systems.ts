/**
 * Systems that do not do what is asked of them: files that may not grow, no more open files, files that are removed or
 * change their mode while a log is open, and a clock that jumps. A full disk is a part of its own, `faults`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Operation, OpLog } from "../../mod.ts";
import { alice } from "../operations.ts";
import { bound, canBeBound } from "../processes.ts";
import { checkLog, Promised } from "./check.ts";
import type { Context, Part, Step } from "./part.ts";
import type { Random } from "./random.ts";
import type { Orders } from "./victim.ts";
import { type End, Victim } from "./victims.ts";

/** Bad systems. */
export const systems: Part = {
  name: "systems",
  summary: "file-size limits, too many open files, removed files, changed modes and a jumping clock cost no operation",
  weight: 2,
  short: 6,
  skipped: Deno.build.os === "linux" ? undefined : "the limits are set as Linux does",
  run: (context) => context.each((step) => SCENARIOS[(step.number - 1) % SCENARIOS.length](step, context)),
};

type Scenario = (step: Step, context: Context) => Promise<void>;

const SCENARIOS: readonly Scenario[] = [
  (step, context) => limitFileSize(step, context, true),
  (step, context) => limitFileSize(step, context, false),
  exhaustFiles,
  removeFiles,
  changeModes,
  turnClock,
];

const APPENDING = ["append", "record", "appendAll", "ingest", "ingestAtomic", "claims", "checkpoint"];
/** The most operations that are reported before something happens. */
const MAX_REPORTED = 60;

function ordersOf({ random, folder }: Step, actions: readonly string[]): Orders {
  return { path: `${folder}/log.db`, actions, seed: `${random.integer(2 ** 32)}`, tag: "victim" };
}

/** A file that would grow beyond a limit kills the process, or, where the signal is ignored, is refused. */
async function limitFileSize(step: Step, context: Context, isIgnored: boolean): Promise<void> {
  const victim = new Victim(isIgnored ? ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"] : []);
  await victim.ready();
  // Only now: what Deno writes to its caches at the start is larger.
  const limit = `--fsize=${step.random.between(100_000, 1_000_000)}`;
  const { success } = await new Deno.Command("prlimit", { args: ["--pid", `${victim.pid}`, limit] }).output();
  assert(success, "prlimit sets no limit");
  const promised = new Promised();
  const orders = ordersOf(step, APPENDING);
  const end = await victim.suffer(orders, { promised });
  if (end.signal !== "SIGXFSZ") assertRefused(end, ["io", "disk-full"]);
  await checkLog(orders.path, promised);
  context.count("file-size limits");
}

async function exhaustFiles({ folder }: Step, context: Context): Promise<void> {
  const script = decodeURIComponent(new URL("exhausted.ts", import.meta.url).pathname);
  const path = `${folder}/log.db`;
  const args = ["-c", 'ulimit -n 200; exec "$@"', "sh", Deno.execPath(), "run", "--quiet", "--allow-all", script, path];
  const { stdout, stderr } = await new Deno.Command("sh", { args }).output();
  const text = new TextDecoder();
  assertEquals([text.decode(stdout), text.decode(stderr)], ["done\n", ""]);
  await checkLog(path, new Promised());
  context.count("processes without files");
}

/** A log whose files are removed is not appended to any more, and the one that is made after it is whole. */
async function removeFiles(step: Step, context: Context): Promise<void> {
  const { random } = step;
  const orders = ordersOf(step, APPENDING);
  const suffixes = random.pick([["", "-wal", "-shm"], [""], ["-wal"]]);
  const end = await disturbed(orders, random, new Promised(), () => {
    for (const suffix of suffixes) Deno.removeSync(orders.path + suffix);
  });
  // An atomic ingest, which opens the file once more, may be the first that finds less than it needs.
  assertRefused(end, ["missing-file", "io", "disk-full"]);
  await checkLog(orders.path, new Promised());
  context.count("removed files");
}

/** A log that may not be opened any more holds what was acknowledged when it may again. */
async function changeModes(step: Step, context: Context): Promise<void> {
  if (!canBeBound()) return;
  const { random, folder } = step;
  const orders = ordersOf(step, ["append", "appendAll", "reopen"]);
  const [changed, mode, restored] = random.pick(
    [
      [orders.path, 0o400, 0o600],
      [orders.path, 0, 0o600],
      [folder, 0o500, 0o700],
      [folder, 0, 0o700],
    ] as const,
  );
  const promised = new Promised();
  // With the files that are there, a folder that may not be written is no hindrance.
  const end = await disturbed(orders, random, promised, () => Deno.chmodSync(changed, mode), {
    under: bound(),
    life: 100,
  });
  Deno.chmodSync(changed, restored);
  if (end.signal !== "SIGKILL") assertRefused(end, ["read-only", "io"]);
  await checkLog(orders.path, promised);
  context.count("changed modes");
}

/** Has a victim work, does something to it once it has reported some operations, and kills it after `life` more. */
async function disturbed(
  orders: Orders,
  random: Random,
  promised: Promised,
  disturb: () => void,
  { under, life = Infinity }: { under?: readonly string[]; life?: number } = {},
): Promise<End> {
  const after = random.between(1, MAX_REPORTED);
  let isDisturbed = false;
  const victim = new Victim(under);
  const onReported = (reported: number) => {
    if (reported >= after + life) victim.kill();
    if (isDisturbed || reported < after) return;
    isDisturbed = true;
    disturb();
  };
  return await victim.suffer(orders, { promised, onReported });
}

function assertRefused({ signal, refusal, errors }: End, codes: readonly string[]): void {
  assert(
    codes.includes(refusal ?? ""),
    `the log ended with ${signal ?? refusal}, not ${codes.join(" or ")}: ${errors}`,
  );
}

/** Times are what the clock says, and the order of the log does not depend on them. */
async function turnClock({ random, folder }: Step, context: Context): Promise<void> {
  const path = `${folder}/log.db`;
  const promised = new Promised();
  const appended: Operation[] = [];
  const { now } = Date;
  const followed: string[] = [];
  let following: Promise<void>;
  try {
    using log = OpLog.open(path);
    const end = new AbortController();
    following = (async () => {
      for await (const { op } of log.follow({ signal: end.signal })) followed.push(op.opId);
    })();
    for (let n = random.between(20, 60); n > 0; n--) {
      const time = Math.max(0, now() + random.pick([0, -1, -86_400_000, -now(), 86_400_000 * 365]));
      Date.now = () => time;
      appended.push(log.record(alice, "note", { n }));
      if (random.chance(0.2)) promised.checkpoints.push(log.proofs.checkpoint(alice));
      if (random.chance(0.2)) await new Promise((resolve) => setTimeout(resolve));
    }
    const [fromTs, untilTs] = [now() - 1000, now() + 1000];
    const expected = appended.filter(({ ts }) => ts >= fromTs && ts < untilTs).map(({ opId }) => opId);
    assertEquals([...log.entries({ fromTs, untilTs })].map(({ op }) => op.opId), expected);
    end.abort();
    await following;
  } finally {
    Date.now = now;
  }
  for (const { opId } of appended) promised.opIds.add(opId);
  assertEquals(followed, appended.slice(0, followed.length).map(({ opId }) => opId));
  await checkLog(path, promised);
  context.count("turned clocks");
}
