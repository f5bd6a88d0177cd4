/**
 * The library for WebSockets. It is loaded with the first connection: loading it reads two environment variables,
 * `WS_NO_BUFFER_UTIL` and `WS_NO_UTF_8_VALIDATE`.
 *
 * @module
 */

// @ts-types="npm:@types/ws@^8"
export { WebSocket, WebSocketServer } from "ws";
