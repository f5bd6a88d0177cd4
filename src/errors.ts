/**
 * Errors. Every failure is a {@linkcode LogError}: `message` is a sentence for people; `code` and the fields of the
 * subclass are stable, for programs.
 *
 * The only exception is a denied permission, which is Deno's own `Deno.errors.NotCapable`.
 *
 * @module
 */

/** The stable codes of {@linkcode LogError}. */
export type LogErrorCode =
  | "ambiguous-id"
  | "bad-address"
  | "bad-body"
  | "bad-checkpoint"
  | "bad-encoding"
  | "bad-key"
  | "bad-message"
  | "bad-proof"
  | "bad-shape"
  | "bad-signature"
  | "bad-stream"
  | "busy"
  | "closed"
  | "corrupt"
  | "dangling-reference"
  | "derived-damaged"
  | "disk-full"
  | "file-exists"
  | "idle"
  | "inconsistent"
  | "invalid-argument"
  | "io"
  | "is-a-folder"
  | "key-exposed"
  | "key-unreadable"
  | "locked"
  | "missing-file"
  | "missing-folder"
  | "no-sqlite"
  | "no-stream"
  | "not-a-claim"
  | "not-a-database"
  | "not-a-file"
  | "not-a-log"
  | "not-allowed"
  | "not-found"
  | "old-sqlite"
  | "rate-limited"
  | "read-only"
  | "stream-full"
  | "super-journal"
  | "timed-out"
  | "too-large"
  | "unreachable"
  | "unsupported-version"
  | "waiting-full"
  | "worker-failed";

/**
 * The base of every error of this module.
 *
 * @example Programs use `code`, people read `message`
 * ```ts
 * import { LogError, OpLog } from "@mnema/oplog";
 *
 * using log = OpLog.open();
 * try {
 *   log.get("op_" + "0".repeat(64));
 * } catch (error) {
 *   if (!(error instanceof LogError)) throw error;
 *   console.log(error.code, error.message);
 * }
 * ```
 */
export class LogError extends Error {
  /** What went wrong, for programs: stable across versions. */
  readonly code: LogErrorCode;

  /**
   * Makes the error.
   *
   * @param code What went wrong, for programs.
   * @param message What went wrong and what to do, for people.
   * @param options The `cause`, if any.
   */
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A rule of MNC-1 that a value or a text breaks. */
export type CanonicalRule =
  | "depth"
  | "duplicate"
  | "float"
  | "not canonical"
  | "range"
  | "surrogate"
  | "syntax"
  | "type";

/** A value that MNC-1 cannot encode, or a text that is not MNC-1. */
export class CanonicalError extends LogError {
  /** The rule that is broken. */
  readonly rule: CanonicalRule;
  /** Path in a value, such as `$.body.tags[3]`. Set by encoders. */
  readonly path?: string;
  /** Offset in a text, in UTF-16 code units from 0. Set by parsers. */
  readonly offset?: number;

  /**
   * Makes the error.
   *
   * @param rule The rule that is broken.
   * @param message What is wrong, and what to do.
   * @param where The `path` in a value or the `offset` in a text.
   */
  constructor(rule: CanonicalRule, message: string, where: { path?: string; offset?: number }) {
    super("bad-encoding", message);
    this.rule = rule;
    this.path = where.path;
    this.offset = where.offset;
  }
}

/** The checks of an operation, in their order. The last one is made by a log, the others by `Operation.verify`. */
export type OperationCheck = "shape" | "content address" | "signature" | "body";

const CHECK_CODES = {
  "shape": "bad-shape",
  "content address": "bad-address",
  "signature": "bad-signature",
  "body": "bad-body",
} as const satisfies Record<OperationCheck, LogErrorCode>;

/** An operation that is not what it claims to be. */
export class OperationError extends LogError {
  /** The check that failed first. */
  readonly check: OperationCheck;
  /** The id that the operation claims, if one could be read. */
  readonly opId?: string;
  /** The path of the field at fault, such as `$.prev[2]`, if there is one. */
  readonly path?: string;

  /**
   * Makes the error.
   *
   * @param check The check that failed.
   * @param message What is wrong.
   * @param details The claimed id, the path of the field at fault, and the `cause`.
   */
  constructor(check: OperationCheck, message: string, details: { opId?: string; path?: string } & ErrorOptions = {}) {
    super(CHECK_CODES[check], message, "cause" in details ? { cause: details.cause } : undefined);
    this.check = check;
    this.opId = details.opId;
    this.path = details.path;
  }
}

/** A proof, a checkpoint or a verifier key that is malformed or invalid. */
export class ProofError extends LogError {
  /**
   * Makes the error.
   *
   * @param code Which of the three is at fault.
   * @param message Which check failed.
   */
  constructor(code: "bad-checkpoint" | "bad-key" | "bad-proof", message: string) {
    super(code, message);
  }
}

/** A log is inconsistent with a checkpoint: an operation covered by it was changed, removed or inserted. */
export class InconsistentError extends LogError {
  /** The whole text of the checkpoint. */
  readonly checkpoint: string;
  /** The first operation that changed, if known: its `seq` and its id. */
  readonly change?: { readonly seq: number; readonly opId: string };

  /**
   * Makes the error.
   *
   * @param checkpoint The whole text of the checkpoint.
   * @param message What is wrong, and what to do.
   * @param change The first operation that changed, if known.
   */
  constructor(checkpoint: string, message: string, change?: { seq: number; opId: string }) {
    super("inconsistent", message);
    this.checkpoint = checkpoint;
    this.change = change;
  }
}

/** An operation names a `prev` that is not in the log. */
export class DanglingReferenceError extends LogError {
  /** The operation that cannot be appended. */
  readonly opId: string;
  /** The ids in its `prev` that the log does not hold. */
  readonly missing: readonly string[];

  /**
   * Makes the error.
   *
   * @param opId The operation that cannot be appended.
   * @param missing The ids in its `prev` that the log does not hold.
   */
  constructor(opId: string, missing: readonly string[]) {
    super(
      "dangling-reference",
      `operation ${opId} follows ${missing.join(", ")}, which the log does not hold; append what it follows first`,
    );
    this.opId = opId;
    this.missing = missing;
  }
}

/** The log holds no such operation. */
export class NotFoundError extends LogError {
  /** The requested id, whole or abbreviated. */
  readonly opId: string;

  /**
   * Makes the error.
   *
   * @param opId The requested id, whole or abbreviated.
   */
  constructor(opId: string) {
    super("not-found", `the log holds no operation ${opId}`);
    this.opId = opId;
  }
}

/** An abbreviated id that several operations share. */
export class AmbiguousIdError extends LogError {
  /** The abbreviated id, without an ellipsis. */
  readonly prefix: string;
  /** Some of the ids that start with it, in order. */
  readonly candidates: readonly string[];

  /**
   * Makes the error.
   *
   * @param prefix The abbreviated id, without an ellipsis.
   * @param candidates Some of the ids that start with it.
   * @param more Whether there are others.
   */
  constructor(prefix: string, candidates: readonly string[], more = false) {
    const first = candidates.slice(0, more ? undefined : -1).join(", ");
    super("ambiguous-id", `${prefix} can mean ${first} or ${more ? "more" : candidates.at(-1)}; give more digits`);
    this.prefix = prefix;
    this.candidates = candidates;
  }
}

/** An atomic ingest met an operation that is refused; nothing was appended. */
export class RefusedError extends LogError {
  /** The operation's position in the source, from 1; in a stream of bytes, the line number. */
  readonly position: number;
  /** Why it is refused. */
  readonly reason: string;
  /** The id that it claims, if one could be read. */
  readonly opId?: string;

  /**
   * Makes the error.
   *
   * @param refusal The position, code, reason and id of the refused operation.
   */
  constructor(
    { position, code, reason, opId }: { position: number; code: LogErrorCode; reason: string; opId?: string },
  ) {
    super(code, `nothing was appended, because the operation at ${position} is refused: ${reason}`);
    this.position = position;
    this.reason = reason;
    this.opId = opId;
  }
}

/** The codes with which a node refuses a session, or ends it. */
export type SessionRefusalCode =
  | "bad-message"
  | "busy"
  | "idle"
  | "not-allowed"
  | "rate-limited"
  | "too-large"
  | "unsupported-version";

/** A session with a peer that was refused, or that ended before it was done. What has arrived stays. */
export class SyncError extends LogError {
  /** Who refused, or undefined when the peer cannot be reached or the connection is lost. */
  readonly refusedBy?: "this node" | "peer";

  /**
   * Makes the error.
   *
   * @param code What went wrong: a code of a refusal, or `unreachable`.
   * @param message What went wrong, and what to do.
   * @param details Who refused, and the `cause`.
   */
  constructor(
    code: SessionRefusalCode | "unreachable",
    message: string,
    details: { refusedBy?: "this node" | "peer" } & ErrorOptions = {},
  ) {
    super(code, message, "cause" in details ? { cause: details.cause } : undefined);
    this.refusedBy = details.refusedBy;
  }
}

/** A stream that cannot be used, or its servers. What was committed stays. */
export class StreamError extends LogError {
  /** The name of the stream. */
  readonly stream: string;

  /**
   * Makes the error.
   *
   * @param code What went wrong.
   * @param stream The name of the stream.
   * @param message What went wrong, and what to do.
   * @param options The `cause`, where there is one.
   */
  constructor(
    code: "bad-stream" | "no-stream" | "not-allowed" | "stream-full" | "unreachable",
    stream: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
    this.stream = stream;
  }
}

/** A file of a log or of a key that cannot be used. */
export class FileError extends LogError {
  /** The file's path, as it was given. */
  readonly path: string;

  /**
   * Makes the error.
   *
   * @param code What is wrong with the file.
   * @param path The file's path, as it was given.
   * @param message What is wrong and what to do.
   * @param options The `cause`, where there is one.
   */
  constructor(code: LogErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.path = path;
  }
}

/**
 * Turns an error of Deno's file functions into a {@linkcode FileError}. Returns a `LogError`, a denied permission and what is
 * not an `Error` unchanged.
 *
 * @param error The error.
 * @param path The path of the file.
 * @param creating Whether the file was to be created.
 */
export function fileError(error: unknown, path: string, creating = false): unknown {
  if (!(error instanceof Error) || error instanceof LogError || error instanceof Deno.errors.NotCapable) return error;
  const refuse = (code: LogErrorCode, message: string) => new FileError(code, path, message, { cause: error });
  if (error instanceof Deno.errors.AlreadyExists) {
    return refuse("file-exists", `${path} exists already and was not changed`);
  }
  if (!(error instanceof Deno.errors.NotFound)) return refuse("io", `${path} cannot be used: ${error.message}`);
  return creating ? missingFolder(path, error) : refuse("missing-file", `there is no file ${path}`);
}

/** The error for creating a file in a folder that does not exist. */
export function missingFolder(path: string, cause: unknown): FileError {
  const message = `there is no folder ${folderOf(path)} to create ${path} in; create it first`;
  return new FileError("missing-folder", path, message, { cause });
}

/** The folder of a path, like `dirname` of node:path, which browsers do not have. */
function folderOf(path: string): string {
  const folder = path.replace(/[\\/]*[^\\/]*[\\/]*$/, "");
  return folder !== "" ? folder : path.startsWith("/") ? "/" : ".";
}

/** The error for a wire text that exceeds the maximum size. */
export function tooLarge(what: string, maxBytes: number): LogError {
  return new LogError("too-large", `${what} is larger than ${maxBytes} bytes; raise maxOperationBytes, or split it`);
}
