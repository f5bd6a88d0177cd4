import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LogError } from "../../mod.ts";
import {
  consistencyProof,
  type HashReader,
  inclusionProof,
  leafHash,
  nodeHash,
  rootFromInclusion,
  rootsFromConsistency,
  treeRoot,
} from "../../src/tlog/merkle.ts";
import { textLeafHash } from "../../src/log/leaf.ts";
import { vectorLines } from "../operations.ts";
import { readVectors } from "../vectors.ts";
import { assertRefused, bitFlips, numbered, Reference } from "./reference.ts";
import { runs, sample } from "../runs.ts";

interface MerkleVectors {
  roots: Record<string, string>;
  inclusion: { size: number; index: number; proof: string[] }[];
  consistency: { old: number; new: number; proof: string[] }[];
}

const vectors = readVectors<MerkleVectors>("merkle.json");
const vectorTree = new Reference(vectorLines().map((line) => new TextEncoder().encode(line)));
const tree = new Reference(numbered(300));
const MAX_SIZE = Number.MAX_SAFE_INTEGER;

function base64(hashes: readonly Uint8Array[]): string[] {
  return hashes.map((hash) => hash.toBase64());
}

/** Counts the reads. */
function counted(read: HashReader): { read: HashReader; count: number } {
  const counter = {
    count: 0,
    read: (level: number, index: number) => {
      counter.count++;
      return read(level, index);
    },
  };
  return counter;
}

Deno.test("the roots of the prefixes of log.jsonl are those of merkle.json", () => {
  for (const [size, root] of Object.entries(vectors.roots)) {
    assertEquals(treeRoot(Number(size), vectorTree.reader(Number(size))).toBase64(), root, size);
  }
});

Deno.test("inclusion proofs are those of merkle.json, and lead to its roots", () => {
  for (const { size, index, proof } of vectors.inclusion) {
    assertEquals(base64(inclusionProof(index, size, vectorTree.reader(size))), proof);
    const hashes = proof.map((hash) => Uint8Array.fromBase64(hash));
    const root = rootFromInclusion(index, size, leafHash(vectorTree.leaves[index]), hashes);
    assertEquals(root.toBase64(), vectors.roots[size], `leaf ${index} of ${size}`);
  }
});

Deno.test("consistency proofs are those of merkle.json, and lead to its roots", () => {
  for (const { old, new: size, proof } of vectors.consistency) {
    assertEquals(base64(consistencyProof(old, size, vectorTree.reader(size))), proof);
    const hashes = proof.map((hash) => Uint8Array.fromBase64(hash));
    const roots = rootsFromConsistency(old, Uint8Array.fromBase64(vectors.roots[old]), size, hashes);
    assertEquals(
      base64([roots.oldRoot, roots.newRoot]),
      [vectors.roots[old], vectors.roots[size]],
      `${old} in ${size}`,
    );
  }
});

Deno.test("the hashes of a leaf and a node are RFC 6962's, also of subarrays", () => {
  const bytes = new Uint8Array(100_000).map((_, i) => i % 251);
  const reference = new Reference([bytes.subarray(0, 70_000), bytes.subarray(5, 6), bytes.subarray(9, 9)]);
  for (const [i, leaf] of reference.leaves.entries()) assertEquals(leafHash(leaf), reference.root(i, i + 1));
  const [left, right] = [reference.root(0, 1), reference.root(1, 2)];
  const padded = new Uint8Array([7, ...right, 7]);
  const parent = nodeHash(left, padded.subarray(1, 33));
  assertEquals(parent, reference.root(0, 2));
  nodeHash(right, left);
  assertEquals(parent, reference.root(0, 2), "a hash is not written over by the next");
});

Deno.test("the root of every size up to 300 is RFC 6962's", () => {
  for (let size = 0; size <= 300; size++) assertEquals(treeRoot(size, tree.reader(size)), tree.root(0, size));
});

const SIZES = sample(Array.from({ length: 300 }, (_, i) => i + 1));

Deno.test("every inclusion proof in every size up to 300 is RFC 6962's, and leads to the root", () => {
  for (const size of SIZES) {
    const read = tree.reader(size);
    for (let index = 0; index < size; index++) {
      const hashes = inclusionProof(index, size, read);
      assertEquals(base64(hashes), base64(tree.path(index, 0, size)));
      assertEquals(
        rootFromInclusion(index, size, tree.root(index, index + 1), hashes).toHex(),
        tree.root(0, size).toHex(),
      );
    }
  }
});

Deno.test("every consistency proof between sizes up to 300 is RFC 6962's, and leads to both roots", () => {
  for (const size of SIZES) {
    const read = tree.reader(size);
    assertEquals(consistencyProof(0, size, read), []);
    for (let old = 1; old <= size; old++) {
      const hashes = consistencyProof(old, size, read);
      assertEquals(base64(hashes), base64(tree.subproof(old, 0, size, true)));
      const roots = rootsFromConsistency(old, tree.root(0, old), size, hashes);
      assertEquals([roots.oldRoot.toHex(), roots.newRoot.toHex()], [
        tree.root(0, old).toHex(),
        tree.root(0, size).toHex(),
      ]);
    }
  }
});

/** In a tree whose leaves are all the same, so are all subtrees of a level: it can be of any size. */
const uniform: Uint8Array[] = [leafHash(new Uint8Array())];
while (uniform.length < 53) uniform.push(nodeHash(uniform.at(-1)!, uniform.at(-1)!));

function uniformReader(size: number): HashReader {
  return (level, index) => {
    assert(Number.isInteger(index) && index >= 0 && BigInt(index + 1) * 2n ** BigInt(level) <= BigInt(size));
    return uniform[level];
  };
}

/** Sizes around powers of two, where arithmetic of 32 bits, or logarithms in floating point, go wrong. */
const bigSize = fc.oneof(
  fc.integer({ min: 1, max: MAX_SIZE }),
  fc.tuple(fc.integer({ min: 1, max: 52 }), fc.integer({ min: -1, max: 1 })).map(([power, by]) => 2 ** power + by),
  fc.constant(MAX_SIZE),
);

Deno.test("roots and proofs of trees of up to 2^53-1 leaves agree, with a bounded number of reads", () => {
  fc.assert(
    fc.property(bigSize, fc.nat({ max: MAX_SIZE }), fc.nat({ max: MAX_SIZE }), (size, a, b) => {
      const [index, old] = [a % size, b % size + 1];
      const read = uniformReader(size);
      const root = treeRoot(size, read).toHex();

      const inclusion = counted(read);
      const path = inclusionProof(index, size, inclusion.read);
      assertEquals(rootFromInclusion(index, size, uniform[0], path).toHex(), root);
      const consistency = counted(read);
      const hashes = consistencyProof(old, size, consistency.read);
      const oldRoot = treeRoot(old, read);
      const roots = rootsFromConsistency(old, oldRoot, size, hashes);
      assertEquals([roots.oldRoot.toHex(), roots.newRoot.toHex()], [oldRoot.toHex(), root]);

      assert(path.length <= 53 && hashes.length <= 54);
      assert(inclusion.count <= 105 && consistency.count <= 106, `${inclusion.count}, ${consistency.count}`);
    }),
    { numRuns: runs(1000), examples: [[MAX_SIZE, 0, MAX_SIZE - 1], [MAX_SIZE, MAX_SIZE - 1, MAX_SIZE - 2], [1, 0, 0]] },
  );
});

Deno.test("one flipped bit, in a leaf, a root or a proof, leads to another root", () => {
  const size = 13;
  const read = tree.reader(size);
  const root = tree.root(0, size).toHex();
  for (let index = 0; index < size; index++) {
    const hashes = inclusionProof(index, size, read);
    const leaf = tree.root(index, index + 1);
    for (const flipped of bitFlips(leaf)) assert(rootFromInclusion(index, size, flipped, hashes).toHex() !== root);
    for (const changed of flippedProofs(hashes)) {
      assert(rootFromInclusion(index, size, leaf, changed).toHex() !== root);
    }
  }
  for (let old = 1; old < size; old++) {
    const hashes = consistencyProof(old, size, read);
    const oldRoot = tree.root(0, old);
    const fits = (proof: readonly Uint8Array[], from = oldRoot) => {
      const roots = rootsFromConsistency(old, from, size, proof);
      return roots.oldRoot.toHex() === oldRoot.toHex() && roots.newRoot.toHex() === root;
    };
    assert(fits(hashes));
    for (const changed of flippedProofs(hashes)) assert(!fits(changed));
  }
});

function* flippedProofs(hashes: readonly Uint8Array[]): Generator<Uint8Array[]> {
  for (const [i, hash] of hashes.entries()) {
    for (const flipped of bitFlips(hash)) yield hashes.with(i, flipped);
  }
}

Deno.test("a proof leads to the root only from its leaf and between its sizes", () => {
  const size = 13;
  const root = tree.root(0, size).toHex();
  for (let index = 0; index < size; index++) {
    const hashes = inclusionProof(index, size, tree.reader(size));
    for (let other = 0; other < size; other++) {
      if (other === index) continue;
      assert(leadsElsewhere(() => rootFromInclusion(other, size, tree.root(index, index + 1), hashes), root));
    }
  }
  for (let old = 1; old < size; old++) {
    const hashes = consistencyProof(old, size, tree.reader(size));
    for (let other = 1; other < size; other++) {
      if (other === old) continue;
      const otherRoot = tree.root(0, other);
      assert(leadsElsewhere(() => {
        const roots = rootsFromConsistency(other, otherRoot, size, hashes);
        return roots.oldRoot.toHex() === otherRoot.toHex() ? roots.newRoot : roots.oldRoot;
      }, root));
    }
  }
});

function leadsElsewhere(lead: () => Uint8Array, root: string): boolean {
  try {
    return lead().toHex() !== root;
  } catch (error) {
    assert(error instanceof LogError);
    return true;
  }
}

Deno.test("a proof with too few hashes, too many, or hashes of another length is refused", () => {
  const hash = tree.root(0, 1);
  for (let size = 1; size <= 20; size++) {
    for (let index = 0; index < size; index++) {
      const hashes = inclusionProof(index, size, tree.reader(size));
      const lead = (proof: Uint8Array[]) => rootFromInclusion(index, size, hash, proof);
      for (const proof of badLengths(hashes, hash)) assertRefused("bad-proof", () => lead(proof));
      const old = index + 1;
      const between = consistencyProof(old, size, tree.reader(size));
      const leadBetween = (proof: Uint8Array[]) => rootsFromConsistency(old, tree.root(0, old), size, proof);
      for (const proof of badLengths(between, hash)) assertRefused("bad-proof", () => leadBetween(proof));
    }
  }
  assertRefused("bad-proof", () => rootFromInclusion(0, 1, hash.slice(1), []));
  assertRefused("bad-proof", () => rootsFromConsistency(1, new Uint8Array(), 1, []));
});

function badLengths(hashes: Uint8Array[], hash: Uint8Array): Uint8Array[][] {
  const shorter = hashes.map((_, i) => [hashes.toSpliced(i, 1), hashes.with(i, hashes[i].slice(1))]).flat();
  return [[...hashes, hash], [hash, ...hashes], ...shorter];
}

Deno.test("an index beyond the tree, and an older tree that is larger, are refused", () => {
  const hash = tree.root(0, 1);
  for (const [index, size] of [[0, 0], [1, 1], [5, 4], [-1, 4], [0.5, 4], [NaN, 4], [0, Infinity], [0, 2 ** 53]]) {
    assertRefused("bad-proof", () => rootFromInclusion(index, size, hash, []), `leaf ${index} of ${size}`);
    assertThrows(() => inclusionProof(index, size, () => hash), LogError);
  }
  for (const [old, size] of [[2, 1], [-1, 1], [0.5, 1], [1, 2 ** 53], [NaN, 1], [1, NaN]]) {
    assertRefused("bad-proof", () => rootsFromConsistency(old, hash, size, []), `${old} in ${size}`);
    assertThrows(() => consistencyProof(old, size, () => hash), LogError);
  }
  for (let count = 0; count < 8; count++) {
    const hashes = Array.from({ length: count }, () => hash);
    for (const [old, size] of [[0, 1], [2, 1], [5, 4], [9, 4]]) {
      assertRefused("bad-proof", () => rootsFromConsistency(old, hash, size, hashes), `${old} in ${size}`);
    }
  }
  for (const size of [-1, 0.5, NaN, 2 ** 53]) assertThrows(() => treeRoot(size, () => hash), LogError);
});

Deno.test("the leaf hash of a text is that of its bytes, for any length and script", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 5000, size: "max" }), (text) => {
    assertEquals(textLeafHash(text), leafHash(new TextEncoder().encode(text)));
  }));
});
