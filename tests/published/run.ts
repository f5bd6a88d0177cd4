/**
 * Runs the tests on the bytes that would be published, in a folder of their own. Arguments are for `deno test`: which
 * tests to run.
 *
 * With `--jsr`, it uses the packages of jsr.io, or of the mirror that `JSR_URL` names, instead of the substitutes under
 * `offline/`, and no lock file, which would require these. `DENO_SQLITE_PATH` must then name SQLite's library, as
 * the tests may not download one.
 *
 * @module
 */

import { copyIn, readConfig } from "./package.ts";
import { filesIn, Registry } from "./registry.ts";

/** Tests that take long, and are about something else than how the modules are published. */
const IGNORED = [
  "tests/torture",
  "tests/packages",
  "tests/audit/structure_test.ts",
  "tests/audit/tampering_test.ts",
  "tests/audit/wal_test.ts",
  "tests/derived/damage_test.ts",
  "tests/stream/cluster_test.ts",
  "tests/web/browser_test.ts",
];

const onJsr = Deno.args.includes("--jsr");
const { links, tasks, name, version } = readConfig();
const folder = Deno.makeTempDirSync({ prefix: "mnema-published-" });

try {
  {
    await using registry = await Registry.withPackage();
    const published = registry.folderOf(name, version);
    for (const path of filesIn(published)) {
      Deno.mkdirSync(`${folder}${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.copyFileSync(published + path, folder + path);
    }
  }
  copyIn("tests", folder, ["tests/published"]);
  const config = JSON.parse(Deno.readTextFileSync(`${folder}/deno.json`));
  if (onJsr) {
    Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify({ ...config, tasks, lock: false }));
  } else {
    for (const path of [...links, "deno.lock"]) copyIn(path, folder);
    Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify({ ...config, tasks, links }));
  }
  const args = ["task", "test", `--ignore=${IGNORED.join()}`, ...Deno.args.filter((arg) => arg !== "--jsr")];
  const test = new Deno.Command(Deno.execPath(), { args, cwd: folder }).spawn();
  Deno.exitCode = (await test.status).code;
} finally {
  Deno.removeSync(folder, { recursive: true });
}
