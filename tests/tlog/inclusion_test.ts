import { assert, assertEquals } from "@std/assert";
import { verifierKey, verifyInclusion } from "../../proof.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { formatInclusionProof, parseInclusionProof } from "../../src/tlog/inclusion.ts";
import { equalHashes, inclusionProof, leafHash, rootFromInclusion, treeRoot } from "../../src/tlog/merkle.ts";
import { alice, bob, vectorLines } from "../operations.ts";
import { assertRefused, bitFlips, numbered, Reference, textFlips } from "./reference.ts";
import { sample } from "../runs.ts";

const lines = vectorLines();
const origin = "example.org/log";
const vkey = verifierKey(alice.author, origin);
const log = new Reference(lines.map((line) => new TextEncoder().encode(line)));
/** A small log, whose leaves are short. */
const small = new Reference(numbered(7));

function checkpoint(size: number, tree = log, signer = alice): string {
  return signCheckpoint({ size, root: treeRoot(size, tree.reader(size)) }, signer, origin);
}

function proofOf(index: number, size: number, tree = log): string {
  const hashes = inclusionProof(index, size, tree.reader(size));
  return formatInclusionProof({ index, hashes, checkpoint: checkpoint(size, tree) });
}

Deno.test("an inclusion proof is a c2sp.org/tlog-proof, byte for byte", () => {
  const hashes = log.path(2, 0, 5);
  assertEquals(
    proofOf(2, 5),
    "c2sp.org/tlog-proof@v1\nindex 2\n" + hashes.map((hash) => hash.toBase64() + "\n").join("") + "\n" + checkpoint(5),
  );
  assertEquals(proofOf(0, 1), "c2sp.org/tlog-proof@v1\nindex 0\n\n" + checkpoint(1));
  assertEquals(parseInclusionProof(proofOf(2, 5)), { index: 2, hashes, checkpoint: checkpoint(5) });
});

Deno.test("the proof of an operation verifies, with its index", () => {
  for (const [index, size] of [[0, 1], [0, 2], [1, 2], [6, 7], [500, 1000], [999, 1000], [0, 1000]]) {
    const proof = proofOf(index, size);
    const { text, ...shown } = verifyInclusion(proof, lines[index], vkey);
    assertEquals(shown, { origin, size, root: log.root(0, size), index });
    assertEquals(text, checkpoint(size));
    assertEquals(verifyInclusion(proof, log.leaves[index], vkey).index, index, "bytes prove the same");
  }
});

Deno.test("a proof of another operation, or of another index, is refused", () => {
  const proof = proofOf(2, 7);
  for (const [index, line] of lines.slice(0, 10).entries()) {
    if (index !== 2) assertRefused("bad-proof", () => verifyInclusion(proof, line, vkey));
  }
  for (const index of [0, 1, 3, 4, 5, 6, 7, 8, 2 ** 53 - 1]) {
    const moved = proof.replace("index 2\n", `index ${index}\n`);
    assertRefused("bad-proof", () => verifyInclusion(moved, lines[2], vkey), `${index}`);
  }
  // A node of the tree is no leaf: its hash is made in another way.
  const node = new Uint8Array([...log.root(0, 1), ...log.root(1, 2)]);
  const shorter = formatInclusionProof({ index: 0, hashes: [], checkpoint: checkpoint(2) });
  assertRefused("bad-proof", () => verifyInclusion(shorter, node, vkey));
});

Deno.test("a proof with the checkpoint of another size, tree or signer is refused", () => {
  const hashes = log.path(2, 0, 7);
  const withCheckpoint = (text: string) => formatInclusionProof({ index: 2, hashes, checkpoint: text });
  assertEquals(verifyInclusion(withCheckpoint(checkpoint(7)), lines[2], vkey).size, 7);
  for (const size of [0, 2, 3, 6, 8, 1000]) {
    assertRefused("bad-proof", () => verifyInclusion(withCheckpoint(checkpoint(size)), lines[2], vkey), `${size}`);
  }
  assertRefused("bad-proof", () => verifyInclusion(withCheckpoint(checkpoint(7, small)), lines[2], vkey));
  assertRefused("bad-checkpoint", () => verifyInclusion(withCheckpoint(checkpoint(7, log, bob)), lines[2], vkey));
  assertRefused("bad-checkpoint", () => verifyInclusion(proofOf(2, 7), lines[2], verifierKey(bob.author, origin)));
  assertRefused("bad-checkpoint", () => verifyInclusion(proofOf(2, 7), lines[2], vkey, "another"));
  assertRefused("bad-key", () => verifyInclusion(proofOf(2, 7), lines[2], ""));
});

Deno.test("every flipped bit of a proof is refused", () => {
  const [index, size] = [4, 7];
  const proof = proofOf(index, size, small);
  assertEquals(verifyInclusion(proof, small.leaves[index], vkey).index, index);
  for (const flip of sample([...textFlips(proof)])) {
    assertRefused(undefined, () => verifyInclusion(flip, small.leaves[index], vkey), JSON.stringify(flip));
  }
});

Deno.test("every flipped bit and truncation of an operation is refused", () => {
  const hashes = log.path(4, 0, 7);
  const proof = proofOf(4, 7);
  const wire = log.leaves[4];
  const changed = [...bitFlips(wire), ...Array.from(wire, (_, end) => wire.slice(0, end))];
  for (const [i, bytes] of changed.entries()) {
    assert(!equalHashes(rootFromInclusion(4, 7, leafHash(bytes), hashes), log.root(0, 7)));
    // To check the signature each time as well would take seconds.
    if (i % 20 === 0) assertRefused("bad-proof", () => verifyInclusion(proof, bytes, vkey));
  }
  assertRefused("bad-proof", () => verifyInclusion(proof, lines[4] + "\n", vkey));
  assertRefused("bad-proof", () => verifyInclusion(proof, " " + lines[4], vkey));
});

Deno.test("every truncation and extension of a proof is refused", () => {
  const proof = proofOf(4, 7, small);
  const refuses = (text: string) =>
    assertRefused(undefined, () => verifyInclusion(text, small.leaves[4], vkey), JSON.stringify(text));
  for (let end = 0; end < proof.length; end++) refuses(proof.slice(0, end));
  for (let start = 1; start < proof.length; start++) refuses(proof.slice(start));
  for (const more of ["\n", "\n\n", " ", "x\n", proof]) {
    refuses(proof + more);
    refuses(more + proof);
  }
});

Deno.test("a malformed proof is refused, even with a valid checkpoint", () => {
  const hash = small.root(1, 2).toBase64();
  const good = ["c2sp.org/tlog-proof@v1", "index 0", hash];
  const proof = (...head: string[]) => [...head, "", checkpoint(2, small)].join("\n");
  const verify = (text: string) => verifyInclusion(text, small.leaves[0], vkey);
  assertEquals(verify(proof(...good)).index, 0);
  const index = (line: string) => good.with(1, line);
  const bad = [
    good.slice(1),
    good.with(0, "c2sp.org/tlog-proof@v2"),
    good.with(0, "c2sp.org/tlog-proof@v1 "),
    good.with(0, "C2SP.org/tlog-proof@v1"),
    ["", ...good],
    [good[0], "", ...good.slice(1)],
    [good[0], hash],
    [good[0]],
    [good[0], hash, "index 0"],
    ...["index", "index ", "index 00", "index -0", "index +0", "index  0", "index 0 ", "Index 0", "index\t0"].map(
      index,
    ),
    ...["index 0x0", "index 0.0", "index 0e0", "index ٠", "index 9007199254740992", "index 1"].map(index),
    good.slice(0, 2),
    [...good, hash],
    good.with(2, hash + "="),
    good.with(2, hash.slice(0, -1)),
    good.with(2, hash + " "),
    good.with(2, " " + hash),
    good.with(2, hash + "\r"),
    good.with(2, small.root(1, 2).toHex()),
    good.with(2, small.root(1, 2).slice(1).toBase64()),
    good.with(2, small.root(1, 2).toBase64({ omitPadding: true })),
    [...good, "index 0"],
    [...good, "extra AAAA"],
    [good[0], "extra AAAA", "extra AAAA", ...good.slice(1)],
    [good[0], "extra", ...good.slice(1)],
    [good[0], "extra ", ...good.slice(1)],
    [good[0], "extra AAA", ...good.slice(1)],
    [good[0], "extra AA AA", ...good.slice(1)],
    [good[0], "extra !", ...good.slice(1)],
    [good[0], "Extra AAAA", ...good.slice(1)],
  ];
  for (const head of bad) assertRefused("bad-proof", () => verify(proof(...head)), head.join("|"));
  assertRefused("bad-proof", () => verify(good.join("\n")));
  assertRefused("bad-proof", () => verify(proof(...good).replaceAll("\n", "\r\n")));
});

Deno.test("extra data round-trips, and is not authenticated", () => {
  const extra = new TextEncoder().encode("anything");
  const parts = { index: 3, hashes: log.path(3, 0, 9), checkpoint: checkpoint(9), extra };
  const proof = formatInclusionProof(parts);
  assert(proof.startsWith("c2sp.org/tlog-proof@v1\nextra YW55dGhpbmc=\nindex 3\n"));
  assertEquals(parseInclusionProof(proof), parts);
  assertEquals(verifyInclusion(proof, lines[3], vkey), verifyInclusion(proofOf(3, 9), lines[3], vkey));
});

Deno.test("a wire text with a lone surrogate is refused", () => {
  const tree = new Reference([new TextEncoder().encode('{"a":"\ufffd"}')]);
  const proof = proofOf(0, 1, tree);
  assertEquals(verifyInclusion(proof, '{"a":"\ufffd"}', vkey).index, 0);
  assertRefused("bad-proof", () => verifyInclusion(proof, '{"a":"\ud800"}', vkey));
});
