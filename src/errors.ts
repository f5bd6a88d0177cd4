/**
 * Every failure this module reports is a {@linkcode LogError}: `message` is a sentence for a person, `code` is stable
 * and, with the fields of the subclass, is for a program.
 *
 * The one exception is a denied permission, which stays Deno's own `Deno.errors.NotCapable`.
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
  | "bad-proof"
  | "bad-shape"
  | "bad-signature"
  | "closed"
  | "corrupt"
  | "dangling-reference"
  | "derived-damaged"
  | "disk-full"
  | "file-exists"
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
  | "not-a-claim"
  | "not-a-database"
  | "not-a-file"
  | "not-a-log"
  | "not-found"
  | "old-sqlite"
  | "read-only"
  | "super-journal"
  | "too-large"
  | "waiting-full"
  | "worker-failed";

/**
 * The base of every error of this module.
 *
 * @example A program looks at `code`, a person reads `message`
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
   * @param options The `cause`, where there is one.
   */
  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Which rule of MNC-1 a value or a text breaks. */
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
  /** Where in a value: `$.body.tags[3]`. Set when a value was encoded. */
  readonly path?: string;
  /** Where in a text, in UTF-16 code units from 0. Set when a text was read. */
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

/** The checks of an operation, in their order: `Operation.verify` makes all but the last, which a log makes besides. */
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
  /** The id the operation claims, where its shape allowed to read one. */
  readonly opId?: string;
  /** The field at fault, such as `$.prev[2]`, where one is. */
  readonly path?: string;

  /**
   * Makes the error.
   *
   * @param check The check that failed.
   * @param message What is wrong.
   * @param details The claimed id, the field at fault, and the `cause`.
   */
  constructor(check: OperationCheck, message: string, details: { opId?: string; path?: string } & ErrorOptions = {}) {
    super(CHECK_CODES[check], message, "cause" in details ? { cause: details.cause } : undefined);
    this.check = check;
    this.opId = details.opId;
    this.path = details.path;
  }
}

/** A proof, a checkpoint or a verifier key that is malformed, or does not show what it claims to. */
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

/** A log no longer holds what a checkpoint says it held: something before it was changed, removed or put between. */
export class InconsistentError extends LogError {
  /** The checkpoint, whole. */
  readonly checkpoint: string;
  /** The first operation that changed, where the log can tell: its `seq` and its id. */
  readonly change?: { readonly seq: number; readonly opId: string };

  /**
   * Makes the error.
   *
   * @param checkpoint The checkpoint.
   * @param message What is wrong, and what to do.
   * @param change The first operation that changed, where the log can tell.
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
  /** The id, whole or abbreviated, that was asked for. */
  readonly opId: string;

  /**
   * Makes the error.
   *
   * @param opId The id, whole or abbreviated, that was asked for.
   */
  constructor(opId: string) {
    super("not-found", `the log holds no operation ${opId}`);
    this.opId = opId;
  }
}

/** An abbreviated id that several operations share. */
export class AmbiguousIdError extends LogError {
  /** The abbreviation, without an ellipsis. */
  readonly prefix: string;
  /** Some of the ids it can mean, in order. */
  readonly candidates: readonly string[];

  /**
   * Makes the error.
   *
   * @param prefix The abbreviation, without an ellipsis.
   * @param candidates Some of the ids it can mean.
   * @param more Whether it can mean others as well.
   */
  constructor(prefix: string, candidates: readonly string[], more = false) {
    const first = candidates.slice(0, more ? undefined : -1).join(", ");
    super("ambiguous-id", `${prefix} can mean ${first} or ${more ? "more" : candidates.at(-1)}; give more digits`);
    this.prefix = prefix;
    this.candidates = candidates;
  }
}

/** An ingest of all or none met an operation that is refused; nothing was kept. */
export class RefusedError extends LogError {
  /** The operation's place in the source, from 1: of a stream of bytes, the line number. */
  readonly position: number;
  /** Why it is refused. */
  readonly reason: string;
  /** The id that it claims, where one could be read. */
  readonly opId?: string;

  /**
   * Makes the error.
   *
   * @param refusal What is said of the operation.
   */
  constructor(
    { position, code, reason, opId }: { position: number; code: LogErrorCode; reason: string; opId?: string },
  ) {
    super(code, `nothing was kept, because the operation at ${position} is refused: ${reason}`);
    this.position = position;
    this.reason = reason;
    this.opId = opId;
  }
}

/** A file, of a log or of a key, that cannot be used as it is. */
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
 * Says in a sentence why a file cannot be used. What is an error of ours, or a denied permission, stays what it is.
 *
 * @param error What was thrown.
 * @param path The file.
 * @param making Whether the file was to be made.
 */
export function fileError(error: unknown, path: string, making = false): unknown {
  if (!(error instanceof Error) || error instanceof LogError || error instanceof Deno.errors.NotCapable) return error;
  const refuse = (code: LogErrorCode, message: string) => new FileError(code, path, message, { cause: error });
  if (error instanceof Deno.errors.AlreadyExists) {
    return refuse("file-exists", `${path} exists already and is left as it is`);
  }
  if (!(error instanceof Deno.errors.NotFound)) return refuse("io", `${path} cannot be used: ${error.message}`);
  return making ? missingFolder(path, error) : refuse("missing-file", `there is no file ${path}`);
}

/** The error for a file that is to be made where there is no folder. */
export function missingFolder(path: string, cause: unknown): FileError {
  const message = `there is no folder ${folderOf(path)} to make ${path} in; make it first`;
  return new FileError("missing-folder", path, message, { cause });
}

/** The folder that a path is in: `dirname` of node:path, which a browser does not have. */
function folderOf(path: string): string {
  const folder = path.replace(/[\\/]*[^\\/]*[\\/]*$/, "");
  return folder !== "" ? folder : path.startsWith("/") ? "/" : ".";
}

/** The error for a wire text with more bytes than the log takes. */
export function tooLarge(what: string, maxBytes: number): LogError {
  return new LogError("too-large", `${what} is larger than ${maxBytes} bytes; raise maxOperationBytes, or split it`);
}
