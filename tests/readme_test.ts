import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { OpLog } from "../mod.ts";
import { blocks, commands, DOCUMENTS, TEXTS } from "./documentation.ts";
import { withDatabase, withFolder } from "./folder.ts";
import { note, vectorOperations } from "./operations.ts";
import { works } from "./processes.ts";

const project = new URL("../", import.meta.url);

/** The arguments of the documented `deno run`, up to `cli.ts`. */
function runArgs(): string[] {
  const [command] = commands("deno run");
  return command.replaceAll("\\", "").trim().split(/\s+/).slice(2, -2);
}

/** The example code of the documentation and of every source file. */
function examples(): string[] {
  const read = (folder: URL): string[] =>
    [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? read(new URL(`${name}/`, folder)) : Deno.readTextFileSync(new URL(name, folder))
    );
  return [...TEXTS, ...read(new URL("src/", project))].flatMap((text) => text.match(/```ts\n[^]*?```/g) ?? []);
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

/** Writes a program `mnema` to a folder that runs the command line with the documented permissions. */
function installIn(bin: string): void {
  Deno.mkdirSync(bin);
  const cli = decodeURIComponent(new URL("cli.ts", project).pathname);
  const command = [Deno.execPath(), "run", "--quiet", "--no-prompt", ...runArgs(), cli].map((word) => `'${word}'`)
    .join(" ");
  Deno.writeTextFileSync(`${bin}/mnema`, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
}

/** Runs the marked block of shell commands of a document in a folder, and returns the output. */
function runBlock(path: string, folder: string): string {
  installIn(`${folder}/bin`);
  const text = TEXTS[DOCUMENTS.indexOf(path)];
  const [script] = blocks(text.split("<!-- The tests run this block. -->")[1], "sh");
  const { code, out, err } = shell(script, folder, `${folder}/bin`);
  assertEquals([code, err], [0, ""]);
  return out;
}

Deno.test("the README's commands run as written, with the documented permissions", () => {
  withFolder((folder) => {
    const out = runBlock("README.md", folder);
    assertStringIncludes(out, 'drink = "green tea"');
    assertStringIncludes(out, "exported 2 to backup.jsonl\n");
    assertStringIncludes(out, "nothing found in 2 operations\n");
  });
});

Deno.test("the commands in docs/command-line.md run as written", () => {
  withFolder((folder) => {
    const out = runBlock("docs/command-line.md", folder);
    assertStringIncludes(out, "new 2, known 0, refused 0");
    assertStringIncludes(out, "shape, content address and signature");
    assertEquals(JSON.parse(out.trimEnd().split("\n").at(-1)!).operations, 3);
  });
});

Deno.test({
  name: "the Python in docs/formats.md checks the ids of a log",
  ignore: !works("python3", "-c", "import hashlib, json, sqlite3"),
  fn() {
    withFolder((folder) => {
      const path = `${folder}/log.db`;
      using log = OpLog.open(path);
      log.appendAll(vectorOperations());
      const [script] = blocks(TEXTS[DOCUMENTS.indexOf("docs/formats.md")], "python");
      const run = () => {
        const { code, stdout, stderr } = new Deno.Command("python3", { args: ["-c", script, path] }).outputSync();
        return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
      };
      const { code, out, err } = run();
      assertEquals([code, err, out.trimEnd().split("\n").length], [0, "", log.size]);

      const other = note("another");
      withDatabase(path, (database) => {
        database.prepare("INSERT INTO ops (op_id, type, author, ts, wire) VALUES (?, 'note', '', 0, ?)")
          .run("op_" + "0".repeat(64), other.wire);
      });
      assertStringIncludes(run().err, "AssertionError");
    });
  },
});

Deno.test("every link in the documentation has a published target", () => {
  const anchors = (text: string) =>
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    );
  let checked = 0;
  for (const [i, text] of TEXTS.entries()) {
    for (const [, link] of text.matchAll(/\]\(([^)]+)\)/g)) {
      if (link.startsWith("https://")) continue;
      const { pathname, hash } = new URL(link, new URL(DOCUMENTS[i], "file:///"));
      const target = DOCUMENTS.indexOf(pathname.slice(1));
      assert(target >= 0, `${DOCUMENTS[i]}: ${link}`);
      if (hash !== "") assert(anchors(TEXTS[target]).includes(hash.slice(1)), `${DOCUMENTS[i]}: ${link}`);
      checked++;
    }
  }
  assert(checked >= DOCUMENTS.length);
});

Deno.test({
  name: "deno task install installs a command that works in any folder",
  ignore: !exists("offline/import_map.json"), // without offline/, it would install from JSR
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
