/**
 * A short torture run, with a seed of its own each time: a finding names the command that repeats it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { runs } from "../runs.ts";
import { Context, repeatCommand } from "./part.ts";
import { PARTS } from "./parts.ts";

const seed = crypto.getRandomValues(new Uint32Array(1))[0];

for (const part of PARTS) {
  Deno.test({
    name: `torture, ${part.name}: ${part.skipped ?? part.summary}`,
    ignore: part.skipped !== undefined,
    async fn() {
      const context = new Context(part.name, seed, { steps: runs(part.short) });
      await part.run(context);
      assertEquals(context.findings.map((finding) => `${finding.message}\n${repeatCommand(finding, seed)}`), []);
    },
  });
}
