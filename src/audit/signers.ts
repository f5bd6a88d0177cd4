/**
 * Who signed a checkpoint. Its default origin has the author in it, and so the key. Of another origin the key is one that
 * was given, or that of an author of the log whose key has the id that the signature names.
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
/** So many authors of a log are tried. */
const MAX_AUTHORS = 1000;
/** Their keys are remembered under so many names. */
const MAX_NAMES = 100;

/** The keys that an origin names: none, when no author is in it. */
export function keysInOrigin(origin: string): VerifierKey[] {
  return (origin.match(AUTHOR) ?? []).map((author) => namedKey(origin, publicKeyOf(author)));
}

/**
 * Checks who signed a checkpoint.
 *
 * @param checkpoint The checkpoint.
 * @param keys Any of them will do.
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

/** Checks the signatures of checkpoints that a log kept. */
export class Signers {
  readonly #connection: Connection;
  readonly #given: readonly VerifierKey[];
  readonly #hasIndexes: boolean;
  readonly #keys = new Map<string, readonly VerifierKey[]>();
  #authors?: readonly string[];

  /**
   * @param connection The log's file.
   * @param vkeys Verifier keys that were given.
   * @param hasIndexes Whether the index of authors can be relied upon.
   */
  constructor(connection: Connection, vkeys: readonly string[], hasIndexes: boolean) {
    this.#connection = connection;
    this.#given = vkeys.map(parseVerifierKey);
    this.#hasIndexes = hasIndexes;
  }

  /**
   * Checks who signed a checkpoint.
   *
   * @returns False when no key is known that could have.
   * @throws {ProofError} When the signature does not hold, or is missing.
   */
  check(checkpoint: Checkpoint): boolean {
    const { origin, text } = checkpoint;
    const own = keysInOrigin(origin);
    const signers = signersOf(text);
    const keys = own.length > 0 ? [...own, ...this.#given] : [...this.#given, ...this.#authorsAs(origin)]
      .filter(({ name, id }) => signers.has(`${name} ${id}`));
    if (keys.length === 0) return false;
    requireSigned(checkpoint, keys);
    return true;
  }

  /** The keys that the authors of the log have under a name. */
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
