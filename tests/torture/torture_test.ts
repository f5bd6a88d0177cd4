/**
 * A short torture run, each part in a process of its own. The seed is another each time; a finding names the command that
 * repeats it.
 *
 * @module
 */

import { assert } from "@std/assert";
import { runs } from "../runs.ts";
import { PARTS } from "./parts.ts";

const main = decodeURIComponent(new URL("main.ts", import.meta.url).pathname);
const utf8 = new TextDecoder();

for (const { name, summary, short, skipped, needsOriginal } of PARTS) {
  if (needsOriginal) continue; // the project is alone in its tests
  Deno.test({
    name: `torture, ${name}: ${skipped ?? summary}`,
    ignore: skipped !== undefined,
    async fn() {
      const args = ["run", "--quiet", "--allow-all", main, "--part", name, "--steps", `${runs(short)}`];
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
      assert(success, utf8.decode(stdout) + utf8.decode(stderr));
    },
  });
}
