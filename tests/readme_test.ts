import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withFolder } from "./folder.ts";

const project = new URL("../", import.meta.url);
const readme = Deno.readTextFileSync(new URL("README.md", project));

/** The arguments of the `deno run` line of the README, up to `cli.ts`. */
function runArgs(): string[] {
  const line = readme.match(/deno run ((?:--\S+\s+(?:\\\s+)?)+)cli\.ts/);
  assert(line !== null, "the README shows how to run cli.ts");
  return line[1].replaceAll("\\", "").trim().split(/\s+/);
}

/** The examples of the README and of every source file. */
function examples(): string[] {
  const read = (folder: URL): string[] =>
    [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? read(new URL(`${name}/`, folder)) : Deno.readTextFileSync(new URL(name, folder))
    );
  return [readme, ...read(new URL("src/", project))].flatMap((text) => text.match(/```ts\n[^]*?```/g) ?? []);
}

Deno.test("no example leaves a file behind", () => {
  const making = examples().filter((example) => /makeTemp|\.save\(/.test(example));
  assert(making.length >= 3);
  for (const example of making) assertStringIncludes(example, "Deno.removeSync(folder, { recursive: true });");
});

/** Runs a shell script in a folder, with `mnema` on its path. */
function shell(script: string, folder: string, mnema: string): { code: number; out: string; err: string } {
  const { code, stdout, stderr } = new Deno.Command("sh", {
    args: ["-eu", "-c", script],
    cwd: folder,
    env: { PATH: `${mnema}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
  }).outputSync();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("the README's commands run as they are written, with the permissions that it names", () => {
  withFolder((folder) => {
    const bin = `${folder}/bin`;
    Deno.mkdirSync(bin);
    const cli = decodeURIComponent(new URL("cli.ts", project).pathname);
    const command = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...runArgs(), cli].map((word) => `'${word}'`)
      .join(" ");
    Deno.writeTextFileSync(`${bin}/mnema`, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });

    const [, script] = readme.split("<!-- The tests run this block. -->")[1].match(/```sh\n([^`]*)```/)!;
    const { code, out, err } = shell(script, folder, bin);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "new 2, known 0, refused 0");
    assertStringIncludes(out, "shape, content address and signature");
    assertEquals(JSON.parse(out.trimEnd().split("\n").at(-1)!).operations, 2);
  });
});

Deno.test({
  name: "deno task install puts a command on the path that works anywhere",
  ignore: !exists("offline/import_map.json"), // a copy without the stand-ins installs from JSR
  fn() {
    withFolder((folder) => {
      const { success, stderr } = new Deno.Command(Deno.execPath(), {
        args: ["task", "install"],
        cwd: project,
        env: { DENO_INSTALL_ROOT: folder },
      }).outputSync();
      assert(success, new TextDecoder().decode(stderr));
      // The installed command runs the `deno` on the path.
      Deno.symlinkSync(Deno.execPath(), `${folder}/bin/deno`);
      const { code, out, err } = shell("mnema init --json; mnema heads", folder, `${folder}/bin`);
      assertEquals([code, err], [0, ""]);
      assertEquals(JSON.parse(out).log, "mnema.db");
    });
  },
});

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, project));
    return true;
  } catch {
    return false;
  }
}
