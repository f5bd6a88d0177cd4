/**
 * Publishes the package: runs `deno publish` with the arguments given, in a folder that holds nothing but what is
 * published, once a dry run has neither failed nor warned. With `--dry-run` that is all.
 *
 * @module
 */

import { publish, writePackage } from "./package.ts";

const folder = Deno.makeTempDirSync({ prefix: "mnema-publish-" });
try {
  const cwd = writePackage(folder);
  await publish(cwd, ["--dry-run"]);
  if (!Deno.args.includes("--dry-run")) {
    const args = ["publish", ...Deno.args];
    Deno.exitCode = (await new Deno.Command(Deno.execPath(), { args, cwd }).spawn().status).code;
  }
} catch (error) {
  console.error((error as Error).message);
  Deno.exitCode = 1;
} finally {
  Deno.removeSync(folder, { recursive: true });
}
