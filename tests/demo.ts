/**
 * What the log is for, once, on real records: two nodes, the second of which gets everything from the first and is
 * offered a forgery; then claims that are derived from the records, explained, and taken back. Every step is the command line as a user would run it, in a folder that is removed at the end.
 *
 * @module
 */

import { runMnema } from "./cli/mnema.ts";

const RECORDS = new URL("./data/earthquakes.ndjson", import.meta.url);
const ALICE = ["--log", "alice.db", "--key", "alice.key"];
/** Alice's operations, as she hands them over. */
let genuine = "";
const folder = Deno.makeTempDirSync({ prefix: "mnema-demo-" });

try {
  Deno.copyFileSync(RECORDS, `${folder}/earthquakes.ndjson`);

  say("Alice makes an identity and a log, and records what was observed: 118 earthquakes of one morning.");
  await mnema("init --log alice.db --key alice.key");
  await mnema("append evidence.add --each earthquakes.ndjson --log alice.db --key alice.key");
  await mnema("log --log alice.db -n 3");
  await mnema("stats --log alice.db");

  say("She hands everything to Bob's node, which checks every signature before it keeps anything.");
  await mnema("export alice.jsonl --log alice.db");
  await mnema("init --log bob.db --key bob.key");
  await mnema("import alice.jsonl --log bob.db");
  const [alice, bob] = [await mnema("heads --log alice.db"), await mnema("heads --log bob.db")];
  if (alice !== bob) throw new Error("the heads differ");
  say("The heads are the same: both nodes hold the same operations.");

  say("Somebody makes one earthquake stronger on the way. The operation is no longer what Alice signed.");
  genuine = Deno.readTextFileSync(`${folder}/alice.jsonl`);
  const forged = genuine.replace('"magnitude_milli":6100', '"magnitude_milli":9100');
  if (forged === genuine) throw new Error("there is nothing to forge");
  Deno.writeTextFileSync(`${folder}/forged.jsonl`, forged);
  await mnema("init --log carol.db --key carol.key");
  await mnema("import forged.jsonl --log carol.db --strict", 1);
  await mnema("stats --log carol.db");
  say("The forged line was refused, and with --strict nothing of the file was kept.");

  say("Now Alice's node draws conclusions. Each says what it was derived from, by what, and how sure that is.");
  const [lae, panguna] = [observed("us2000crq6"), observed("us2000crle")];
  const expected = ["assert", "lae.tsunami_expected", "true", "--confidence", "0.6", "--deriver", "tsunami_flag@1"];
  const claim = (await mnema([...expected, "--from", lae, ...ALICE])).trimEnd();
  const advice = ["assert", "lae.travel", "postpone", "--confidence", "0.55", "--deriver", "travel_advice@2"];
  await mnema([...advice, "--from", `${claim},${panguna}`, ...ALICE]);
  await mnema(["claims", "lae.*", ...ALICE]);
  say("Why is the advice to postpone believed?");
  await mnema(["explain", "lae.travel", ...ALICE]);

  say(
    "The flag says that a large earthquake was near the sea, and not that a tsunami is to come. She refutes the claim.",
  );
  await mnema(["refute", "lae.tsunami_expected", "--reason", "the flag says no more than: near the sea", ...ALICE]);
  await mnema(["claims", "lae.*", ...ALICE]);
  say("What stood on it has fallen with it, and says why:");
  await mnema(["explain", "lae.travel", ...ALICE]);
  say("Done.");
} finally {
  Deno.removeSync(folder, { recursive: true });
}

function say(text: string): void {
  console.log(`\n# ${text}`);
}

/** Runs a command, shows it and what it says, and returns its result. */
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
