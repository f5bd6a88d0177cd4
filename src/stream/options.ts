/**
 * The options of a stream.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { requireCallback, requireInteger, requireObject, requireText } from "../log/entries.ts";
import type { StreamStatus } from "./status.ts";
import { requireStreamName } from "./subjects.ts";

/** Files for TLS, in PEM. */
export interface TlsFiles {
  /** Certificates of the authorities that the server's certificate may come from; the system's by default. */
  caFile?: string;
  /** The certificate of this node. */
  certFile?: string;
  /** Its private key. */
  keyFile?: string;
}

/** Which stream, on which servers, and how. */
export interface StreamOptions {
  /**
   * The servers, such as `nats://host:4222`, or `tls://host:4222` to insist on TLS. Name all servers of a cluster: what
   * a server announces is ignored.
   */
  servers: string | readonly string[];
  /** The name of the stream: 1 to 64 of the characters A-Z a-z 0-9 _ -. */
  stream: string;
  /** Creates the stream where there is none, also when it was deleted meanwhile. */
  create?: boolean;
  /** The replicas of a stream that is created: 3 by default, which needs a cluster of three servers. */
  replicas?: number;
  /** A file with credentials, as the tools of NATS write it. */
  credsFile?: string;
  /** Files for TLS; with them, TLS is required. */
  tls?: TlsFiles;
  /** How long to wait for an answer of a server, in milliseconds; 10,000 by default. */
  timeoutMs?: number;
  /** How often to check whether the stream has lost messages, in milliseconds; 10,000 by default. */
  checkMs?: number;
  /** The number of workers that check signatures: one for each core by default, 0 for none. */
  workers?: number;
  /** Called when the phase changes, a message is refused, or something is lost. */
  onStatus?: (status: StreamStatus) => void;
  /** Ends it, as `close` does. */
  signal?: AbortSignal;
}

/** Checked options. */
export interface Settings {
  /** The host and the port of each. */
  readonly servers: readonly string[];
  readonly stream: string;
  readonly create: boolean;
  readonly replicas: number;
  readonly credsFile?: string;
  readonly tls?: TlsFiles;
  readonly timeoutMs: number;
  readonly checkMs: number;
  readonly workers: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_CHECK_MS = 10_000;
const DEFAULT_REPLICAS = 3;
/** JetStream replicates to at most five servers. */
const MAX_REPLICAS = 5;
const DEFAULT_PORT = 4222;

/**
 * Checks options.
 *
 * @throws {LogError} `invalid-argument`.
 */
export function readOptions(options: StreamOptions): Settings {
  requireObject("options", options);
  const { stream, create = false, replicas = DEFAULT_REPLICAS, credsFile, tls } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, checkMs = DEFAULT_CHECK_MS, workers = navigator.hardwareConcurrency } =
    options;
  requireStreamName(stream);
  requireInteger("replicas", replicas, 1);
  if (replicas > MAX_REPLICAS) {
    throw new LogError("invalid-argument", `replicas must be at most ${MAX_REPLICAS}; it is ${replicas}`);
  }
  requireInteger("timeoutMs", timeoutMs, 1);
  requireInteger("checkMs", checkMs, 1);
  requireInteger("workers", workers, 0);
  requireCallback("onStatus", options.onStatus);
  if (credsFile !== undefined) requireText("credsFile", credsFile);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new LogError("invalid-argument", "signal must be an AbortSignal");
  }
  const servers = [options.servers].flat().map(readServer);
  if (servers.length === 0) throw new LogError("invalid-argument", "servers names no server");
  const needsTls = tls !== undefined || servers.some(({ protocol }) => protocol === "tls:");
  return {
    servers: servers.map(hostOf),
    stream,
    create,
    replicas,
    credsFile,
    tls: needsTls ? tls ?? {} : undefined,
    timeoutMs,
    checkMs,
    workers,
  };
}

function readServer(server: unknown): URL {
  requireText("a server", server);
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined || !["nats:", "tls:"].includes(url.protocol) || url.hostname === "") {
    throw new LogError("invalid-argument", `a server is written nats://host:4222, not ${JSON.stringify(server)}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new LogError("invalid-argument", "the URL of a server has no user or password: give a file of credentials");
  }
  return url;
}

function hostOf({ hostname, port }: URL): string {
  return `${hostname}:${port === "" ? DEFAULT_PORT : port}`;
}
