/**
 * Measures the Python original, where its folder is at hand.
 *
 * @module
 */

/** Operations a second. */
export interface OriginalRates {
  /** Verified and appended, 3,000 into a file. */
  ingest: number;
  /** Read one by one, of 20,000 in memory. */
  get: number;
  /** Read all, of 20,000 in memory. */
  replay: number;
}

/** Reads a log: the arguments are its path and how many runs, the input is the ids; prints two rates. */
const READ = `
import statistics, sys, time
from mnema.core.log import OpLog
log = OpLog(sys.argv[1])
ids = sys.stdin.read().split()
def get():
    for op_id in ids:
        log.get(op_id)
def entries():
    for _ in log.iter_ops():
        pass
for count, work in (len(ids), get), (len(log), entries):
    rates = []
    for _ in range(int(sys.argv[2])):
        start = time.perf_counter()
        work()
        rates.append(count / (time.perf_counter() - start))
    print(statistics.median(rates))
`;

/** What the original does by its own measure, `bench_seed.py`. */
export async function measureOriginal(original: string, folder: string): Promise<OriginalRates> {
  const lines = `${folder}/original.jsonl`;
  Deno.writeTextFileSync(lines, await python(original, ["make_ops.py", "20000", "8"]));
  const measure = async (...args: string[]): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await python(original, ["bench_seed.py", ...args])).trim().split("\n").map((line) => {
        const [name, ...rest] = line.split(" ");
        return [name, parseInt(rest.at(-1)!)];
      }),
    );
  const file = await measure(`${folder}/original.db`, lines, "3000");
  const memory = await measure(":memory:", lines);
  return { ingest: file.ingest, get: memory.get, replay: memory.replay };
}

/** How fast the original reads one of our logs: some operations one by one, and all of them. */
export async function readWithOriginal(
  original: string,
  { path, ids, runs }: { path: string; ids: readonly string[]; runs: number },
): Promise<{ get: number; entries: number }> {
  const lines = (await python(original, ["-c", READ, path, String(runs)], ids.join("\n"))).trim().split("\n");
  const [get, entries] = lines.map(Number);
  return { get, entries };
}

/** Runs Python in the original's folder, and returns what it prints. */
export async function python(original: string, args: string[], input = ""): Promise<string> {
  const child = new Deno.Command("sh", {
    args: ["-c", `PYTHONDONTWRITEBYTECODE=1 command -p python3 "$@"`, "python", ...args],
    cwd: original,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  await new Blob([input]).stream().pipeTo(child.stdin);
  const { success, stdout, stderr } = await output;
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
