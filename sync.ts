/**
 * Synchronizes logs: two nodes end with the union of their operations, having sent little more than what was missing.
 *
 * @module
 */

export { LogError, SyncError } from "./src/errors.ts";
export type { LogErrorCode, SessionRefusalCode } from "./src/errors.ts";
export type { Channel } from "./src/sync/channel.ts";
export type { SessionLimits } from "./src/sync/limits.ts";
export { channelPair } from "./src/sync/pair.ts";
export type { Direction, SyncPhase, SyncReport, SyncStatus, TransferTotals } from "./src/sync/report.ts";
export { runSession } from "./src/sync/session.ts";
export type { SessionOptions } from "./src/sync/session.ts";
export { sync } from "./src/sync/sync.ts";
export type { SyncOptions } from "./src/sync/sync.ts";
export { streamChannel } from "./src/sync/stdio.ts";
export type { StreamChannelOptions } from "./src/sync/stdio.ts";
export { openWebSocket } from "./src/sync/websocket.ts";
export type { WebSocketOptions } from "./src/sync/websocket.ts";
export { openCommand, parseRemoteLog } from "./src/sync/command.ts";
export type { CommandOptions, RemoteLog } from "./src/sync/command.ts";
export { connect, isTemporary } from "./src/sync/connect.ts";
export type { ConnectOptions, SyncConnection } from "./src/sync/connect.ts";
export { serve } from "./src/sync/serve.ts";
export type { ServeOptions, ServerStatus, SyncServer } from "./src/sync/serve.ts";
export type { Handler, RequestInfo } from "./src/sync/http.ts";
export type { ServerTotals } from "./src/sync/metrics.ts";
