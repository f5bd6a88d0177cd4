/**
 * The settings of a stream: those that it is created with, and what about given ones endangers operations.
 *
 * @module
 */

import type { StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { StreamError } from "../errors.ts";
import { allSubjects } from "./subjects.ts";

/** A setting that endangers operations. */
export interface StreamWarning {
  /** Which, for programs. */
  readonly code: "one-replica" | "memory-storage" | "discards-old" | "discarded" | "sync-interval";
  /** What may happen, and what to do, for people. */
  readonly message: string;
}

/** How long the server knows the ids of messages, in nanoseconds: two minutes. */
const DUPLICATE_WINDOW_NS = 120_000_000_000;

/** Where a setting has no limit. */
const UNLIMITED = -1;

/** The settings of a new stream: on disk, without limits; when the disk is full, new messages are refused. */
export function newStreamConfig(stream: string, replicas: number): Partial<StreamConfig> & { name: string } {
  return {
    name: stream,
    subjects: [allSubjects(stream)],
    retention: "limits",
    storage: "file",
    discard: "new",
    num_replicas: replicas,
    duplicate_window: DUPLICATE_WINDOW_NS,
    max_msgs: UNLIMITED,
    max_bytes: UNLIMITED,
    max_age: 0,
    max_msgs_per_subject: UNLIMITED,
    max_msg_size: UNLIMITED,
    allow_direct: true,
    deny_delete: true,
    deny_purge: true,
  };
}

/**
 * Refuses a stream that cannot carry operations.
 *
 * @throws {StreamError} `bad-stream`.
 */
export function requireUsable({ config }: StreamInfo): void {
  const { name, subjects = [], retention } = config;
  const refuse = (what: string) => {
    throw new StreamError("bad-stream", name, `the stream ${name} ${what}; use another, or change its settings`);
  };
  const needed = allSubjects(name);
  if (!subjects.some((subject) => covers(subject, needed))) refuse(`does not take the subjects ${needed}`);
  if (retention !== "limits") refuse(`deletes messages that were read (its retention is ${retention})`);
  if (config.no_ack) refuse("does not acknowledge messages");
  if (config.sealed) refuse("is sealed");
  if (config.mirror !== undefined) refuse("is a mirror, which takes no messages");
}

/** What about the settings endangers operations. */
export function warningsOf({ config, state }: StreamInfo): StreamWarning[] {
  const { name } = config;
  const warnings: StreamWarning[] = [];
  const warn = (code: StreamWarning["code"], message: string) => warnings.push({ code, message });
  if (config.num_replicas === 1) {
    warn("one-replica", `the stream ${name} has one replica: what its server loses, only the nodes still have`);
  }
  if (config.storage === "memory") {
    warn("memory-storage", `the stream ${name} is in memory: it is empty after its servers restart`);
  }
  const limits = limitsOf(config);
  if (limits.length > 0) {
    warn("discards-old", `the stream ${name} discards old messages (${limits.join(", ")}): new nodes miss them`);
  }
  if (state.first_seq > 1) {
    warn(
      "discarded",
      `the stream ${name} no longer has its first ${state.first_seq - 1} messages: new nodes miss them`,
    );
  }
  warn(
    "sync-interval",
    "a server does not tell its sync_interval: unless it is always, a power cut on all replicas loses acknowledged " +
      "messages, up to 2 minutes of them by default",
  );
  return warnings;
}

/** The limits at which old messages are discarded. */
function limitsOf(config: StreamConfig): string[] {
  const limits = config.discard === "old" ? ["max_msgs", "max_bytes"] as const : [];
  const always = config.discard_new_per_subject ? [] : ["max_msgs_per_subject"] as const;
  return [...limits, ...always, "max_age" as const].filter((limit) => config[limit] > 0)
    .map((limit) => `${limit} ${config[limit]}`);
}

/** Whether a subject with wildcards has all subjects of another. */
function covers(subject: string, needed: string): boolean {
  const tokens = subject.split(".");
  const others = needed.split(".");
  for (const [i, token] of tokens.entries()) {
    if (token === ">") return others.length > i;
    if (i >= others.length || (token !== "*" && token !== others[i])) return false;
  }
  return tokens.length === others.length;
}
