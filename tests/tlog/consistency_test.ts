import { assertEquals } from "@std/assert";
import { checkConsistency, verifierKey, verifyConsistency } from "../../proof.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { formatConsistencyProof, parseConsistencyProof } from "../../src/tlog/consistency.ts";
import { consistencyProof, treeRoot } from "../../src/tlog/merkle.ts";
import { signNote } from "../../src/tlog/note.ts";
import { alice, bob } from "../operations.ts";
import { assertRefused, bitFlips, numbered, Reference, textFlips } from "./reference.ts";
import { sample } from "../runs.ts";

const origin = "example.org/log";
const vkey = verifierKey(alice.author, origin);
const log = new Reference(numbered(40));
/** The same log, but for one leaf. */
const forged = new Reference(log.leaves.with(5, new TextEncoder().encode("leaf V")));

function checkpoint(size: number, tree = log, signer = alice): string {
  return signCheckpoint({ size, root: treeRoot(size, tree.reader(size)) }, signer, origin);
}

function proofOf(old: number, size: number, trees = [log, log]): string {
  const hashes = consistencyProof(old, size, trees[1].reader(size));
  return formatConsistencyProof({ old: checkpoint(old, trees[0]), new: checkpoint(size, trees[1]), hashes });
}

Deno.test("a consistency proof is a header, hashes, and two checkpoints, byte for byte", () => {
  const hashes = log.subproof(6, 0, 11, true);
  const proof = proofOf(6, 11);
  assertEquals(
    proof,
    "consistency@v1\n" + hashes.map((hash) => hash.toBase64() + "\n").join("") +
      "\n" + checkpoint(6) + "\n" + checkpoint(11),
  );
  assertEquals(parseConsistencyProof(proof), { old: checkpoint(6), new: checkpoint(11), hashes });
  assertEquals(proofOf(3, 3), `consistency@v1\n\n${checkpoint(3)}\n${checkpoint(3)}`);
});

Deno.test("proofs verify between all sizes up to 40", () => {
  for (let size = 0; size <= 40; size++) {
    for (const old of new Set([0, 1, size >> 1, size - 1, size])) {
      if (old < 0 || old > size) continue;
      const shown = verifyConsistency(proofOf(old, size), vkey);
      assertEquals(shown.old, { origin, size: old, root: log.root(0, old), text: checkpoint(old) });
      assertEquals(shown.new, { origin, size, root: log.root(0, size), text: checkpoint(size) });
    }
  }
});

Deno.test("proofs with witness signatures and extension lines verify", () => {
  const witness = `— witness.example ${new Uint8Array(76).fill(5).toBase64()}\n`;
  const extended = signNote(`${origin}\n9\n${log.root(0, 9).toBase64()}\nextension\n`, origin, alice) + witness;
  const hashes = consistencyProof(4, 9, log.reader(9));
  const parts = { old: checkpoint(4) + witness, new: extended, hashes };
  assertEquals(parseConsistencyProof(formatConsistencyProof(parts)), parts);
  assertEquals(verifyConsistency(formatConsistencyProof(parts), vkey).new.text, extended);
});

Deno.test("logs that differ before the older checkpoint are refused, later differences are not", () => {
  for (let size = 1; size <= 20; size++) {
    for (let old = 1; old <= size; old++) {
      if (old <= 5) verifyConsistency(proofOf(old, size, [log, forged]), vkey);
      else {
        assertRefused("bad-proof", () => verifyConsistency(proofOf(old, size, [log, forged]), vkey), `${old}, ${size}`);
        const hashes = consistencyProof(old, size, log.reader(size));
        const parts = { old: checkpoint(old, forged), new: checkpoint(size), hashes };
        assertRefused("bad-proof", () => verifyConsistency(formatConsistencyProof(parts), vkey), `${old}, ${size}`);
      }
    }
  }
});

Deno.test("checkpoints in the wrong order, of other sizes, or of another signer are refused", () => {
  const hashes = consistencyProof(4, 9, log.reader(9));
  const verify = (old: string, newer: string) =>
    verifyConsistency(formatConsistencyProof({ old, new: newer, hashes }), vkey);
  verify(checkpoint(4), checkpoint(9));
  assertRefused("bad-proof", () => verify(checkpoint(9), checkpoint(4)));
  for (const size of [0, 1, 2, 3, 5, 8, 9]) assertRefused("bad-proof", () => verify(checkpoint(size), checkpoint(9)));
  for (const size of [0, 4, 5, 8, 10, 16]) assertRefused("bad-proof", () => verify(checkpoint(4), checkpoint(size)));
  assertRefused("bad-checkpoint", () => verify(checkpoint(4, log, bob), checkpoint(9)));
  assertRefused("bad-checkpoint", () => verify(checkpoint(4), checkpoint(9, log, bob)));
  assertRefused("bad-checkpoint", () => verifyConsistency(proofOf(4, 9), vkey, "another"));
  assertRefused("bad-key", () => verifyConsistency(proofOf(4, 9), "another"));
});

Deno.test("every flipped bit, truncation and extension of a proof is refused", () => {
  const proof = proofOf(2, 3);
  const refuses = (text: string) => assertRefused(undefined, () => verifyConsistency(text, vkey), JSON.stringify(text));
  for (const flip of sample([...textFlips(proof)])) refuses(flip);
  for (let end = 0; end < proof.length; end++) refuses(proof.slice(0, end));
  for (let start = 1; start < proof.length; start++) refuses(proof.slice(start));
  for (const more of ["\n", "\n\n", " ", "x\n", checkpoint(4), "\n" + checkpoint(4)]) {
    refuses(proof + more);
    refuses(more + proof);
  }
});

Deno.test("a malformed proof is refused, even with valid checkpoints", () => {
  const hashes = log.subproof(3, 0, 4, true).map((hash) => hash.toBase64());
  const proof = (...head: string[]) => [...head, "", checkpoint(3), checkpoint(4)].join("\n");
  assertEquals(verifyConsistency(proof("consistency@v1", ...hashes), vkey).new.size, 4);
  const bad = [
    hashes,
    ["consistency@v2", ...hashes],
    ["consistency@v1", "", ...hashes],
    ["consistency@v1", ...hashes.slice(1)],
    ["consistency@v1", ...hashes.slice(0, -1)],
    ["consistency@v1", ...hashes.toReversed()],
    ["consistency@v1", ...hashes, hashes[0]],
    ["consistency@v1", ...hashes.with(1, hashes[1].slice(0, -1))],
    ["consistency@v1", ...hashes.with(1, hashes[1] + " ")],
    ["consistency@v1", ...hashes.with(1, "AAAA")],
  ];
  for (const head of bad) assertRefused("bad-proof", () => verifyConsistency(proof(...head), vkey), head.join("|"));
  assertRefused("bad-proof", () => verifyConsistency(proofOf(3, 4).replaceAll("\n", "\r\n"), vkey));
  assertRefused("bad-proof", () => verifyConsistency("", vkey));
});

Deno.test("checkConsistency checks roots and hashes, and refuses every flipped bit", () => {
  for (const [old, size] of [[1, 2], [3, 4], [6, 11], [8, 16], [5, 5]]) {
    const hashes = consistencyProof(old, size, log.reader(size));
    const [oldRoot, newRoot] = [log.root(0, old), log.root(0, size)];
    checkConsistency(old, oldRoot, size, newRoot, hashes);
    for (const flip of bitFlips(oldRoot)) {
      assertRefused("bad-proof", () => checkConsistency(old, flip, size, newRoot, hashes));
    }
    for (const flip of bitFlips(newRoot)) {
      assertRefused("bad-proof", () => checkConsistency(old, oldRoot, size, flip, hashes));
    }
    for (const [i, hash] of hashes.entries()) {
      for (const flip of bitFlips(hash)) {
        assertRefused("bad-proof", () => checkConsistency(old, oldRoot, size, newRoot, hashes.with(i, flip)));
      }
    }
    assertRefused("bad-proof", () => checkConsistency(old, oldRoot, size, newRoot, [...hashes, newRoot]));
    assertRefused("bad-proof", () => checkConsistency(old, oldRoot.slice(1), size, newRoot, hashes));
    assertRefused("bad-proof", () => checkConsistency(old, oldRoot, size, newRoot.slice(1), hashes));
    assertRefused("bad-proof", () => checkConsistency(old, oldRoot, size, new Uint8Array([...newRoot, 0]), hashes));
  }
});

Deno.test("the empty log is a prefix of every other, with a fixed root and no hashes", () => {
  const [empty, root] = [log.root(0, 0), log.root(0, 3)];
  checkConsistency(0, empty, 3, root, []);
  checkConsistency(0, empty, 0, empty, []);
  assertRefused("bad-proof", () => checkConsistency(0, root, 3, root, []));
  assertRefused("bad-proof", () => checkConsistency(0, empty, 0, root, []));
  assertRefused("bad-proof", () => checkConsistency(0, empty, 3, root, [root]));
  assertRefused("bad-proof", () => checkConsistency(3, root, 0, empty, []));
  for (const size of [-1, 0.5, NaN]) assertRefused("bad-proof", () => checkConsistency(0, empty, size, empty, []));
});
