import { Identity, Operation } from "../../mod.ts";

/** Operations as JSON lines. An import of several thousand starts workers. */
export function someNotes(count: number): string {
  const author = Identity.generate();
  const draft = (ts: number) => ({ type: "note", body: { text: "x".repeat(100) }, prev: [], ts });
  return Array.from({ length: count }, (_, ts) => Operation.create(draft(ts), author).wire + "\n").join("");
}
