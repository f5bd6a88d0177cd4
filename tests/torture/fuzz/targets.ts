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
  { name: "json", short: 3000, long: 1_000_000 },
  { name: "operation", short: 1000, long: 300_000 },
  { name: "bodies", short: 2000, long: 800_000 },
  { name: "block", short: 150, long: 15_000 },
  { name: "workers", short: 30, long: 4000 },
  { name: "stream", short: 30, long: 2000 },
  { name: "key_file", short: 300, long: 50_000 },
  { name: "proofs", short: 150, long: 10_000 },
  { name: "names", short: 1000, long: 600_000 },
  { name: "claims", short: 8, long: 500 },
  { name: "negentropy", short: 60, long: 10_000 },
  { name: "messages", short: 1500, long: 1_000_000 },
  { name: "session", short: 10, long: 1500 },
  { name: "frames", short: 100, long: 30_000 },
  { name: "signature", short: 40, long: 20_000 },
  { name: "sql", short: 1000, long: 400_000 },
  { name: "structure", short: 100, long: 30_000 },
];
