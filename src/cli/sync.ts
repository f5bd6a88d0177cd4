/**
 * `mnema sync`.
 *
 * @module
 */

import type { LogError } from "../errors.ts";
import type { OpLog } from "../oplog.ts";
import type { Direction, SyncReport, SyncStatus, TransferTotals } from "../sync/report.ts";
import { counted } from "../text.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { loadIdentity, loadLog, openToAppend, refuseMemory, withAdvice } from "./open.ts";
import { complain, type Output } from "./output.ts";
import {
  EXIT_TRY_AGAIN,
  loadIdentityOrTemporary,
  PEER_OPTIONS,
  type PeerChoices,
  readPeerOptions,
  readPem,
} from "./peers.ts";
import { readVariable, requireGranted, requireWebSocket } from "./permissions.ts";
import { drawProgress } from "./progress.ts";
import { reportJson } from "../render/report.ts";
import { sentenceOf } from "./sentence.ts";
import { word } from "./shell.ts";
import { EXIT_INTERRUPTED, onInterrupt } from "./signals.ts";

/** The exit code of a dry run that has found a difference. */
const EXIT_DIFFERENT = 3;

/** What a run of the command needs. */
interface Task extends PeerChoices {
  input: Input;
  log: OpLog;
  follow: boolean;
  dryRun: boolean;
  signal: AbortSignal;
  onStatus: (status: SyncStatus) => void;
}

/** Synchronizes with another log. */
export const sync: Command = {
  args: "PEER",
  summary: "Exchanges operations with another log, until both have the same.",
  details:
    `PEER is a file, ssh://[user@]host[:port]/path of a log on another machine that has mnema, or ws://host:port or \
wss://host:port of mnema serve. In ssh://host/~/path, the path begins in the home folder there.

Only what is missing is transferred, and everything is verified before it is appended. What was refused is counted by \
its code. After an interrupt or a lost connection what has arrived stays: run the same command again.

--dry-run transfers nothing: it reports how many operations each side lacks. --follow stays connected and passes on what \
either side appends, and connects again when the connection is lost.

With --stdio and without PEER it is the far end of ssh://, and speaks the protocol on standard input and output.

The exit code is 0 when both have the same operations, or as much as --pull or --push says; 1 when an operation or the \
session was refused, or failed; 3 when a dry run has found a difference; ${EXIT_TRY_AGAIN} when the peer is not reached, or busy: try \
again later; 130 when it was interrupted.`,
  options: {
    ...PEER_OPTIONS,
    "dry-run": { help: "report how many operations each side lacks, and transfer none" },
    follow: { help: "stay connected and pass on what is appended, until interrupted", alias: "f" },
    stdio: { help: "be the far end of ssh://, on standard input and output" },
    "remote-mnema": { value: "COMMAND", help: "for ssh://: the command on the other machine (default: mnema)" },
    "tls-ca": { value: "FILE", help: "for wss://: the certificate authority to trust (PEM)" },
  },
  example: "sync notes.db",
  async run(input: Input, output: Output): Promise<number> {
    const stdio = input.flag("stdio");
    if (stdio && input.args.length > 0) {
      throw new UsageError("with --stdio the peer is on standard input: leave out PEER");
    }
    if (!stdio) input.requireArgs(1, 1);
    const [follow, dryRun] = [input.flag("follow"), input.flag("dry-run")];
    if (follow && dryRun) throw new UsageError("--follow and --dry-run exclude each other");
    if (stdio && (follow || dryRun)) {
      throw new UsageError("--follow and --dry-run are given at the other end of --stdio");
    }
    const choices = readPeerOptions(input);
    const [peer] = input.args;
    if (peer?.includes("://") && !/^(?:ssh|wss?):\/\//.test(peer)) {
      throw new UsageError(`${peer} begins with none of ssh://, ws:// and wss://`);
    }
    using log = await openToAppend(input);
    const interrupt = new AbortController();
    using _ = onInterrupt(() => interrupt.abort());
    const draw = stdio ? undefined : drawProgress((amount) => counted(amount, "operation"));
    let last: SyncStatus | undefined;
    const onStatus = (status: SyncStatus) => {
      last = status;
      const done = status.sent.operations + status.received.operations;
      draw?.(done, status.phase === "transfer" && status.behind > 0 ? done + status.behind : undefined);
      if (status.phase === "follow") draw?.(0, 0);
    };
    const task: Task = { input, log, follow, dryRun, signal: interrupt.signal, onStatus, ...choices };
    let report: SyncReport;
    try {
      if (stdio) {
        await answer(task);
        return 0;
      }
      report = await (/^(?:ssh|wss?):/.test(peer) ? syncWithNode(peer, task) : syncWithFile(peer, task));
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      if (last === undefined) return EXIT_INTERRUPTED; // nothing was transferred, or it is reported at the other end
      const { phase: _, behind: __, ...soFar } = last;
      report = soFar;
    } finally {
      draw?.(0, 0);
    }
    const isInterrupted = interrupt.signal.aborted;
    if (output.json) output.data(reportJson({ ...report, ...isInterrupted ? { interrupted: true } : {} }));
    else writeReport(report, choices.direction, dryRun, output);
    if (isInterrupted) {
      output.note("mnema: interrupted; what has arrived stays: run the same command again to resume");
      return EXIT_INTERRUPTED;
    }
    if (dryRun) return report.missingHere === 0 && report.missingThere === 0 ? 0 : EXIT_DIFFERENT;
    return [report.sent, report.received].some(({ refused, pending }) => refused + pending > 0) ? 1 : 0;
  },
};

/** Synchronizes with a log on this machine. */
async function syncWithFile(
  path: string,
  { log, follow, dryRun, direction, signal, onStatus, allow, acceptAuthors, input }: Task,
): Promise<SyncReport> {
  refuseMemory(path);
  if (allow !== undefined) throw new UsageError("--allow names peers; a file is not one");
  const [{ OpLog }, { sync }, { authorFilter }] = await Promise.all([
    loadLog(),
    import("../sync/sync.ts"),
    import("../sync/authors.ts"),
  ]);
  using other = openOther(OpLog, path, input);
  const acceptAuthor = authorFilter("acceptAuthors", acceptAuthors);
  return await sync(log, other, { direction, follow, dryRun, acceptAuthor, signal, onStatus });
}

function openOther(OpLog: Awaited<ReturnType<typeof loadLog>>["OpLog"], path: string, input: Input): OpLog {
  requireGranted("read", path, input.logPath);
  try {
    if (Deno.realPathSync(path) === Deno.realPathSync(input.logPath)) {
      throw new UsageError(`${path} is the log itself; name another one`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    return OpLog.open(path, { create: false });
  } catch (error) {
    throw withAdvice(error, { "missing-file": `create a log there with: mnema init --log ${word(path)}` });
  }
}

/** Synchronizes with a server, or over a remote shell. */
async function syncWithNode(address: string, task: Task): Promise<SyncReport> {
  const { input, log, follow, dryRun, direction, allow, acceptAuthors, signal, onStatus } = task;
  const isShell = address.startsWith("ssh:");
  const signer = isShell ? await loadIdentityOrTemporary(input) : await loadIdentity(input);
  const authority = await readPem(input, "tls-ca");
  const program = isShell ? readVariable("MNEMA_SSH") || "ssh" : undefined;
  if (program === undefined) requireWebSocket(hostOf(address));
  else requireGranted("run", program);
  const { connect } = await import("../sync/connect.ts");
  const connection = connect(log, address, {
    signer,
    direction,
    follow,
    dryRun,
    allow,
    acceptAuthors,
    caCerts: authority === undefined ? undefined : [authority],
    command: { program, remoteProgram: input.value("remote-mnema"), onStderr: complain },
    signal,
    onStatus,
    onRetry: (error, waitMs) => complain(`mnema: ${lossOf(error)}; next attempt in ${(waitMs / 1000).toFixed(1)} s`),
  });
  return await connection.done;
}

/** The host and port of an address, for the permission. */
function hostOf(address: string): string {
  const url = URL.parse(address);
  if (url === null) throw new UsageError(`${address} is not an address; it is such as ws://host:8420`);
  return `${url.hostname}:${url.port || (url.protocol === "wss:" ? "443" : "80")}`;
}

function lossOf(error: LogError | undefined): string {
  return error === undefined ? "the peer has ended the session" : sentenceOf(error) ?? error.message;
}

/** The far end of `ssh://`. */
async function answer({ input, log, direction, allow, acceptAuthors, signal }: Task): Promise<void> {
  const signer = await loadIdentityOrTemporary(input);
  const [{ runSession }, { streamChannel }, { authorFilter }] = await Promise.all([
    import("../sync/session.ts"),
    import("../sync/stdio.ts"),
    import("../sync/authors.ts"),
  ]);
  const channel = streamChannel(Deno.stdin.readable, Deno.stdout.writable);
  await runSession(log, channel, {
    signer,
    role: "responder",
    direction,
    allow: authorFilter("allow", allow),
    acceptAuthor: authorFilter("acceptAuthors", acceptAuthors),
    signal,
  });
}

function writeReport(report: SyncReport, direction: Direction, dryRun: boolean, output: Output): void {
  if (dryRun) {
    const [here, there] = [report.missingHere, report.missingThere].map((count) => count ?? "unknown");
    return output.line(`missing here ${here}, missing there ${there}`);
  }
  const rows: [string, TransferTotals][] = [];
  if (direction !== "push") rows.push(["received", report.received]);
  if (direction !== "pull") rows.push(["sent", report.sent]);
  for (const [name, totals] of rows) {
    const pending = totals.pending === 0 ? "" : `, pending ${totals.pending}`;
    output.line(`${name}: new ${totals.new}, known ${totals.known}, refused ${totals.refused}${pending}`);
    for (const [code, count] of Object.entries(totals.refusals)) {
      output.note(`${name}: ${counted(count, "operation")} refused: ${code}`);
    }
  }
}
