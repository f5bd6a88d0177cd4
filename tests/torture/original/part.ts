/**
 * The part of a torture run that compares with the Python original, where its folder is given: both give the same verdict
 * on mutated texts, and both append to one file.
 *
 * @module
 */

import { audit, Operation, OpLog, parseCanonical } from "../../../mod.ts";
import { chain, makeFile } from "../../audit/tamper.ts";
import { linesOf } from "../../processes.ts";
import { Choices } from "../fuzz/choices.ts";
import { ED25519_TOKENS } from "../fuzz/ed25519.ts";
import { Mutator } from "../fuzz/mutate.ts";
import { attempt, bytesOf, type Harness, require, textOf } from "../fuzz/target.ts";
import { target as json } from "../fuzz/targets/json.ts";
import { target as operation } from "../fuzz/targets/operation.ts";
import type { Context, Part, Step } from "../part.ts";

const TEXTS = 20_000;
/** Texts that are sent before the verdicts on them are read. */
const BATCH = 200;

/** Gives a verdict on each line, a text in base64. */
const JUDGE = `
import base64, json, sys
from mnema.core.canonical import canonical_dumps
from mnema.core.operations import Operation

def verdict(line):
    try:
        text = base64.b64decode(line).decode("utf-8")
        value = json.loads(text)
        if canonical_dumps(value) != text:
            return "refused"
    except (ValueError, RecursionError):
        return "refused"
    try:
        Operation.from_wire(value)
        return "verified"
    except Exception:
        return "canonical"

for line in sys.stdin:
    print(verdict(line), flush=True)
`;

/** Appends operations to a log; the arguments are its path and how many. */
const APPEND = `
import random, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mnema.core.log import OpLog
from mnema.core.operations import Operation
rng = random.Random(sys.argv[3])
key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))

def value(depth):
    kind = rng.randrange(7 if depth < 4 else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.randrange(-2**63, 2**63)
    if kind == 2:
        return rng.choice([0, -1, 2**53 - 1, 2**53, -2**53, 2**63 - 1, -2**63])
    if kind < 5:
        return text()
    if kind == 5:
        return [value(depth + 1) for _ in range(rng.randrange(4))]
    return {text(): value(depth + 1) for _ in range(rng.randrange(4))}

def text():
    return "".join(chr(rng.choice([rng.randrange(128), rng.randrange(0xd800), rng.randrange(0xe000, 0x110000)]))
                   for _ in range(rng.randrange(6)))

with OpLog(sys.argv[1]) as log:
    for n in range(int(sys.argv[2])):
        prev = [log.last_op_id()] if len(log) and rng.randrange(4) else []
        log.append(Operation.create(key, "note", rng.randrange(2**53), prev, {"v": value(0)}))
    print(len(log), len(list(log.iter_ops())))
`;

/** The comparison. */
export const original: Part = {
  name: "original",
  summary: "the Python original, with --original FOLDER: the same verdicts, and one file for both",
  weight: 1,
  short: 1,
  needsOriginal: true,
  async run(context) {
    const harnesses = [await json.start(""), await operation.start("")];
    await context.each(async (step) => {
      for (const harness of harnesses) await compare(context, step, harness);
      await shareFile(context, step);
    });
  },
};

/** Our verdict on a text, in the words of the original. */
function verdictOn(text: string): string {
  if (attempt(() => parseCanonical(text), "bad-encoding").error !== undefined) return "refused";
  const op = attempt(() => Operation.parse(text), "bad-shape").value;
  const isVerified = op !== undefined && attempt(() => op.verify(), "bad-address", "bad-signature").error === undefined;
  return isVerified ? "verified" : "canonical";
}

/** The original checks no shapes, and accepts encodings of points that are not strict: there, ours refuses more. */
function agrees(text: string, ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  const isStricter = ours === "canonical" && theirs === "verified";
  return isStricter && (attempt(() => Operation.parse(text), "bad-shape").error !== undefined ||
    ED25519_TOKENS.some((point) => text.includes(point)));
}

async function compare(context: Context, { random }: Step, { seeds, tokens }: Harness): Promise<void> {
  const choices = new Choices(random);
  const mutator = new Mutator(choices, seeds, tokens);
  await using judge = python(context.original!, ["-c", JUDGE]);
  const writer = judge.stdin.getWriter();
  const verdicts = linesOf(judge.stdout);
  for (let done = 0; done < TEXTS; done += BATCH) {
    const texts = Array.from({ length: BATCH }, () => textOf(mutator.mutate(choices.pick(seeds), choices.pick(seeds))))
      .filter((text) => text.isWellFormed());
    await writer.write(bytesOf(texts.map((text) => `${bytesOf(text).toBase64()}\n`).join("")));
    for (const text of texts) {
      const { value: theirs = "nothing" } = await verdicts.next();
      const ours = verdictOn(text);
      require(agrees(text, ours, theirs), `${ours} here is ${theirs} in the original: ${JSON.stringify(text)}`);
      context.count(`texts ${ours} by both`);
    }
  }
  await writer.close();
}

async function shareFile(context: Context, { random, folder }: Step): Promise<void> {
  const path = `${folder}/shared.db`;
  const ops = chain(random.between(1, 40));
  makeFile(path, ops);
  const more = random.between(1, 30);
  const args = ["-c", APPEND, path, String(more), String(random.integer(2 ** 32))];
  await using child = python(context.original!, args);
  await child.stdin.close();
  const lines = await Array.fromAsync(linesOf(child.stdout));
  require((await child.status).success, "the original appends to our file");
  const total = ops.length + more;
  require(lines[0] === `${total} ${total}`, `the original reads ${total} operations, not ${lines[0]}`);
  {
    using log = OpLog.open(path);
    for (const { op } of log.entries()) op.verify();
    log.heads();
    require(log.size === total, "what the original appends is read");
  }
  const { findings } = await audit(path, { workers: 0 });
  require(findings.length === 0, `an audit finds nothing: ${JSON.stringify(findings)}`);
  context.count("operations by the original", more);
}

function python(original: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", `PYTHONDONTWRITEBYTECODE=1 exec $(command -p -v python3) "$@"`, "python", ...args],
    cwd: original,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}
