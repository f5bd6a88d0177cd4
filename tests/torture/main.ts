/**
 * `deno task torture [--minutes N] [--seed S] [--part NAME]… [--steps N | --step N]`: crashes, power cuts, crowds and bad systems, for
 * as long as it is told, and what was done in figures. The exit code is 1 when something was found. README.md in this
 * folder says what is tested.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { Context, type Extent, type Part, repeatCommand } from "./part.ts";
import { PARTS } from "./parts.ts";

const USAGE = `deno task torture [--minutes N] [--seed S] [--part NAME] [--steps N | --step N]

  --minutes N   how long all parts take together: 20 by default; from 20 on, each part does its least in any case
  --seed S      an integer that repeats a run: a random one by default
  --part NAME   only this part; can be given several times
  --steps N     so many steps of each part, however long they take
  --step N      only this step of a part, as a finding names it
  --original FOLDER  the Python original, for the part that compares with it

Parts:
${PARTS.map(({ name, summary }) => `  ${name.padEnd(13)} ${summary}`).join("\n")}`;

const DEFAULT_MINUTES = 20;

function main(): Promise<number> | number {
  const unknown: string[] = [];
  const { minutes, seed, steps, step, part, original, help } = parseArgs(Deno.args, {
    string: ["minutes", "seed", "steps", "step", "part", "original"],
    boolean: ["help"],
    collect: ["part"],
    unknown: (argument) => void unknown.push(argument),
  });
  unknown.push(...part.filter((name) => !PARTS.some((known) => known.name === name)));
  const numbers = [minutes, seed, steps, step].filter((text) => text !== undefined).map(Number);
  const parts = PARTS.filter(({ name, needsOriginal }) =>
    part.length === 0 ? !needsOriginal || original !== undefined : part.includes(name)
  );
  if (help || unknown.length > 0 || !numbers.every((n) => n >= 0) || (step !== undefined && parts.length !== 1)) {
    console.error(USAGE);
    return help ? 0 : 2;
  }
  const total = Number(minutes ?? DEFAULT_MINUTES);
  const extentOf = ({ weight, long = 0 }: Part): Extent => {
    if (step !== undefined) return { step: Number(step) };
    if (steps !== undefined) return { steps: Number(steps) };
    const all = parts.reduce((sum, part) => sum + part.weight, 0);
    return { milliseconds: total * 60_000 * weight / all, least: total >= DEFAULT_MINUTES ? long : 0 };
  };
  return torture(parts, Number(seed ?? crypto.getRandomValues(new Uint32Array(1))[0]), extentOf, original);
}

async function torture(
  parts: readonly Part[],
  seed: number,
  extentOf: (part: Part) => Extent,
  original?: string,
): Promise<number> {
  console.log(`seed ${seed}`);
  let found = 0;
  for (const part of parts) {
    const skipped = part.needsOriginal && original === undefined ? "it needs --original FOLDER" : part.skipped;
    if (skipped !== undefined) {
      console.log(`${part.name}: skipped: ${skipped}`);
      continue;
    }
    const context = new Context(part.name, seed, extentOf(part), original);
    const begin = performance.now();
    await part.run(context);
    found += context.findings.length;
    const figures = [...context.figures].map(([what, count]) => `${count.toLocaleString("en")} ${what}`);
    const seconds = Math.round((performance.now() - begin) / 1000);
    console.log(`${part.name}: ${[...figures, `${context.findings.length} findings`].join(", ")} in ${seconds} s`);
    for (const finding of context.findings) {
      console.log(`FOUND ${finding.message}\nrepeat: ${repeatCommand(finding, seed)}`);
    }
  }
  console.log(found === 0 ? "nothing found" : `${found} findings`);
  return found === 0 ? 0 : 1;
}

Deno.exitCode = await main();
