/**
 * Which parts of the source were reached, from V8's precise coverage: so that the fuzzer keeps the inputs that reach new
 * ones. Only functions that are compiled after the start are seen block by block: start it before the code is imported.
 *
 * @module
 */

import { type Profiler, Session } from "node:inspector";

/** A range of a source, in characters. */
type Range = readonly [start: number, end: number];

/** What was reached since the start. */
export class Coverage {
  readonly #session = new Session();
  readonly #root: string;
  /** Of each function that was reached, the ranges that never were. */
  readonly #unreached = new Map<string, readonly Range[]>();

  private constructor(root: string) {
    this.#root = root;
    this.#session.connect();
  }

  /**
   * Starts the recording.
   *
   * @param root Only sources whose URL begins with it count.
   */
  static async start(root: string): Promise<Coverage> {
    const coverage = new Coverage(root);
    await coverage.#post("Profiler.enable");
    await coverage.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    return coverage;
  }

  /** What was reached since it was last asked for. */
  async take(): Promise<Reached> {
    const { result } = await this.#post("Profiler.takePreciseCoverage") as Profiler.TakePreciseCoverageReturnType;
    const reached: Reached = new Map();
    for (const { url, functions } of result) {
      if (!url.startsWith(this.#root)) continue;
      for (const { ranges } of functions) {
        const [whole, ...blocks] = ranges;
        if (whole.count === 0) continue;
        const name = `${url}:${whole.startOffset}:${whole.endOffset}`;
        reached.set(
          name,
          blocks.filter(({ count }) => count === 0).map(({ startOffset, endOffset }) => [startOffset, endOffset]),
        );
      }
    }
    return reached;
  }

  /** Whether something in it was never reached before. */
  isNew(reached: Reached): boolean {
    for (const [name, ranges] of reached) {
      const before = this.#unreached.get(name);
      if (before === undefined || sizeOf(common(before, ranges)) < sizeOf(before)) return true;
    }
    return false;
  }

  /** From now on, this counts as reached. */
  add(reached: Reached): void {
    for (const [name, ranges] of reached) {
      const before = this.#unreached.get(name);
      this.#unreached.set(name, before === undefined ? ranges : common(before, ranges));
    }
  }

  /** How many functions were reached, and how many parts of them never were. */
  get figures(): { functions: number; unreached: number } {
    const unreached = [...this.#unreached.values()].reduce((count, ranges) => count + ranges.length, 0);
    return { functions: this.#unreached.size, unreached };
  }

  #post(method: string, parameters: object = {}): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#session.post(method, parameters, (error: Error | null, result?: object) => {
      if (error) reject(error);
      else resolve(result);
    });
    return promise;
  }
}

/** By function, the parts of it that were not reached. */
export type Reached = Map<string, readonly Range[]>;

/** What is in both of two sorted lists of ranges. */
function common(a: readonly Range[], b: readonly Range[]): Range[] {
  const both: Range[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length;) {
    const [start, end] = [Math.max(a[i][0], b[k][0]), Math.min(a[i][1], b[k][1])];
    if (start < end) both.push([start, end]);
    if (a[i][1] < b[k][1]) i++;
    else k++;
  }
  return both;
}

function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((size, [start, end]) => size + end - start, 0);
}
