/**
 * What the parts of a torture run have in common. A part is a series of numbered steps. What a step does depends on the
 * seed, the name of the part and its number alone, so that a step that has found something is repeated without the
 * others: `deno task torture --part NAME --seed S --step N`.
 *
 * @module
 */

import { withFolder } from "../folder.ts";
import { Random } from "./random.ts";

/** An error may hold a comparison of thousands of operations. */
const MAX_MESSAGE_LENGTH = 4000;

/** A part that has found so much ends. */
const MAX_FINDINGS = 20;

/** A part of a torture run. */
export interface Part {
  /** A word, for `--part`. */
  readonly name: string;
  /** What it does, for people. */
  readonly summary: string;
  /** Its share of the time of a long run, in relation to the other parts. */
  readonly weight: number;
  /** How many steps a short run has. */
  readonly short: number;
  /** How many steps a long run has at least, however long they take. */
  readonly long?: number;
  /** The reason why it cannot run on this machine and what to install; undefined where it can. */
  readonly skipped?: string;
  /** Whether it needs the folder of the Python original. */
  readonly needsOriginal?: boolean;
  /** Runs it: calls {@linkcode Context.each}. */
  run(context: Context): Promise<void>;
}

/** One step of a part. */
export interface Step {
  /** From 1. */
  readonly number: number;
  /** The choices of this step. */
  readonly random: Random;
  /** An empty folder, which is removed afterwards. */
  readonly folder: string;
}

/** Something that is not as it must be. */
export interface TortureFinding {
  /** The part that found it. */
  part: string;
  /** The step that found it. */
  step: number;
  /** What was found. */
  message: string;
}

/** How long a part runs: some steps; for some time, and some steps at least; or one step. */
export type Extent = { steps: number } | { milliseconds: number; least: number } | { step: number };

/** A run of a part: which steps there are, what they have done and found. */
export class Context {
  /** The seed of the whole run. */
  readonly seed: number;
  /** The folder of the Python original, where it is given. */
  readonly original?: string;
  /** What was found. */
  readonly findings: TortureFinding[] = [];
  /** What was done, in figures. */
  readonly figures = new Map<string, number>();
  readonly #part: string;
  readonly #extent: Extent;

  /**
   * @param part The name of the part.
   * @param seed The seed of the whole run.
   * @param extent How long it runs.
   * @param original The folder of the Python original.
   */
  constructor(part: string, seed: number, extent: Extent, original?: string) {
    this.original = original;
    this.#part = part;
    this.seed = seed;
    this.#extent = extent;
  }

  /** Whether each step is to take seconds at most, as in the tests. */
  get isShort(): boolean {
    return "steps" in this.#extent;
  }

  /** Adds to a figure of the report, such as `kills`. */
  count(what: string, more = 1): void {
    this.figures.set(what, (this.figures.get(what) ?? 0) + more);
  }

  /**
   * Runs the steps. What a step throws is a finding, and the next step is run.
   *
   * @param work One step.
   * @param parallel How many steps are run at the same time.
   */
  async each(work: (step: Step) => Promise<void> | void, parallel = 1): Promise<void> {
    const numbers = this.#numbers();
    await Promise.all(Array.from({ length: parallel }, async () => {
      for (const number of numbers) await this.#run(number, work);
    }));
  }

  async #run(number: number, work: (step: Step) => Promise<void> | void): Promise<void> {
    const random = new Random(`${this.seed}/${this.#part}/${number}`);
    try {
      await withFolder(async (folder) => await work({ number, random, folder }));
    } catch (error) {
      this.findings.push({ part: this.#part, step: number, message: shortened(Deno.inspect(error)) });
    }
    this.count("steps");
  }

  *#numbers(): Generator<number> {
    const extent = this.#extent;
    if ("step" in extent) return yield extent.step;
    const end = "milliseconds" in extent ? performance.now() + extent.milliseconds : 0;
    const steps = "steps" in extent ? extent.steps : extent.least;
    for (let number = 1; number <= steps || performance.now() < end; number++) {
      if (this.findings.length >= MAX_FINDINGS) return;
      yield number;
    }
  }
}

function shortened(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}… and so on`;
}

/** The command that repeats a step. */
export function repeatCommand({ part, step }: TortureFinding, seed: number): string {
  return `deno task torture --part ${part} --seed ${seed} --step ${step}`;
}
