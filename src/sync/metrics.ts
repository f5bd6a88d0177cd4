/**
 * Counts the sessions of a server, and writes them in Prometheus' text format, version 0.0.4:
 *
 * ```text
 * # HELP mnema_sync_sessions Open sessions.
 * # TYPE mnema_sync_sessions gauge
 * mnema_sync_sessions 2
 * ```
 *
 * No label has a value that a peer chooses, so that none can make a monitoring system store endless series.
 *
 * @module
 */

import type { LogErrorCode, SessionRefusalCode } from "../errors.ts";
import type { SyncReport, SyncStatus, TransferTotals } from "./report.ts";
import { addReports, emptyReport } from "./totals.ts";

/** The content type of {@linkcode Metrics.text}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The counts of a server since it was started. */
export interface ServerTotals {
  /** Sessions that were begun. */
  sessions: number;
  /** Sessions and connections that were refused or failed, by code. */
  refusals: Partial<Record<SessionRefusalCode | LogErrorCode, number>>;
  /** The sums of all sessions, open ones included. */
  operations: { sent: TransferTotals; received: TransferTotals };
  /** Bytes of messages sent to peers. */
  bytesSent: number;
  /** Bytes of messages received from peers. */
  bytesReceived: number;
}

/** One session, from its beginning to its end. */
export interface SessionCounts {
  /** The latest status. */
  status: SyncStatus;
}

/** The sessions of a server. */
export class Metrics {
  readonly #open = new Set<SessionCounts>();
  readonly #refusals: ServerTotals["refusals"] = {};
  #ended: SyncReport = emptyReport();
  #begun = 0;

  /** Begins to count a session. Its holder replaces the status. */
  begin(): SessionCounts {
    const counts = { status: { ...emptyReport(), phase: "handshake", behind: 0 } } satisfies SessionCounts;
    this.#open.add(counts);
    this.#begun++;
    return counts;
  }

  /** Ends a session; its totals stay. */
  end(counts: SessionCounts): void {
    if (this.#open.delete(counts)) this.#ended = addReports(this.#ended, counts.status);
  }

  /** Counts a refusal or a failure. */
  refuse(code: LogErrorCode): void {
    this.#refusals[code] = (this.#refusals[code] ?? 0) + 1;
  }

  /** How many sessions are open. */
  get size(): number {
    return this.#open.size;
  }

  /** How many open sessions have not admitted their peer yet. */
  get handshakes(): number {
    return [...this.#open].filter(({ status }) => isHandshake(status)).length;
  }

  /** The status of each open session. */
  sessions(): SyncStatus[] {
    return [...this.#open].map(({ status }) => status);
  }

  /** The counts since the start. */
  totals(): ServerTotals {
    const { sent, received, bytesSent, bytesReceived } = this.sessions().reduce<SyncReport>(addReports, this.#ended);
    return {
      sessions: this.#begun,
      refusals: { ...this.#refusals },
      operations: { sent, received },
      bytesSent,
      bytesReceived,
    };
  }

  /**
   * All counts as text.
   *
   * @param lastSeq The `seq` of the log's last operation.
   */
  text(lastSeq: number): string {
    const sessions = this.sessions();
    const admitted = sessions.filter((status) => !isHandshake(status));
    const { sessions: begun, refusals, operations, bytesSent, bytesReceived } = this.totals();
    const transfers = Object.entries(operations);
    return [
      family("sync_peers", "gauge", "Peers with an open session.", [
        [{}, new Set(admitted.map(({ peer }) => peer)).size],
      ]),
      family("sync_sessions", "gauge", "Open sessions, by whether the peer is admitted.", [
        [{ state: "admitted" }, admitted.length],
        [{ state: "handshake" }, sessions.length - admitted.length],
      ]),
      family("sync_sessions_total", "counter", "Sessions that were begun.", [[{}, begun]]),
      family(
        "sync_operations_total",
        "counter",
        "Operations sent and received, by outcome.",
        transfers.flatMap(([direction, totals]) =>
          (["new", "known", "refused"] as const).map((outcome): Sample => [{ direction, outcome }, totals[outcome]])
        ),
      ),
      family(
        "sync_operations_refused_total",
        "counter",
        "Refused operations, by code.",
        transfers.flatMap(([direction, totals]) =>
          Object.entries(totals.refusals).map(([code, count]): Sample => [{ direction, code }, count])
        ),
      ),
      family("sync_bytes_total", "counter", "Bytes of messages.", [
        [{ direction: "sent" }, bytesSent],
        [{ direction: "received" }, bytesReceived],
      ]),
      family(
        "sync_refusals_total",
        "counter",
        "Sessions and connections that were refused or failed, by code.",
        Object.entries(refusals).map(([code, count]) => [{ code }, count]),
      ),
      family("sync_behind_operations", "gauge", "Operations that peers have announced and that have not arrived.", [
        [{}, sessions.reduce((sum, { behind }) => sum + behind, 0)],
      ]),
      family("log_last_seq", "gauge", "The seq of the last operation of the log.", [[{}, lastSeq]]),
    ].join("");
  }
}

type Sample = [labels: Record<string, string>, value: number];

/** A metric with its help, its type and its samples. Labels are codes and names of this module, which need no escapes. */
function family(name: string, type: "gauge" | "counter", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return `mnema_${name}${pairs.length === 0 ? "" : `{${pairs.join()}}`} ${value}\n`;
  });
  return `# HELP mnema_${name} ${help}\n# TYPE mnema_${name} ${type}\n${lines.join("")}`;
}

function isHandshake({ phase }: SyncStatus): boolean {
  return phase === "connecting" || phase === "handshake";
}
