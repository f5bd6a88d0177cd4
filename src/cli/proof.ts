/**
 * `mnema checkpoint`, `prove`, `consistency`, `verify` and `vkey`.
 *
 * The modules behind them are loaded here and not before, so that help stays quick.
 *
 * @module
 */

import { counted } from "../text.ts";
import { type Command, type Input, type OptionSpec, UsageError } from "./command.ts";
import { readText, writeNew } from "./files.ts";
import { unlisted } from "./listed.ts";
import { loadIdentity, openToAppend, openToDerive } from "./open.ts";
import type { Output } from "./output.ts";

const ORIGIN: Record<string, OptionSpec> = {
  origin: { value: "NAME", help: "the log's name in checkpoints (default: mnema/ and the author id)" },
};
const OUT: Record<string, OptionSpec> = {
  out: { value: "FILE", help: "write it to FILE, which must not exist" },
};

/** Signs a checkpoint. */
export const checkpoint: Command = {
  args: "",
  summary: "Signs how many operations there are, and what they are.",
  details:
    `Whoever holds the checkpoint can later tell whether anything before it was changed. It is kept in the log, too;
nothing is signed that is inconsistent with what was signed before.`,
  options: { ...OUT, ...ORIGIN },
  example: "checkpoint --out monday.checkpoint",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const identity = await loadIdentity(input);
    using log = await openToAppend(input);
    give(log.checkpoint(identity, { origin: input.value("origin") }), "checkpoint", input, output);
  },
};

/** Prints the verifier key. */
export const vkey: Command = {
  args: "",
  summary: "Prints the key that others check your checkpoints and proofs with.",
  options: ORIGIN,
  example: "vkey",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const { verifierKey } = await import("../proof/checkpoint.ts");
    const key = verifierKey((await loadIdentity(input)).author, input.value("origin"));
    output.line(output.json ? JSON.stringify({ vkey: key }) : key);
  },
};

/** Proves inclusion. */
export const prove: Command = {
  args: "ID",
  summary: "Proves that the log held an operation when a checkpoint was signed.",
  details: `The proof holds the checkpoint; together with the operation and the verifier key it can be checked anywhere,
without the log. An id may be abbreviated.`,
  options: {
    checkpoint: { value: "FILE", help: "the checkpoint (default: the largest that was signed)" },
    ...OUT,
  },
  example: "prove op_5b96 --out tea.proof",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    const path = input.value("checkpoint");
    const signed = path === undefined ? undefined : await readText(path);
    using log = await openToDerive(input);
    give(log.prove(log.resolve(input.args[0]), signed), "proof", input, output);
  },
};

/** Proves consistency. */
export const consistency: Command = {
  args: "OLD [NEW]",
  summary: "Proves that the log of one checkpoint is the beginning of another's.",
  details: "OLD and NEW are files with checkpoints. Without NEW, the largest that was signed is taken.",
  options: OUT,
  example: "consistency monday.checkpoint",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 2);
    const [old, newer] = await Promise.all(input.args.map((path) => readText(path)));
    using log = await openToDerive(input);
    give(log.proveConsistency(old, newer), "proof", input, output);
  },
};

/** Checks a proof. */
export const verify: Command = {
  args: "PROOF",
  summary: "Checks a proof or a checkpoint; needs no log.",
  details:
    `PROOF is a file with an inclusion proof, a consistency proof or a checkpoint (- is standard input). Of an inclusion
proof, --op is the operation, as mnema show --wire prints it; a line of mnema export, log --json or show --json will do
as well. The exit code is 1 when it does not hold.`,
  options: {
    op: { value: "FILE", help: "the operation that the proof is about (- is standard input)" },
    key: { value: "VKEY", help: "the verifier key that mnema vkey prints, or a file with it" },
  },
  example: 'verify monday.checkpoint --key "$(mnema vkey)"',
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    const key = input.value("key");
    if (key === undefined) throw new UsageError("--key is missing: the verifier key, as mnema vkey prints it");
    const [proof, vkey] = [await readText(input.args[0]), key.includes("+") ? key : (await readText(key)).trim()];
    const [{ verifyCheckpoint }, { verifyConsistency }, { verifyInclusion }] = await Promise.all([
      import("../proof/checkpoint.ts"),
      import("../proof/consistency.ts"),
      import("../proof/inclusion.ts"),
    ]);
    const op = input.value("op");
    if (proof.startsWith("c2sp.org/tlog-proof@")) {
      if (op === undefined) {
        throw new UsageError(
          "--op is missing: a file with the operation that the proof is about, as mnema show --wire prints it",
        );
      }
      const wire = unlisted((await readText(op)).replace(/\r?\n$/, ""));
      // The proof vouches for bytes; that they are an operation, and whose, is for these to tell.
      const { Operation } = await import("../wire/operation.ts");
      const operation = Operation.parse(wire);
      operation.verify();
      const { index, size, origin } = verifyInclusion(proof, wire, vkey);
      const found = { holds: "inclusion", origin, size, index, op_id: operation.opId, author: operation.author };
      report(found, `operation ${operation.opId} is number ${index + 1} of ${size} in ${origin}`, output);
    } else if (op !== undefined) {
      throw new UsageError(`--op goes with an inclusion proof, and ${input.args[0]} holds none`);
    } else if (proof.startsWith("consistency@")) {
      const { old, new: newer } = verifyConsistency(proof, vkey);
      const found = { holds: "consistency", origin: newer.origin, from: old.size, size: newer.size };
      report(
        found,
        `the first ${old.size} of ${newer.size} operations in ${newer.origin} are the same in both`,
        output,
      );
    } else {
      const { origin, size, root } = verifyCheckpoint(proof, vkey);
      const found = { holds: "checkpoint", origin, size, root: root.toBase64() };
      report(
        found,
        `the checkpoint of ${counted(size, "operation")} in ${origin} is signed by its key`,
        output,
      );
    }
  },
};

function report(found: Record<string, unknown>, sentence: string, output: Output): void {
  if (output.json) output.data(JSON.stringify(found));
  else output.line(sentence);
}

/** Writes a checkpoint or a proof as it is: to a file, or as the result. */
function give(text: string, what: string, input: Input, output: Output): void {
  const path = input.value("out");
  if (path === undefined) return output.data(output.json ? JSON.stringify({ [what]: text }) : text.trimEnd());
  writeNew(path, [text]);
  if (output.json) output.data(JSON.stringify({ file: path }));
  else output.line(`wrote ${path}`);
}
