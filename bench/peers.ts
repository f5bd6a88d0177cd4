/**
 * Measures comparable logs side by side, on the same payloads: the bodies of generated operations. Each is in a process of
 * its own.
 *
 * `deno task bench:peers [SIZE] [--original FOLDER] [--packages FOLDER]`, 10,000 operations by default. Packages are
 * installed from npm, without their install scripts, into FOLDER, or into a temporary folder; their versions are those here.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { printColumns } from "./figures.ts";
import { generate } from "./generate.ts";
import { refuseUnknown } from "./options.ts";
import { python } from "./original.ts";

/** What one of them reports: operations a second, and bytes an operation. */
interface Rates {
  version: string;
  one: number;
  many?: number;
  all: number;
  get: number;
  bytes: number;
}

/** What is not measured: whether an append is on the disk when it returns, and what is signed. */
type Properties = [synced: string, signed: string];

/** A log from npm. */
interface Peer {
  properties: Properties;
  packages: Record<string, string>;
  /** What runs it: the native code of some needs symbols that Deno does not have. */
  runtime: "node" | "deno";
}

const PEERS: Record<string, Peer> = {
  hypercore: {
    properties: ["no", "tree head, one an append or batch"],
    packages: { hypercore: "11.39.5" },
    runtime: "node",
  },
  orbitdb: {
    properties: ["no", "each"],
    packages: { "@orbitdb/core": "4.0.0", "helia": "6.0.22", "blockstore-level": "3.0.2" },
    runtime: "deno",
  },
};

const options = parseArgs(Deno.args, { unknown: refuseUnknown, string: ["original", "packages"] });
const size = Number(options._[0] ?? 10_000);
if (!Number.isSafeInteger(size) || size < 1) throw new Error("SIZE is a positive integer");

const here = decodeURIComponent(new URL("./peers", import.meta.url).pathname);
const folder = Deno.makeTempDirSync({ prefix: "mnema-bench-" });
const payloads = `${folder}/payloads.jsonl`;
const rows: string[][] = [];
try {
  using file = Deno.openSync(payloads, { write: true, create: true });
  const encoder = new TextEncoder();
  for (const { body } of generate(size)) file.writeSync(encoder.encode(JSON.stringify(body) + "\n"));

  await measure("SQLite alone", ["yes", "nothing"], (store) => deno(`${here}/sqlite.ts`, store));
  await measure("mnema", ["yes", "each"], (store) => deno(`${here}/mnema.ts`, store));
  await measure("mnema, normal", ["no", "each"], (store) => deno(`${here}/mnema.ts`, store, "normal"));
  for (const [name, peer] of Object.entries(PEERS)) {
    await measure(name, peer.properties, async (store) => {
      const packages = `${options.packages ?? folder}/${name}`;
      await install(packages, name, peer);
      const script = `${packages}/${name}.mjs`;
      return peer.runtime === "node" ? await output("node", [script, payloads, store]) : await deno(script, store);
    });
  }
  const { original } = options;
  if (original !== undefined) {
    await measure(
      "Python original",
      ["yes", "each; verified"],
      (store) => python(original, [`${here}/original.py`, payloads, store]),
    );
  }
  console.log(`${size.toLocaleString("en")} operations; rates are operations a second\n`);
  const title = ["", "version", "append one", "in batches", "read all", "get", "bytes each", "synced", "signed"];
  printColumns([title, ...rows], (column) => column < 2 || column > 6);
} finally {
  Deno.removeSync(folder, { recursive: true });
}

/** Measures one of them; one that cannot be installed or run is a row that says so. */
async function measure(name: string, properties: Properties, run: (store: string) => Promise<string>): Promise<void> {
  const store = `${folder}/store`;
  Deno.mkdirSync(store);
  try {
    const { version, one, many, all, get, bytes }: Rates = JSON.parse(await run(store));
    const rates = [one, many, all, get, bytes].map((rate) =>
      rate === undefined ? "-" : Math.round(rate).toLocaleString("en")
    );
    rows.push([name, version, ...rates, ...properties]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(`${name} was not measured: ${message}`);
    rows.push([name, "not measured"]);
  } finally {
    Deno.removeSync(store, { recursive: true });
  }
}

/** Installs packages, unless they are there, beside a copy of the script that uses them. */
async function install(packages: string, name: string, { packages: dependencies }: Peer): Promise<void> {
  Deno.mkdirSync(packages, { recursive: true });
  Deno.writeTextFileSync(`${packages}/package.json`, JSON.stringify({ private: true, type: "module", dependencies }));
  await output("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", packages]);
  Deno.copyFileSync(`${here}/measure.mjs`, `${packages}/measure.mjs`);
  Deno.copyFileSync(`${here}/npm/${name}.mjs`, `${packages}/${name}.mjs`);
}

function deno(script: string, store: string, ...args: string[]): Promise<string> {
  return output(Deno.execPath(), ["run", "--quiet", "--allow-all", script, payloads, store, ...args]);
}

/** What a program prints. */
async function output(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
