/**
 * The list of what is fuzzed. To add something, write a module in `targets/` that exports a `target`, and name it here.
 *
 * @module
 */

/** How much a target is fuzzed. */
export interface TargetEntry {
  /** The name of its module, without `.ts`. */
  readonly name: string;
  /** How many inputs in the first step, which fuzzes all targets: a fraction of a second. */
  readonly short: number;
  /** How many inputs in a step of its own: some ten seconds. */
  readonly long: number;
}

/** All targets. */
export const TARGETS: readonly TargetEntry[] = [
  { name: "json", short: 4000, long: 500_000 },
  { name: "operation", short: 1500, long: 150_000 },
  { name: "bodies", short: 3000, long: 400_000 },
  { name: "block", short: 300, long: 40_000 },
  { name: "workers", short: 60, long: 10_000 },
  { name: "stream", short: 60, long: 6000 },
  { name: "key_file", short: 500, long: 100_000 },
  { name: "proofs", short: 300, long: 30_000 },
  { name: "names", short: 1500, long: 200_000 },
  { name: "claims", short: 10, long: 1500 },
  { name: "negentropy", short: 200, long: 50_000 },
  { name: "messages", short: 2000, long: 300_000 },
  { name: "session", short: 20, long: 4000 },
];
