/**
 * The status of a stream as metrics, in the text format of Prometheus.
 *
 * @module
 */

import type { StreamPhase, StreamStatus } from "./status.ts";

type Kind = "counter" | "gauge";

/** Each metric: its name after `mnema_stream_`, its kind, its meaning, its value. */
const METRICS: readonly [name: string, kind: Kind, help: string, value: (status: StreamStatus) => number][] = [
  ["connected", "gauge", "Whether there is a connection to a server.", ({ server }) => server === undefined ? 0 : 1],
  ["position", "gauge", "Sequence number of the last message that was read.", ({ position }) => position],
  ["behind", "gauge", "Messages of the stream that are not read yet.", ({ behind }) => behind],
  ["received_total", "counter", "Operations that the log did not have.", ({ received }) => received],
  ["known_total", "counter", "Operations that the log had already.", ({ known }) => known],
  ["pending", "gauge", "Operations that wait for a parent.", ({ pending }) => pending],
  ["published_total", "counter", "Operations that were acknowledged.", ({ published }) => published],
  ["duplicates_total", "counter", "Acknowledged operations that the stream had.", ({ duplicates }) => duplicates],
  ["outstanding", "gauge", "Operations that are sent and not acknowledged.", ({ outstanding }) => outstanding],
  ["unpublished", "gauge", "Operations of the log that are not in the stream.", ({ unpublished }) => unpublished],
  ["unpublishable", "gauge", "Operations that are too large.", ({ unpublishable }) => unpublishable.length],
  ["held_back", "gauge", "Operations that follow one that is too large.", ({ heldBack }) => heldBack],
  ["disconnects_total", "counter", "Lost connections.", ({ disconnects }) => disconnects],
  ["losses_total", "counter", "How often the stream had lost messages.", ({ losses }) => losses],
  ["warnings", "gauge", "Settings that endanger operations.", ({ warnings }) => warnings.length],
  ["refusing", "gauge", "Whether the stream refuses messages.", ({ error }) => error?.code === "stream-full" ? 1 : 0],
];

const PHASES: readonly StreamPhase[] = ["reading", "following", "waiting", "closed"];

/**
 * Formats the status of a stream as metrics, each named `mnema_stream_…` and with the label `stream`.
 *
 * @param status What `status()` of a stream returns.
 * @returns Text for the content type `text/plain; version=0.0.4`; it ends with a newline.
 *
 * @example
 * ```ts
 * import { formatStreamMetrics, type LogStream } from "@mnema/oplog/stream";
 *
 * function metrics(team: LogStream): Response {
 *   return new Response(formatStreamMetrics(team.status()), { headers: { "content-type": "text/plain; version=0.0.4" } });
 * }
 * ```
 */
export function formatStreamMetrics(status: StreamStatus): string {
  const stream = `stream="${status.stream}"`; // its characters need no escape
  const lines: string[] = [];
  const add = (
    name: string,
    kind: Kind,
    help: string,
    values: readonly (readonly [label: string, value: number])[],
  ) => {
    const full = `mnema_stream_${name}`;
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${kind}`);
    for (const [label, value] of values) lines.push(`${full}{${stream}${label}} ${value}`);
  };
  for (const [name, kind, help, value] of METRICS) add(name, kind, help, [["", value(status)]]);
  add(
    "phase",
    "gauge",
    "1 for the phase it is in.",
    PHASES.map((phase) => [`,phase="${phase}"`, phase === status.phase ? 1 : 0]),
  );
  const refusals = Object.entries(status.refusals).map(([code, count]) => [`,code="${code}"`, count] as const);
  add("refused_total", "counter", "Messages that are not valid operations, by code.", refusals);
  return lines.join("\n") + "\n";
}
