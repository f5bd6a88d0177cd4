/**
 * The part of a torture run that fuzzes: processes that are given random inputs, most of them nearly valid, and must not
 * crash, hang, grow, throw what is not documented, or accept what is wrong. The first step fuzzes every target for a
 * moment; each of the others fuzzes one target for longer.
 *
 * @module
 */

import { linesOf } from "../../processes.ts";
import type { Context, Part, Step } from "../part.ts";
import type { FuzzMessage, FuzzRequest } from "./child.ts";
import { TARGETS } from "./targets.ts";

/** So long, an input may take: with room for a machine that is busy with other things. */
const HANG_MS = 60_000;
/** So much more memory may be in use at the end of a step than after the first tenth of it, in bytes. */
const MAX_GROWTH = 48 << 20;
const MAX_RSS = 1 << 30;
const MAX_HEAP_MIB = 512;
const CHILD = new URL("./child.ts", import.meta.url);

/** Fuzzing. */
export const fuzz: Part = {
  name: "fuzz",
  summary: `random inputs for ${TARGETS.map(({ name }) => name.replace("_", " ")).join(", ")}`,
  weight: 6,
  short: 1,
  run: (context) => context.each((step) => fuzzStep(context, step)),
};

async function fuzzStep(context: Context, step: Step): Promise<void> {
  const isFirst = step.number <= 1;
  const targets = isFirst ? TARGETS : [TARGETS[(step.number - 2) % TARGETS.length]];
  const requests = targets.map(({ name, short, long }): FuzzRequest => ({
    name,
    module: new URL(`./targets/${name}.ts`, import.meta.url).href,
    source: new URL("../../../src/", import.meta.url).href,
    seed: `${context.seed}/${step.number}`,
    inputs: isFirst ? short : long,
    folder: Deno.makeTempDirSync({ dir: step.folder }),
    hangMs: HANG_MS,
  }));
  const findings = await runChild(requests, (message) => report(context, message));
  if (findings.length > 0) throw new Error(findings.join("\n"));
}

/**
 * Runs the fuzzer in a process.
 *
 * @param requests What to fuzz, one after the other.
 * @param onDone Called with the report of each.
 * @returns What was found.
 */
export async function runChild(
  requests: readonly FuzzRequest[],
  onDone: (message: FuzzMessage & { kind: "done" }) => void = () => {},
): Promise<string[]> {
  const flags = `--v8-flags=--expose-gc,--max-old-space-size=${MAX_HEAP_MIB}`;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", flags, CHILD.href, JSON.stringify(requests)],
    stdout: "piped",
  });
  const findings: string[] = [];
  let done = 0;
  await using child = command.spawn();
  for await (const line of linesOf(child.stdout)) {
    const message: FuzzMessage = JSON.parse(line);
    const { name } = requests[done];
    if (message.kind === "hang") {
      findings.push(`${name}: an input takes more than ${requests[done].hangMs} ms: ${shown(message.input)}`);
      child.kill("SIGKILL");
    } else {
      findings.push(
        ...message.failures.map(({ input, message }) => `${name}: ${message}\nat the input ${shown(input)}`),
      );
      if (message.growth > MAX_GROWTH) {
        findings.push(
          `${name}: ${message.growth} more bytes of memory are in use at the end than after the first tenth`,
        );
      }
      if (message.rss > MAX_RSS) findings.push(`${name}: the process has ${message.rss} bytes of memory`);
      onDone(message);
      done++;
    }
  }
  const { code, signal } = await child.status;
  if (findings.length === 0 && (code !== 0 || done < requests.length)) {
    findings.push(`${requests[Math.min(done, requests.length - 1)].name}: the process ended with ${signal ?? code}`);
  }
  return findings;
}

/** An input, in base64 and as text. */
function shown(input: string): string {
  const bytes = Uint8Array.fromBase64(input);
  return `${input}\nwhich is ${JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 4000)))}`;
}

function report(context: Context, message: FuzzMessage & { kind: "done" }): void {
  const { figures } = context;
  context.count("inputs", message.inputs);
  context.count(`inputs of ${message.name.replace("_", " ")}`, message.inputs);
  context.count("inputs kept for what they reach", message.kept);
  const most = (what: string, value: number) => figures.set(what, Math.max(figures.get(what) ?? 0, Math.ceil(value)));
  most("ms for the slowest input", message.slowestMs);
  most("MiB of memory at most", message.rss / 2 ** 20);
}
