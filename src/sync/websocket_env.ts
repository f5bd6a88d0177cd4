/**
 * The environment variables that the library for WebSockets reads when it is loaded: it needs the permission.
 *
 * @module
 */

/** Their names. */
export const WEBSOCKET_ENV: readonly string[] = ["WS_NO_BUFFER_UTIL", "WS_NO_UTF_8_VALIDATE"];
