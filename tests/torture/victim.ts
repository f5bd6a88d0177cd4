/**
 * A process that does things to a log until it is killed. It says `ready`, reads its {@linkcode Orders} as one line of
 * JSON, and reports, a line each, what it was promised before it goes on: `+ ID…` for operations, `other ID…` for those
 * that the other log holds, `signed TEXT` with a checkpoint as JSON. It says `serving URL` when it serves the log. When the
 * log refuses to go on, it says `refused CODE`, and ends.
 *
 * @module
 */

import { FileError, OpLog } from "../../mod.ts";
import type { StreamOptions } from "../../stream.ts";
import { linesOf } from "../processes.ts";
import { ACTIONS, type Scene } from "./actions.ts";
import { type Company, EXCHANGES } from "./exchanges.ts";
import { installLayer } from "./layer.ts";
import { Random } from "./random.ts";

/** What a victim does. */
export interface Orders {
  /** The file of the log. */
  path: string;
  /** The names of the actions, and exchanges, that it chooses from. */
  actions: readonly string[];
  /** The file of the other log, and the stream of both, for exchanges. */
  company?: { path: string; stream?: StreamOptions };
  /** The seed of its choices. */
  seed: string;
  /** Distinguishes what it appends. */
  tag: string;
  /** The call that changes a file before which it kills itself, from 1; by default it waits to be killed. */
  dieAt?: number;
}

const utf8 = new TextEncoder();
/** What an exchange reports. */
const REPORTS: Pick<Company, "acknowledge" | "serving"> = {
  acknowledge: (opIds) => say(["other", ...opIds].join(" ")),
  serving: (url) => say(`serving ${url}`),
};

if (import.meta.main) {
  say("ready");
  const { value } = await linesOf(Deno.stdin.readable).next();
  try {
    if (value !== undefined) await suffer(JSON.parse(value));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    console.error(error);
    say(`refused ${error.code}`);
    Deno.exit(); // the standard input is still open
  }
}

async function suffer({ path, actions, company, seed, tag, dieAt }: Orders): Promise<void> {
  let calls = 0;
  using _layer = dieAt === undefined ? undefined : installLayer(() => {
    if (++calls === dieAt) Deno.kill(Deno.pid, "SIGKILL");
    return undefined;
  });
  const random = new Random(seed);
  let log = OpLog.open(path);
  for (let n = 0;; n++) {
    const name = random.pick(actions);
    const scene: Scene = {
      path,
      log,
      random: random.fork(n),
      tag: `${tag}.${n}`,
      workers: random.pick([0, 0, 1]),
      acknowledge: (opIds) => say(["+", ...opIds].join(" ")),
      signed: (checkpoint) => say(`signed ${JSON.stringify(checkpoint)}`),
    };
    if (company !== undefined && name in EXCHANGES) await EXCHANGES[name](scene, { ...company, ...REPORTS });
    else await ACTIONS[name](scene);
    log = scene.log;
  }
}

/** Writes a line whole, without a buffer in this process. */
function say(line: string): void {
  let rest = utf8.encode(`${line}\n`);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}
