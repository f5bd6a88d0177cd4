/**
 * Sums of reports: of the sessions that `connect` has held with one peer, and of all sessions of a server.
 *
 * @module
 */

import type { LogErrorCode } from "../errors.ts";
import type { SyncReport, TransferTotals } from "./report.ts";

/** A report of nothing. */
export function emptyReport(peer = ""): SyncReport {
  return { peer, sent: emptyTransfer(), received: emptyTransfer(), rounds: 0, bytesSent: 0, bytesReceived: 0 };
}

/** A transfer of nothing. */
export function emptyTransfer(): TransferTotals {
  return { operations: 0, new: 0, known: 0, refused: 0, pending: 0, refusals: {} };
}

/** The sum of two reports; what is missing, and the peer, are those of the later one. */
export function addReports(earlier: SyncReport, later: SyncReport): SyncReport {
  const { missingHere = earlier.missingHere, missingThere = earlier.missingThere } = later;
  return {
    peer: later.peer === "" ? earlier.peer : later.peer,
    sent: addTransfers(earlier.sent, later.sent),
    received: addTransfers(earlier.received, later.received),
    rounds: earlier.rounds + later.rounds,
    bytesSent: earlier.bytesSent + later.bytesSent,
    bytesReceived: earlier.bytesReceived + later.bytesReceived,
    ...missingHere === undefined ? {} : { missingHere },
    ...missingThere === undefined ? {} : { missingThere },
  };
}

function addTransfers(a: TransferTotals, b: TransferTotals): TransferTotals {
  const refusals = { ...a.refusals };
  for (const [code, count] of Object.entries(b.refusals) as [LogErrorCode, number][]) {
    refusals[code] = (refusals[code] ?? 0) + count;
  }
  return {
    operations: a.operations + b.operations,
    new: a.new + b.new,
    known: a.known + b.known,
    refused: a.refused + b.refused,
    pending: a.pending + b.pending,
    refusals,
  };
}
