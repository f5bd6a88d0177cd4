/** Audits the log at a path, and says how many operations there are, and what is found. */

import { audit } from "../../../src/audit/audit.ts";

try {
  const { operations, findings } = await audit(Deno.args[0], { workers: 0 });
  console.log(JSON.stringify({ operations, findings }));
} catch (error) {
  console.log(JSON.stringify({ error: (error as { code?: string }).code ?? String(error) }));
}
