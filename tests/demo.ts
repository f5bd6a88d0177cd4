/**
 * A demonstration on real records: two nodes exchange operations and synchronize, and a forged one is refused; then claims are derived
 * from the records, explained and refuted. Every step is a run of the command line in a temporary folder.
 *
 * @module
 */

import { runMnema } from "./cli/mnema.ts";

const RECORDS = new URL("./data/earthquakes.ndjson", import.meta.url);
const ALICE = ["--log", "alice.db", "--key", "alice.key"];
/** The export of Alice's log. */
let genuine = "";
const folder = Deno.makeTempDirSync({ prefix: "mnema-demo-" });

try {
  Deno.copyFileSync(RECORDS, `${folder}/earthquakes.ndjson`);

  say("Alice creates a key and a log, and records 118 earthquakes that were observed in one morning.");
  await mnema("init --log alice.db --key alice.key");
  await mnema("append evidence.add --each earthquakes.ndjson --log alice.db --key alice.key");
  await mnema("log --log alice.db -n 3");
  await mnema("stats --log alice.db");

  say("She exports everything for Bob's node, which verifies every signature before it appends anything.");
  await mnema("export alice.jsonl --log alice.db");
  await mnema("init --log bob.db --key bob.key");
  await mnema("import alice.jsonl --log bob.db");
  const [alice, bob] = [await mnema("heads --log alice.db"), await mnema("heads --log bob.db")];
  if (alice !== bob) throw new Error("the heads differ");
  say("The heads are the same: both nodes hold the same operations.");

  say("From now on they synchronize: each side sends what the other lacks.");
  await mnema(["append", "note", '{"text":"seen in Rabaul"}', "--log", "bob.db", "--key", "bob.key"]);
  await mnema(["append", "note", '{"text":"seen in Lae"}', ...ALICE]);
  await mnema("sync bob.db --log alice.db --dry-run", 3);
  await mnema("sync bob.db --log alice.db");
  await mnema("sync bob.db --log alice.db --dry-run");

  say("An attacker changes the magnitude of one earthquake on the way. The signature no longer matches.");
  genuine = Deno.readTextFileSync(`${folder}/alice.jsonl`);
  const forged = genuine.replace('"magnitude_milli":6100', '"magnitude_milli":9100');
  if (forged === genuine) throw new Error("there is nothing to forge");
  Deno.writeTextFileSync(`${folder}/forged.jsonl`, forged);
  await mnema("init --log carol.db --key carol.key");
  await mnema("import forged.jsonl --log carol.db --strict", 1);
  await mnema("stats --log carol.db");
  say("The forged line was refused, and with --strict nothing of the file was appended.");

  say("Now Alice's node derives claims. Each names its inputs, its deriver and its confidence.");
  const [lae, panguna] = [observed("us2000crq6"), observed("us2000crle")];
  const expected = ["assert", "lae.tsunami_expected", "true", "--confidence", "0.6", "--deriver", "tsunami_flag@1"];
  const claim = (await mnema([...expected, "--from", lae, ...ALICE])).trimEnd();
  const advice = ["assert", "lae.travel", "postpone", "--confidence", "0.55", "--deriver", "travel_advice@2"];
  await mnema([...advice, "--from", `${claim},${panguna}`, ...ALICE]);
  await mnema(["claims", "lae.*", ...ALICE]);
  say("Why is the advice to postpone believed?");
  await mnema(["explain", "lae.travel", ...ALICE]);

  say(
    "The flag reports a large earthquake near the sea; it does not predict a tsunami. She refutes the claim.",
  );
  await mnema(["refute", "lae.tsunami_expected", "--reason", "the flag means only: near the sea", ...ALICE]);
  await mnema(["claims", "lae.*", ...ALICE]);
  say("The claim that was derived from it has fallen, too, and its explanation says why:");
  await mnema(["explain", "lae.travel", ...ALICE]);
  say("Done.");
} finally {
  Deno.removeSync(folder, { recursive: true });
}

function say(text: string): void {
  console.log(`\n# ${text}`);
}

/** Runs a command, prints it and its output, and returns its standard output. */
async function mnema(command: string | string[], expected = 0): Promise<string> {
  const words = typeof command === "string" ? command.split(" ") : command;
  console.log(`$ mnema ${words.map((word) => /^[\w.@,=-]+$/.test(word) ? word : `'${word}'`).join(" ")}`);
  const { code, out, err } = await runMnema(folder, words);
  if (out + err !== "") console.log((out + err).trimEnd());
  if (code !== expected) throw new Error(`mnema ${words.join(" ")} ended with ${code} instead of ${expected}`);
  return out;
}

/** The id of the operation that holds a record of the source. */
function observed(ref: string): string {
  const line = genuine.split("\n").find((line) => line.includes(`"ref":"${ref}"`));
  return JSON.parse(line!).op_id;
}
