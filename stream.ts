/**
 * Many nodes on one log: a log is connected to a stream of NATS JetStream, which replicates it. Only this module loads
 * the client of NATS.
 *
 * @module
 */

export { LogStream, stream } from "./src/stream/stream.ts";
export type { StreamOptions, TlsFiles } from "./src/stream/options.ts";
export type { LossReason, StreamPhase, StreamStatus } from "./src/stream/status.ts";
export type { StreamWarning } from "./src/stream/settings.ts";
export { formatStreamMetrics } from "./src/stream/metrics.ts";
export { StreamError } from "./src/errors.ts";
