/**
 * Runs the tests on the packages of jsr.io: in a copy of the project without `links`, without `offline/`, and without a
 * lock file, which would hold to the stand-ins. Needs jsr.io, or the mirror that `JSR_URL` names.
 *
 * @module
 */

const project = new URL("../", import.meta.url);
const copy = Deno.makeTempDirSync({ prefix: "mnema-jsr-" });

try {
  for (const name of ["mod.ts", "cli.ts", "proof.ts", "README.md", "src", "tests"]) {
    copyAll(new URL(name, project), `${copy}/${name}`);
  }
  const { links: _, ...config } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", project)));
  Deno.writeTextFileSync(`${copy}/deno.json`, JSON.stringify({ ...config, lock: false }));
  const { code } = await new Deno.Command(Deno.execPath(), { args: ["task", "test"], cwd: copy }).spawn().status;
  Deno.exitCode = code;
} finally {
  Deno.removeSync(copy, { recursive: true });
}

function copyAll(from: URL, to: string): void {
  if (!Deno.statSync(from).isDirectory) return Deno.copyFileSync(from, to);
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) copyAll(new URL(`${from.href}/${name}`), `${to}/${name}`);
}
