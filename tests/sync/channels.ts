/**
 * Channels for tests: factories of connected pairs, and what the scenarios do with them.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { audit, type OpLog } from "../../mod.ts";
import { type Channel, channelPair, runSession, type SessionOptions, type SyncReport } from "../../sync.ts";
import { stateOf } from "../claims/statuses.ts";
import { alice, bob } from "../operations.ts";

/** Two connected channels. */
export interface ConnectedPair {
  /** The end of the side that connected. */
  initiator: Channel;
  /** The other end. */
  responder: Channel;
  /** Ends what the transport needs, such as a server. */
  close(): void | Promise<void>;
}

/** Connects a new pair. */
export type MakePair = () => ConnectedPair | Promise<ConnectedPair>;

/** A pair in this process. */
export function inProcess(): ConnectedPair {
  const [initiator, responder] = channelPair();
  return { initiator, responder, close() {} };
}

/** Options of one side; the signer is Alice for the initiator and Bob for the responder. */
export type SideOptions = Partial<Omit<SessionOptions, "role">>;

/** How each side's session has ended. */
export interface Ends {
  initiator: PromiseSettledResult<SyncReport>;
  responder: PromiseSettledResult<SyncReport>;
}

/** Runs a session between two logs, and waits for both ends. */
export async function runPair(
  makePair: MakePair,
  a: OpLog,
  b: OpLog,
  options: { initiator?: SideOptions; responder?: SideOptions } = {},
): Promise<Ends> {
  const pair = await makePair();
  try {
    const [initiator, responder] = await Promise.allSettled([
      runSession(a, pair.initiator, { signer: alice, ...options.initiator, role: "initiator" }),
      runSession(b, pair.responder, { signer: bob, ...options.responder, role: "responder" }),
    ]);
    return { initiator, responder };
  } finally {
    await pair.close();
  }
}

/** The same, where both ends succeed. Returns the reports. */
export async function syncPair(
  makePair: MakePair,
  a: OpLog,
  b: OpLog,
  options: { initiator?: SideOptions; responder?: SideOptions } = {},
): Promise<{ initiator: SyncReport; responder: SyncReport }> {
  const { initiator, responder } = await runPair(makePair, a, b, options);
  if (initiator.status === "rejected") throw initiator.reason;
  if (responder.status === "rejected") throw responder.reason;
  assertEquals(initiator.value.sent, responder.value.received);
  assertEquals(initiator.value.received, responder.value.sent);
  return { initiator: initiator.value, responder: responder.value };
}

/** The error with which a side has ended; throws when it has not. */
export function errorOf(end: PromiseSettledResult<SyncReport>): { code?: string; refusedBy?: string; message: string } {
  if (end.status === "fulfilled") throw new Error("the session ended without an error");
  return end.reason;
}

/** Asserts that logs hold the same operations: in number, in heads, and in claims. */
export function assertEqualLogs(...logs: OpLog[]): void {
  const [first, ...others] = logs.map((log) => ({
    size: log.size,
    heads: log.heads(),
    ids: [...log.entries()].map(({ op }) => op.opId).sort(),
    claims: stateOf(log).split("\n").sort(),
  }));
  for (const other of others) assertEquals(other, first);
}

/** Asserts that a log's file has nothing that an audit finds. */
export async function assertAuditsClean(path: string): Promise<void> {
  const { findings } = await audit(path, { workers: 0 });
  assertEquals(findings, []);
}

/** A value that is awaited until it has been seen, with a deadline. */
export class Expected<T> {
  readonly #waiting = new Set<() => void>();
  #value: T;

  /** @param value The first value. */
  constructor(value: T) {
    this.#value = value;
  }

  /** The value. */
  get value(): T {
    return this.#value;
  }

  /** Sets the value. */
  set(value: T): void {
    this.#value = value;
    for (const look of this.#waiting) look();
  }

  /** Waits until the value is as it should be. */
  async until(isExpected: (value: T) => boolean, what: string): Promise<void> {
    if (isExpected(this.#value)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`${what} did not happen`)), 30_000);
    const look = () => isExpected(this.#value) && resolve();
    this.#waiting.add(look);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }
}

/** Waits until a log holds an operation. */
export async function untilHas(log: OpLog, opId: string): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  if (log.has(opId)) return;
  for await (const { op } of log.follow({ sinceSeq: 0, signal })) if (op.opId === opId) return;
  throw new Error(`${opId} has not arrived`);
}
