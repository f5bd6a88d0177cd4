/**
 * Verifier keys, checkpoints and proofs: what verifies is true of the one log that there is, whose operations are known.
 *
 * @module
 */

import { ProofError } from "../../../../mod.ts";
import { verifierKey, verifyCheckpoint, verifyConsistency, verifyInclusion } from "../../../../proof.ts";
import { parseCheckpoint, signCheckpoint } from "../../../../src/tlog/checkpoint.ts";
import { formatConsistencyProof, parseConsistencyProof } from "../../../../src/tlog/consistency.ts";
import { formatInclusionProof, parseInclusionProof } from "../../../../src/tlog/inclusion.ts";
import { consistencyProof, inclusionProof, treeRoot } from "../../../../src/tlog/merkle.ts";
import { formatVerifierKey, parseVerifierKey, signNote } from "../../../../src/tlog/note.ts";
import { alice, bob } from "../../../operations.ts";
import { numbered, Reference } from "../../../tlog/reference.ts";
import { attempt, bytesOf, require, type Target, textOf } from "../target.ts";

const ORIGIN = "example.org/log";
const SIZES = [0, 1, 2, 7, 8, 21];

const tree = new Reference(numbered(21));
const vkey = verifierKey(alice.author, ORIGIN);
const checkpoint = (size: number) => signCheckpoint({ size, root: treeRoot(size, tree.reader(size)) }, alice, ORIGIN);

function inclusion(index: number, size: number, extra?: Uint8Array): string {
  const hashes = inclusionProof(index, size, tree.reader(size));
  return formatInclusionProof({ index, hashes, checkpoint: checkpoint(size), extra });
}

function consistency(old: number, size: number): string {
  const hashes = consistencyProof(old, size, tree.reader(size));
  return formatConsistencyProof({ old: checkpoint(old), new: checkpoint(size), hashes });
}

/** Whether a checkpoint is of this log. */
function isTrue({ size, root }: { size: number; root: Uint8Array }): boolean {
  return SIZES.includes(size) && root.toHex() === tree.root(0, size).toHex();
}

export const target: Target = {
  start: () => ({
    seeds: [
      vkey,
      verifierKey(bob.author, "other"),
      ...SIZES.map(checkpoint),
      checkpoint(7) + checkpoint(7).split("\n\n")[1],
      signNote(`${ORIGIN}\n2\n${tree.root(0, 2).toBase64()}\nextension\n`, ORIGIN, alice),
      signNote(`${ORIGIN}\n2\n${tree.root(0, 3).toBase64()}\n`, ORIGIN, bob),
      inclusion(0, 1),
      inclusion(5, 7),
      inclusion(20, 21, Uint8Array.of(1, 2)),
      consistency(0, 7),
      consistency(7, 7),
      consistency(8, 21),
      consistency(7, 21),
    ].map(bytesOf),
    tokens: [
      "c2sp.org/tlog-proof@v1\n",
      "consistency@v1\n",
      "index 5\n",
      "extra AQI=\n",
      `${ORIGIN}\n`,
      "— ",
      "\n\n",
      "+",
      ...SIZES.map((size) => `${tree.root(0, size).toBase64()}\n`),
      ...tree.leaves.slice(0, 8).map((_, n) => `${tree.root(n, n + 1).toBase64()}\n`),
      checkpoint(8).split("\n\n")[1],
    ],
    run(input) {
      const text = textOf(input);
      const key = attempt(() => parseVerifierKey(text), "bad-key").value;
      if (key !== undefined) {
        const written = formatVerifierKey(key);
        require(written.toLowerCase() === text.toLowerCase(), "a verifier key is written as it was read");
        require(parseVerifierKey(written).id === key.id, "it is read again");
      }
      const stated = attempt(() => parseCheckpoint(text), "bad-checkpoint").value;
      const verified = attempt(() => verifyCheckpoint(text, vkey), "bad-checkpoint");
      if (verified.error === undefined) {
        require(isTrue(verified.value), "a checkpoint that verifies is of this log");
        require(stated?.size === verified.value.size, "both readers of checkpoints read the same");
      } else require(verified.error instanceof ProofError, "an error of a checkpoint is a ProofError");

      const included = attempt(() => parseInclusionProof(text), "bad-proof").value;
      if (included !== undefined) {
        require(formatInclusionProof(included) === text, "a proof is written as it was read");
        for (const leaf of [included.index, 0, 20]) {
          const wire = tree.leaves[leaf] ?? new Uint8Array();
          const { value } = attempt(() => verifyInclusion(text, wire, vkey), "bad-proof", "bad-checkpoint");
          if (value === undefined) continue;
          require(isTrue(value) && value.index === leaf && leaf < value.size, "an operation that is proven is there");
        }
      }
      const consistent = attempt(() => parseConsistencyProof(text), "bad-proof").value;
      if (consistent === undefined) return;
      require(formatConsistencyProof(consistent) === text, "a proof is written as it was read");
      const { value } = attempt(() => verifyConsistency(text, vkey), "bad-proof", "bad-checkpoint");
      if (value === undefined) return;
      require(isTrue(value.old) && isTrue(value.new), "checkpoints that are consistent are of this log");
      require(value.old.size <= value.new.size, "the older one is not larger");
    },
  }),
};
