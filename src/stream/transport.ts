/**
 * The client's transport, made safe against servers that reset a connection: the client removes its listeners while it
 * sets a connection up and closes it, and an error without a listener would end the process. And over TLS the name in the
 * server's certificate is checked for addresses, too: the client gives the runtime no name for an address, and then a
 * certificate for `localhost` would do.
 *
 * @module
 */

import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import { NatsConnectionImpl, setTransportFactory } from "@nats-io/transport-node/lib/nats-base-client.js";
import { type ConnectionOptions, errors, type NatsConnection } from "@nats-io/transport-node";

/** Connects as the client's own `connect` does, over a {@linkcode SafeTransport}. */
export function connectSafely(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new SafeTransport() });
  return NatsConnectionImpl.connect(options);
}

/** A transport whose sockets always have a listener for errors. What it does about them stays the client's. */
class SafeTransport extends NodeTransport {
  #host = "";

  override async dial(server: { hostname: string; port: number }): Promise<Socket> {
    this.#host = server.hostname;
    const socket = await super.dial(server);
    keepListening(socket);
    return socket;
  }

  /** Also closes a connection that is still being set up, as when a server does not answer: the client would leave it. */
  override async close(error?: Error): Promise<void> {
    if (this.connected) return await super.close(error);
    this.done = true;
    this.socket?.destroy();
  }

  override startTLS(): Promise<TLSSocket> {
    const { ca, cert, key } = this.options.tls ?? {};
    const names = { servername: this.tlsName, host: this.#host };
    const socket = connectTls({ socket: this.socket, ...names, rejectUnauthorized: true, ca, cert, key });
    keepListening(socket);
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    let failure: Error = new errors.ConnectionError("the connection was closed during the TLS handshake");
    socket.on("error", (error) => failure = error);
    socket.on("close", () => reject(failure));
    socket.on("secureConnect", () => {
      socket.removeAllListeners();
      resolve(socket);
    });
    return promise;
  }
}

/** Adds a listener for errors that is added again whenever all are removed. */
function keepListening(socket: EventEmitter): void {
  const ignore = () => {};
  const removeAll = socket.removeAllListeners;
  socket.removeAllListeners = (...names) => {
    removeAll.apply(socket, names);
    return socket.on("error", ignore);
  };
  socket.on("error", ignore);
}
