/**
 * What `mnema sync` and `mnema serve` have in common: who may do what, the key, and the exit code when a peer is not
 * reached.
 *
 * @module
 */

import { LogError, SyncError } from "../errors.ts";
import type { Identity } from "../keys/identity.ts";
import { isAuthor } from "../keys/author.ts";
import type { Direction } from "../sync/report.ts";
import { type Input, type OptionSpec, UsageError } from "./command.ts";
import { readText } from "./files.ts";
import { loadIdentity } from "./open.ts";

/** The exit code when the same command can succeed later: the peer is not reached, is busy, or has ended the session. */
export const EXIT_TRY_AGAIN = 4;

const TRY_AGAIN: ReadonlySet<string> = new Set(["unreachable", "busy", "idle", "rate-limited"]);

/** Whether the same command can succeed later. */
export function mayTryAgain(error: unknown): boolean {
  return error instanceof SyncError && TRY_AGAIN.has(error.code);
}

/** Options for who may do what. */
export const PEER_OPTIONS: Record<string, OptionSpec> = {
  pull: { help: "only receive operations" },
  push: { help: "only send operations" },
  allow: { value: "AUTHOR", help: "admit only this peer, by its whole author id", many: true },
  "accept-author": { value: "AUTHOR", help: "accept only operations of this author, by its whole id", many: true },
};

/** What {@linkcode PEER_OPTIONS} say. */
export interface PeerChoices {
  direction: Direction;
  allow?: string[];
  acceptAuthors?: string[];
}

/** Reads {@linkcode PEER_OPTIONS}. */
export function readPeerOptions(input: Input): PeerChoices {
  const [pull, push] = [input.flag("pull"), input.flag("push")];
  if (pull && push) throw new UsageError("--pull and --push exclude each other; without them, both are done");
  return {
    direction: pull ? "pull" : push ? "push" : "both",
    allow: authors(input, "allow"),
    acceptAuthors: authors(input, "accept-author"),
  };
}

function authors(input: Input, name: string): string[] | undefined {
  const ids = input.values(name);
  const odd = ids?.find((id) => !isAuthor(id));
  if (odd === undefined) return ids;
  // An abbreviated id would admit anybody: it takes little work to make a key whose id begins in the same way.
  throw new UsageError(`--${name} takes a whole author id, mnk_ and 64 hex digits, as mnema id prints it, not ${odd}`);
}

/** The key; where none is named and there is none, one for this session only, which proves nothing. */
export async function loadIdentityOrTemporary(input: Input): Promise<Identity> {
  try {
    return await loadIdentity(input);
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== "missing-file" || input.value("key") !== undefined) throw error;
    const { Identity } = await import("../keys/identity.ts");
    return Identity.generate();
  }
}

/** Reads a file in PEM, of a certificate or its key. */
export async function readPem(input: Input, option: string): Promise<string | undefined> {
  const path = input.value(option);
  if (path === undefined) return undefined;
  if (path === "-") throw new UsageError(`--${option} takes a file`);
  return await readText(path);
}
