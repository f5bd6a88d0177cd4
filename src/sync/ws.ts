/**
 * The library for WebSockets. It is loaded with the first connection: loading it reads environment variables, which needs
 * a permission.
 *
 * @module
 */

// @ts-types="npm:@types/ws@^8"
export { WebSocket, WebSocketServer } from "ws";
