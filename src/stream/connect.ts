/**
 * Connects to the servers of a stream, and translates the client's errors.
 *
 * @module
 */

import { jetstream, JetStreamApiError, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import { type ConnectionOptions, credsAuthenticator, errors, type NatsConnection } from "@nats-io/transport-node";
import { FileError, fileError, LogError, StreamError } from "../errors.ts";
import type { Settings } from "./options.ts";
import { connectSafely } from "./transport.ts";

/** A connection to one of the servers. It ends with the first failure, and is not opened again. */
export interface Link {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

const PINGS_WITHOUT_ANSWER = 2;
/** The server has no stream of this name. */
const STREAM_NOT_FOUND = 10059;
/** JetStream is not enabled, for the account or on the server. */
const NOT_ENABLED: ReadonlySet<number> = new Set([10039, 10076]);

/**
 * Connects to one of the servers that answer.
 *
 * @throws {StreamError} `unreachable`, `not-allowed`, `bad-stream`.
 * @throws {FileError} When a file of credentials or certificates cannot be read.
 */
export async function connect(settings: Settings): Promise<Link> {
  const { servers, credsFile, tls, timeoutMs } = settings;
  const authenticator = credsFile === undefined ? undefined : credsAuthenticator(readCredentials(credsFile));
  const files = tls && { ca: readText(tls.caFile), cert: readText(tls.certFile), key: readText(tls.keyFile) };
  try {
    return await open({ servers: [...servers], authenticator, tls: files }, timeoutMs);
  } catch (error) {
    throw streamError(error, settings);
  }
}

async function open(access: ConnectionOptions, timeoutMs: number): Promise<Link> {
  const connection = await connectSafely({
    ...access,
    name: "mnema",
    timeout: timeoutMs,
    // A connection that is opened again would go on without a check of the stream.
    reconnect: false,
    // The runtime resolves names, with the permission for the host and the port alone.
    resolve: false,
    ignoreClusterUpdates: true,
    pingInterval: timeoutMs,
    maxPingOut: PINGS_WITHOUT_ANSWER,
    noAsyncTraces: true,
  });
  try {
    const client = jetstream(connection, { timeout: timeoutMs });
    return { connection, client, manager: await client.jetstreamManager() };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function readCredentials(path: string): Uint8Array {
  const bytes = readBytes(path);
  const text = new TextDecoder().decode(bytes);
  if (text.includes("BEGIN NATS USER JWT") && text.includes("BEGIN USER NKEY SEED")) return bytes;
  throw new FileError("key-unreadable", path, `${path} is no file of credentials of NATS; name another`);
}

function readBytes(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    throw fileError(error, path);
  }
}

function readText(path: string | undefined): string | undefined {
  return path === undefined ? undefined : new TextDecoder().decode(readBytes(path));
}

/** Whether an error says that there is no such stream. */
export function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND;
}

/** An error of the client as a {@linkcode StreamError}; what is no error of the client is returned unchanged. */
export function streamError(error: unknown, { stream, servers }: Pick<Settings, "stream" | "servers">): unknown {
  if (!(error instanceof Error) || error instanceof LogError || error instanceof Deno.errors.NotCapable) return error;
  const at = servers.join(", ");
  const as = (code: StreamError["code"] & ("bad-stream" | "no-stream" | "not-allowed" | "unreachable"), what: string) =>
    new StreamError(code, stream, what, { cause: error });
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Deno.errors.NotCapable) return cause;
    if (cause instanceof errors.AuthorizationError || cause instanceof errors.UserAuthenticationExpiredError) {
      return as("not-allowed", `${at} does not let this node in: ${cause.message}; check the credentials`);
    }
    if (cause instanceof errors.PermissionViolationError) {
      return as("not-allowed", `${at} does not allow ${cause.operation} to ${cause.subject}; check the credentials`);
    }
  }
  if (isNotFound(error)) return as("no-stream", `there is no stream ${stream} on ${at}`);
  if (error instanceof JetStreamApiError) {
    if (NOT_ENABLED.has(error.code)) return as("bad-stream", `${at} has no JetStream; enable it there`);
    return as("unreachable", `${at} cannot serve the stream ${stream}: ${error.message}`);
  }
  return as("unreachable", `${at} cannot be reached: ${error.message || error.name}`);
}
