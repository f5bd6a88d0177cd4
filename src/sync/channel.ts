/**
 * A channel between two nodes: it carries messages, whole and in order. Transports implement it; a session uses it.
 *
 * @module
 */

/** One end of a connection to a peer. */
export interface Channel {
  /**
   * Sends a message. The promise is pending while the transport cannot take more, and rejects with a `SyncError`
   * (`unreachable`) when the connection is lost. It may be called again before that: messages leave in the order of the
   * calls. The bytes must not be changed afterwards.
   */
  send(message: Uint8Array<ArrayBuffer>): Promise<void>;
  /**
   * The next message; undefined when the peer has closed. A message larger than the transport's limit rejects with a
   * `SyncError` (`too-large`), a lost connection with `unreachable`. One call at a time.
   */
  receive(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Closes both directions, after what was sent has left where the transport can. A second call does nothing. */
  close(): void | Promise<void>;
}
