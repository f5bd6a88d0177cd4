/**
 * The loop of the fuzzer: mutates inputs, runs them, and keeps those that reach something new.
 *
 * @module
 */

import type { Choices } from "./choices.ts";
import type { Coverage, Reached } from "./coverage.ts";
import { Mutator } from "./mutate.ts";
import { shrink } from "./shrink.ts";
import type { Harness } from "./target.ts";

const FIRST_BATCH = 16;
const MAX_BATCH = 512;
/** The corpus does not grow without limit. */
const MAX_KEPT = 2000;
/** After so many different failures of a target, the others would say no more. */
const MAX_FAILURES = 5;

/** An input at which a target throws. */
export interface Failure {
  /** The input, made smaller. */
  readonly input: Uint8Array;
  /** What was thrown. */
  readonly message: string;
}

/** What was done. */
export interface FuzzReport {
  /** How many inputs were run, the seeds included. */
  inputs: number;
  /** How many were kept, because they reached something new. */
  kept: number;
  /** The longest time that an input took, in milliseconds. */
  slowestMs: number;
  /** The inputs at which the target throws, one for each message. */
  failures: Failure[];
}

/** Is told of every input before it is run, and when it is done. */
export interface Guard {
  begin(input: Uint8Array): void;
  end(): void;
}

/** Fuzzes a target that is ready. */
export class Fuzzer {
  readonly #harness: Harness;
  readonly #choices: Choices;
  readonly #coverage?: Coverage;
  readonly #guard: Guard;
  readonly #corpus: Uint8Array[];
  readonly #failed = new Map<string, Failure>();
  #inputs = 0;
  #slowestMs = 0;

  /**
   * @param harness The target.
   * @param choices The source of choices.
   * @param guard Is told of every input.
   * @param coverage Without it, no input is kept.
   */
  constructor(harness: Harness, choices: Choices, guard: Guard, coverage?: Coverage) {
    this.#harness = harness;
    this.#choices = choices;
    this.#guard = guard;
    this.#coverage = coverage;
    this.#corpus = [...harness.seeds];
  }

  /**
   * Runs the seeds, then mutated inputs.
   *
   * @param count How many.
   * @param onTenth Called after the first tenth.
   */
  async run(count: number, onTenth: () => Promise<void> = () => Promise.resolve()): Promise<FuzzReport> {
    for (const seed of this.#harness.seeds) await this.#try(seed);
    this.#coverage?.add(await this.#coverage.take());
    const mutator = new Mutator(this.#choices, this.#harness.seeds, this.#harness.tokens);
    let size = FIRST_BATCH;
    for (let done = 0; done < count && this.#failed.size < MAX_FAILURES;) {
      const batch = Array.from(
        { length: Math.min(size, count - done) },
        () => mutator.mutate(this.#pick(), this.#choices.pick(this.#corpus)),
      );
      size = await this.#runBatch(batch) ? Math.max(FIRST_BATCH, size >> 1) : Math.min(MAX_BATCH, size << 1);
      if (done < count / 10 && done + batch.length >= count / 10) await onTenth();
      done += batch.length;
    }
    return {
      inputs: this.#inputs,
      kept: this.#corpus.length - this.#harness.seeds.length,
      slowestMs: this.#slowestMs,
      failures: [...this.#failed.values()],
    };
  }

  /** The input to change next: often one that was kept lately. */
  #pick(): Uint8Array {
    const length = this.#corpus.length;
    const from = this.#choices.once(2) ? length - Math.ceil(length / 4) : 0;
    return this.#corpus[this.#choices.between(from, length - 1)];
  }

  /** Runs inputs; whether one of them reached something new. */
  async #runBatch(batch: Uint8Array[]): Promise<boolean> {
    for (const input of batch) await this.#try(input);
    if (this.#coverage === undefined) return false;
    const reached = await this.#coverage.take();
    if (!this.#coverage.isNew(reached)) return false;
    await this.#keep(batch, reached);
    this.#coverage.add(reached);
    return true;
  }

  /** Finds those in a batch that reached something new, by halves. */
  async #keep(batch: Uint8Array[], reached: Reached): Promise<void> {
    const coverage = this.#coverage!;
    if (batch.length === 1) {
      coverage.add(reached);
      if (this.#corpus.length < MAX_KEPT) this.#corpus.push(batch[0]);
      return;
    }
    const middle = batch.length >> 1;
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
      for (const input of half) await this.#try(input);
      const ofHalf = await coverage.take();
      if (coverage.isNew(ofHalf)) await this.#keep(half, ofHalf);
    }
  }

  async #try(input: Uint8Array): Promise<void> {
    const begin = performance.now();
    const message = await this.#messageOf(input);
    this.#inputs++;
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - begin);
    if (message === undefined || this.#failed.has(kindOf(message))) return;
    const fails = async (smaller: Uint8Array) => {
      const other = await this.#messageOf(smaller);
      return other !== undefined && kindOf(other) === kindOf(message);
    };
    const smaller = await shrink(input, fails);
    this.#failed.set(kindOf(message), { input: smaller, message: await this.#messageOf(smaller) ?? message });
  }

  /** What the target throws at an input. */
  async #messageOf(input: Uint8Array): Promise<string | undefined> {
    this.#guard.begin(input);
    try {
      const running = this.#harness.run(input);
      if (running !== undefined) await running;
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.stack ?? error.message : String(error);
    } finally {
      this.#guard.end();
    }
  }
}

/** Messages of one kind differ in numbers, ids and quoted parts. */
function kindOf(message: string): string {
  return message.split("\n")[0].replaceAll(/"(?:[^"\\]|\\.)*"|[0-9a-f]{8,}|\d+/g, "#").slice(0, 80);
}
