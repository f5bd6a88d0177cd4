/**
 * Verifies the signatures of checkpoints. The default origin has the author in it, and so the key. For another origin the
 * key is a given one, or that of an author of the log whose key has the id that the signature names.
 *
 * @module
 */

import { ProofError } from "../errors.ts";
import type { Connection } from "../sqlite/connection.ts";
import { isAuthor } from "../keys/author.ts";
import type { Checkpoint } from "../tlog/checkpoint.ts";
import { fromBase64 } from "../bytes.ts";
import { namedKey, parseVerifierKey, publicKeyOf, type VerifierKey, verifyNote } from "../tlog/note.ts";

const AUTHOR = /mnk_[0-9a-f]{64}/g;
const SELECT_NEXT_AUTHOR =
  "SELECT author FROM main.ops WHERE author > ? AND length(author) = 68 ORDER BY author LIMIT 1";
/** Limit of the authors of a log that are tried. */
const MAX_AUTHORS = 1000;
/** Limit of the names under which their keys are cached. */
const MAX_NAMES = 100;

/** The keys that an origin names: none, when no author is in it. */
export function keysInOrigin(origin: string): VerifierKey[] {
  return (origin.match(AUTHOR) ?? []).map((author) => namedKey(origin, publicKeyOf(author)));
}

/**
 * Verifies that one of some keys signed a checkpoint.
 *
 * @param checkpoint The checkpoint.
 * @param keys The keys.
 * @throws {ProofError} `bad-checkpoint` when none of them signed it.
 */
export function requireSigned({ text }: Checkpoint, keys: readonly VerifierKey[]): void {
  let failure: unknown;
  for (const key of keys) {
    try {
      verifyNote(text, key);
      return;
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

/** Verifies the signatures of stored checkpoints. */
export class Signers {
  readonly #connection: Connection;
  readonly #given: readonly VerifierKey[];
  readonly #hasIndexes: boolean;
  readonly #keys = new Map<string, readonly VerifierKey[]>();
  #authors?: readonly string[];

  /**
   * @param connection The log's file.
   * @param vkeys Verifier keys that were given.
   * @param hasIndexes Whether the index of authors is intact.
   */
  constructor(connection: Connection, vkeys: readonly string[], hasIndexes: boolean) {
    this.#connection = connection;
    this.#given = vkeys.map(parseVerifierKey);
    this.#hasIndexes = hasIndexes;
  }

  /**
   * Verifies the signature of a checkpoint.
   *
   * @returns False when no matching key is known.
   * @throws {ProofError} When the signature is invalid or missing.
   */
  check(checkpoint: Checkpoint): boolean {
    const { origin, text } = checkpoint;
    const inOrigin = keysInOrigin(origin);
    const signers = signersOf(text);
    const keys = inOrigin.length > 0 ? [...inOrigin, ...this.#given] : [...this.#given, ...this.#authorsAs(origin)]
      .filter(({ name, id }) => signers.has(`${name} ${id}`));
    if (keys.length === 0) return false;
    requireSigned(checkpoint, keys);
    return true;
  }

  /** The keys of the authors of the log, under a name. */
  #authorsAs(name: string): readonly VerifierKey[] {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const keys = this.#readAuthors().map((author) => namedKey(name, publicKeyOf(author)));
    if (this.#keys.size < MAX_NAMES) this.#keys.set(name, keys);
    return keys;
  }

  #readAuthors(): readonly string[] {
    if (this.#authors !== undefined) return this.#authors;
    const authors: string[] = [];
    for (let after = ""; this.#hasIndexes && authors.length < MAX_AUTHORS;) {
      const [author] = this.#connection.query(SELECT_NEXT_AUTHOR).value<[string]>(after) ?? [];
      if (author === undefined) break;
      if (isAuthor(author)) authors.push(author);
      after = author;
    }
    return this.#authors = authors;
  }
}

/** The names and ids of the keys that signed a note. */
function signersOf(note: string): Set<string> {
  const lines = note.slice(note.lastIndexOf("\n\n") + 2).split("\n");
  return new Set(lines.flatMap((line) => {
    const [, name, base64 = ""] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
    const bytes = fromBase64(base64);
    return bytes === undefined ? [] : [`${name} ${bytes.subarray(0, 4).toHex()}`];
  }));
}
