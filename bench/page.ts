/**
 * Measures the pages of a log: the medians of each, memory, and how pages answer while another process imports.
 *
 * `deno task bench:page [SIZE]`, 100,000 operations by default; one in twenty is a claim.
 *
 * @module
 */

import { OpLog } from "../mod.ts";
import { author, generate, generateClaims, ROOT_KEY, writeLines } from "./generate.ts";
import { linesOf } from "../tests/processes.ts";

const size = Number(Deno.args[0] ?? 100_000);
/** Operations that are imported while pages are asked for. */
const IMPORTED = size / 5;
/** How often each page is asked for. */
const RUNS = 21;
/** How many pages are asked for between two looks at memory. */
const MANY = 400;
const CHILD = decodeURIComponent(new URL("./page_server.ts", import.meta.url).pathname);
const CLI = decodeURIComponent(new URL("../cli.ts", import.meta.url).pathname);

const folder = Deno.makeTempDirSync({ prefix: "mnema-bench-" });
const path = `${folder}/log.db`;
try {
  await fill();
  const server = new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", "-A", CHILD, path], stdout: "piped" })
    .spawn();
  try {
    const lines = linesOf(server.stdout);
    await measure((await lines.next()).value!);
    await lines.return(undefined);
  } finally {
    server.kill("SIGKILL");
    await server.status;
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

async function fill(): Promise<void> {
  const lines = `${folder}/ops.jsonl`;
  using log = OpLog.open(path, { durability: "normal" });
  for (const ops of [generateClaims(size / 10, size / 100), generate(size * 0.9)]) {
    writeLines(lines, ops);
    await log.ingest((await Deno.open(lines)).readable);
  }
  log.proofs.checkpoint(author(0));
  writeLines(lines, generate(size * 0.9 + IMPORTED)); // begins with what the log has
}

async function measure(address: string): Promise<void> {
  const headers = { authorization: `Bearer ${new URL(address).searchParams.get("token")}` };
  const ask = async (page: string) => {
    const start = performance.now();
    const response = await fetch(new URL(page, address), { headers });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${page}: ${response.status} ${text}`);
    return { ms: performance.now() - start, text };
  };
  const start = performance.now();
  await until(async () => !(await ask("/claims")).text.includes("Catching up"));
  await until(async () => !(await ask("/")).text.includes("Catching up"));
  say("caught up from nothing, in the background", `${((performance.now() - start) / 1000).toFixed(1)} s`);

  const claims: { op_id: string }[] = JSON.parse((await ask("/claims.json?order=newest")).text).claims;
  const root = JSON.parse((await ask(`/claims.json?key=${ROOT_KEY}`)).text).claims[0].op_id;
  const derived = JSON.parse((await ask(`/claims.json?input=${root}`)).text).claims[0].op_id;
  const { operations } = JSON.parse((await ask("/log.json?n=1")).text);
  await until(async () => (await ask(`/operations/${derived}`)).text.includes("Catching up") === false);
  const pages = [
    "/",
    "/claims",
    "/claims?n=1000",
    "/claims?key-contains=item1&value-contains=tea",
    "/claims?status=invalidated&order=newest",
    "/claims?order=confidence",
    `/claims/${claims[0].op_id}`,
    `/claims/${derived}`,
    "/log",
    `/log?before-seq=${Math.round(size / 2)}`,
    "/log?type=claim.refute",
    `/log?author=${operations[0].op.author}&type=evidence.add`,
    "/log?after=2024-06-11&before=2024-06-12",
    `/operations/${derived}`,
    `/operations/${operations[0].op.op_id}`,
    "/audit",
  ];
  console.log(`\nmilliseconds of a page, on ${size.toLocaleString("en")} operations: median, greatest after the first`);
  for (const page of pages) {
    const times: number[] = [];
    for (let n = 0; n <= RUNS; n++) times.push((await ask(page)).ms);
    say(page.slice(0, 60), milliseconds(times.slice(1)));
  }

  const memory = async () => Number((await ask("/memory")).text);
  for (let n = 0; n < MANY; n++) await ask(pages[n % pages.length]);
  const before = await memory();
  for (let n = 0; n < MANY; n++) await ask(pages[n % pages.length]);
  console.log();
  say(`memory after ${MANY} pages, and after ${2 * MANY}`, `${before} MB, ${await memory()} MB`);

  const args = ["run", "--quiet", "-A", CLI, "import", `${folder}/ops.jsonl`, "--log", path];
  const importer = new Deno.Command(Deno.execPath(), { args, stdout: "null" }).spawn();
  let isRunning = true;
  const imported = importer.status.then(({ success }) => {
    isRunning = false;
    if (!success) throw new Error("the import failed");
  });
  const times = new Map<string, number[]>(pages.map((page) => [page, []]));
  for (let n = 0; isRunning; n++) {
    const page = pages[n % pages.length];
    times.get(page)!.push((await ask(page)).ms);
  }
  await imported;
  const asked = [...times.values()].flat();
  const [slowest] = [...times].toSorted(([, a], [, b]) => Math.max(...b) - Math.max(...a))[0];
  say(
    `${asked.length} pages while ${IMPORTED.toLocaleString("en")} are imported`,
    `${milliseconds(asked)} (${slowest})`,
  );
  const caughtUp = performance.now();
  await until(async () => !(await ask("/claims")).text.includes("Catching up"));
  say("caught up after the import", `${((performance.now() - caughtUp) / 1000).toFixed(1)} s`);
}

async function until(isRight: () => Promise<boolean>): Promise<void> {
  while (!await isRight()) await new Promise((resolve) => setTimeout(resolve, 200));
}

function milliseconds(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)].toFixed(1)}, ${sorted.at(-1)!.toFixed(1)}`;
}

function say(what: string, figure: string): void {
  console.log(`${what.padEnd(64)}${figure}`);
}
