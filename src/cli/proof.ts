/**
 * `mnema checkpoint`, `prove`, `consistency`, `verify` and `vkey`.
 *
 * Their modules are loaded by the commands, so that help stays quick.
 *
 * @module
 */

import { LogError, type LogErrorCode, NotFoundError } from "../errors.ts";
import { counted } from "../text.ts";
import { type Command, type Input, type OptionSpec, UsageError } from "./command.ts";
import { readText, writeNew } from "./files.ts";
import { unlisted } from "../render/listed.ts";
import { loadIdentity, openToAppend, openToDerive, openToRead } from "./open.ts";
import type { Output } from "./output.ts";
import { replaceAdvice } from "./sentence.ts";
import { readVerifierKey } from "./verifier_key.ts";

const SIGN = "sign one with: mnema checkpoint";
const AUDIT = "nothing was signed: to see what is wrong, run: mnema audit";
const ORIGIN: Record<string, OptionSpec> = {
  origin: { value: "NAME", help: "the log's name in checkpoints (default: the name in your last one, or a new name)" },
};
const OUT: Record<string, OptionSpec> = {
  out: { value: "FILE", help: "write it to FILE, which must not exist" },
};

/** Signs a checkpoint. */
export const checkpoint: Command = {
  args: "",
  summary: "Signs the number of operations and the root of their Merkle tree.",
  details:
    `With a checkpoint, anyone can later detect a change to the operations before it. It is also stored in the log; one
that is inconsistent with an earlier one is not signed. The log's name in it is chosen with your first checkpoint, and
stays the same. A copy of the file has the same name: give it a new name if you append to both.`,
  options: { ...OUT, ...ORIGIN, "new-name": { help: "choose a new name, which later checkpoints keep" } },
  example: "checkpoint --out monday.checkpoint",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const identity = await loadIdentity(input);
    const naming = { origin: input.value("origin"), newName: input.flag("new-name") };
    using log = await openToAppend(input);
    const text = orAdvise("not-a-log", AUDIT, () => log.proofs.checkpoint(identity, naming));
    give(text, "checkpoint", input, output);
  },
};

/** Prints the verifier key. */
export const vkey: Command = {
  args: "",
  summary: "Prints the key that verifies your checkpoints and proofs.",
  details: "The key contains the log's name in your checkpoints: sign one first, or give a name with --origin.",
  options: ORIGIN,
  example: "vkey",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const { author } = await loadIdentity(input);
    const key = await verifierKeyOf(author, input);
    output.line(output.json ? JSON.stringify({ vkey: key }) : key);
  },
};

async function verifierKeyOf(author: string, input: Input): Promise<string> {
  const origin = input.value("origin");
  if (origin !== undefined) return (await import("../tlog/checkpoint.ts")).verifierKey(author, origin);
  using log = await openToRead(input);
  const advice = `${SIGN}, or give the log's name with --origin`;
  return orAdvise("not-found", advice, () => log.proofs.verifierKey(author));
}

/** Proves inclusion. */
export const prove: Command = {
  args: "ID",
  summary: "Proves that a checkpoint covers an operation.",
  details:
    `The proof contains the checkpoint; with the operation and the verifier key, it can be verified without the log. The
id may be abbreviated.`,
  options: {
    checkpoint: { value: "FILE", help: "the checkpoint (default: the largest one stored in the log)" },
    ...OUT,
  },
  example: "prove op_5b96 --out tea.proof",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    const path = input.value("checkpoint");
    const signed = path === undefined ? undefined : await readText(path);
    using log = await openToDerive(input);
    const opId = log.resolve(input.args[0]);
    give(orAdvise("not-found", SIGN, () => log.proofs.prove(opId, signed)), "proof", input, output);
  },
};

/** Proves consistency. */
export const consistency: Command = {
  args: "OLD [NEW]",
  summary: "Proves that the log of one checkpoint is a prefix of another's.",
  details: "OLD and NEW are files with checkpoints. The default of NEW is the largest checkpoint stored in the log.",
  options: OUT,
  example: "consistency monday.checkpoint",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 2);
    const [old, newer] = await Promise.all(input.args.map((path) => readText(path)));
    using log = await openToDerive(input);
    give(orAdvise("not-found", SIGN, () => log.proofs.proveConsistency(old, newer)), "proof", input, output);
  },
};

/** Verifies a proof or a checkpoint. */
export const verify: Command = {
  args: "PROOF",
  summary: "Verifies a proof or a checkpoint; needs no log.",
  details:
    `PROOF is a file with an inclusion proof, a consistency proof or a checkpoint (- is standard input). An inclusion
proof needs --op: the operation as mnema show --wire prints it, or a line of mnema export, log --json or show --json. The exit
code is 1 when the proof is invalid.`,
  options: {
    op: { value: "FILE", help: "the operation that the proof is about (- is standard input)" },
    key: { value: "VKEY", help: "the verifier key that mnema vkey prints, or a file with it" },
  },
  example: 'verify monday.checkpoint --key "$(mnema vkey)"',
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(1, 1);
    const key = input.value("key");
    if (key === undefined) throw new UsageError("--key is missing: the verifier key, as mnema vkey prints it");
    const [proof, vkey] = [await readText(input.args[0]), await readVerifierKey(key)];
    const [{ verifyCheckpoint }, { verifyConsistency }, { verifyInclusion }] = await Promise.all([
      import("../tlog/checkpoint.ts"),
      import("../tlog/consistency.ts"),
      import("../tlog/inclusion.ts"),
    ]);
    const op = input.value("op");
    if (proof.startsWith("c2sp.org/tlog-proof@")) {
      if (op === undefined) {
        throw new UsageError(
          "--op is missing: a file with the operation that the proof is about, as mnema show --wire prints it",
        );
      }
      const wire = unlisted((await readText(op)).replace(/\r?\n$/, ""));
      // The proof is about bytes; these check that they are an operation, and who signed it.
      const { Operation } = await import("../wire/operation.ts");
      const operation = Operation.parse(wire);
      operation.verify();
      const { index, size, origin } = verifyInclusion(proof, wire, vkey);
      const found = { holds: "inclusion", origin, size, index, op_id: operation.opId, author: operation.author };
      report(found, `operation ${operation.opId} is number ${index + 1} of ${size} in ${origin}`, output);
    } else if (op !== undefined) {
      throw new UsageError(`--op is only for an inclusion proof, which ${input.args[0]} is not`);
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

/** Runs `work`; an error with a code is thrown with advice for the command line. */
function orAdvise<T>(code: LogErrorCode, advice: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LogError) || error instanceof NotFoundError || error.code !== code) throw error;
    throw new LogError(code, replaceAdvice(error.message, advice), { cause: error });
  }
}

function report(found: Record<string, unknown>, sentence: string, output: Output): void {
  if (output.json) output.data(JSON.stringify(found));
  else output.line(sentence);
}

/** Writes a checkpoint or a proof: to a file, or as the result. */
function give(text: string, what: string, input: Input, output: Output): void {
  const path = input.value("out");
  if (path === undefined) return output.data(output.json ? JSON.stringify({ [what]: text }) : text.trimEnd());
  writeNew(path, [text]);
  if (output.json) output.data(JSON.stringify({ file: path }));
  else output.line(`wrote ${path}`);
}
