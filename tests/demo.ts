/**
 * What the log is for, once, on real records: two nodes, the second of which gets everything from the first and is
 * offered a forgery. Every step is the command line as a user would run it, in a folder that is removed at the end.
 *
 * @module
 */

import { runMnema } from "./cli/mnema.ts";

const RECORDS = new URL("./data/earthquakes.ndjson", import.meta.url);
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
  const genuine = Deno.readTextFileSync(`${folder}/alice.jsonl`);
  const forged = genuine.replace('"magnitude_milli":6100', '"magnitude_milli":9100');
  if (forged === genuine) throw new Error("there is nothing to forge");
  Deno.writeTextFileSync(`${folder}/forged.jsonl`, forged);
  await mnema("init --log carol.db --key carol.key");
  await mnema("import forged.jsonl --log carol.db --strict", 1);
  await mnema("stats --log carol.db");
  say("Done: the forged line was refused, and with --strict nothing of the file was kept.");
} finally {
  Deno.removeSync(folder, { recursive: true });
}

function say(text: string): void {
  console.log(`\n# ${text}`);
}

/** Runs a command, shows it and what it says, and returns its result. */
async function mnema(command: string, expected = 0): Promise<string> {
  console.log(`$ mnema ${command}`);
  const { code, out, err } = await runMnema(folder, command.split(" "));
  if (out + err !== "") console.log((out + err).trimEnd());
  if (code !== expected) throw new Error(`mnema ${command} ended with ${code} instead of ${expected}`);
  return out;
}
