import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { ProofError } from "../../proof.ts";
import type { HashReader } from "../../src/tlog/merkle.ts";

/** RFC 6962, section 2.1, to the letter, over leaves D: what it calls D[a:b] is a pair of numbers here. */
export class Reference {
  readonly #hashes = new Map<string, Uint8Array>();

  constructor(readonly leaves: readonly Uint8Array[]) {}

  /** MTH(D[start:end]). */
  root(start: number, end: number): Uint8Array {
    if (end === start) return sha256();
    const name = `${start}:${end}`;
    let hash = this.#hashes.get(name);
    if (hash === undefined) {
      const k = split(end - start);
      hash = end - start === 1
        ? sha256(Uint8Array.of(0), this.leaves[start])
        : sha256(Uint8Array.of(1), this.root(start, start + k), this.root(start + k, end));
      this.#hashes.set(name, hash);
    }
    return hash;
  }

  /** PATH(m, D[start:end]). */
  path(m: number, start: number, end: number): Uint8Array[] {
    if (end - start === 1) return [];
    const k = split(end - start);
    return m < k
      ? [...this.path(m, start, start + k), this.root(start + k, end)]
      : [...this.path(m - k, start + k, end), this.root(start, start + k)];
  }

  /** SUBPROOF(m, D[start:end], b): PROOF(m, D[n]) is SUBPROOF(m, D[n], true). */
  subproof(m: number, start: number, end: number, b: boolean): Uint8Array[] {
    if (m === end - start) return b ? [] : [this.root(start, end)];
    const k = split(end - start);
    return m <= k
      ? [...this.subproof(m, start, start + k, b), this.root(start + k, end)]
      : [...this.subproof(m - k, start + k, end, false), this.root(start, start + k)];
  }

  /** The stored hashes of a log with this number of leaves; others throw. */
  reader(size: number): HashReader {
    return (level, index) => {
      const [start, end] = [index * 2 ** level, (index + 1) * 2 ** level];
      assert(Number.isInteger(index) && end <= size, `the subtree ${level}/${index} of a tree of size ${size}`);
      return this.root(start, end);
    };
  }
}

/** Leaves with their numbers in them. */
export function numbered(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new TextEncoder().encode(`leaf ${i}`));
}

/** Asserts that something is refused, with this code. */
export function assertRefused(
  code: "bad-checkpoint" | "bad-key" | "bad-proof" | undefined,
  refused: () => unknown,
  what?: string,
): void {
  let error: unknown;
  try {
    refused();
  } catch (thrown) {
    error = thrown;
  }
  assert(error instanceof ProofError, `${what ?? refused}: ${error ?? "accepted"}`);
  if (code !== undefined) assertEquals(error.code, code, what);
}

/** Copies of bytes, each with another bit changed. */
export function* bitFlips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const copy = bytes.slice();
    copy[bit >> 3] ^= 1 << (bit & 7);
    yield copy;
  }
}

/** The texts that result when one bit of a text's UTF-8 changes. */
export function* textFlips(text: string): Generator<string> {
  for (const bytes of bitFlips(new TextEncoder().encode(text))) yield new TextDecoder().decode(bytes);
}

function split(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
