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
  { name: "json", short: 1500, long: 1_000_000 },
  { name: "operation", short: 600, long: 300_000 },
  { name: "bodies", short: 1000, long: 800_000 },
  { name: "block", short: 100, long: 15_000 },
  { name: "workers", short: 15, long: 4000 },
  { name: "stream", short: 15, long: 2000 },
  { name: "key_file", short: 200, long: 50_000 },
  { name: "proofs", short: 80, long: 10_000 },
  { name: "names", short: 600, long: 600_000 },
  { name: "claims", short: 4, long: 500 },
  { name: "negentropy", short: 40, long: 10_000 },
  { name: "messages", short: 1000, long: 1_000_000 },
  { name: "session", short: 8, long: 1500 },
  { name: "frames", short: 60, long: 30_000 },
  { name: "signature", short: 30, long: 20_000 },
  { name: "page", short: 12, long: 6000 },
  { name: "sql", short: 500, long: 400_000 },
  { name: "structure", short: 60, long: 30_000 },
];
