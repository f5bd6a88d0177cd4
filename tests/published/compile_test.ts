import { assert, assertEquals } from "@std/assert";
import { commands } from "../documentation.ts";
import { withFolder } from "../folder.ts";
import { works } from "../processes.ts";
import { someNotes } from "./notes.ts";
import { filesIn } from "./registry.ts";

const project = new URL("../../", import.meta.url);

/** Whether `deno compile` cannot run: it downloads its runtime. */
const cannotCompile = withFolder((folder) => {
  Deno.writeTextFileSync(`${folder}/empty.ts`, "");
  return !works(Deno.execPath(), "compile", "--quiet", "--output", `${folder}/empty`, `${folder}/empty.ts`);
});

/** Runs the documented `deno compile` with another output path. */
async function compile(output: string, env: Record<string, string> = {}): Promise<void> {
  const [command] = commands("deno compile");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: command.replaceAll("\\\n", " ").trim().split(/\s+/).slice(1).map((arg) => arg === "mnema" ? output : arg),
    cwd: project,
    env,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** The modules that workers are started from, as paths in the project. */
function workerModules(): string[] {
  const found = filesIn(decodeURIComponent(new URL("src", project).pathname)).flatMap((path) => {
    const module = new URL(`src${path}`, project);
    const urls = Deno.readTextFileSync(module).matchAll(/new URL\("([^"]+\.ts)", import\.meta\.url\)/g);
    return [...urls].map(([, url]) => new URL(url, module).href.slice(project.href.length));
  });
  assert(found.includes("src/ingest/worker.ts"));
  return found;
}

Deno.test("the documented deno compile includes the workers' modules", async () => {
  await withFolder(async (folder) => {
    // The Deno executable serves as the runtime, as the program is not run here.
    await compile(`${folder}/mnema`, { DENORT_BIN: Deno.execPath() });
    const compiled = new TextDecoder("latin1").decode(Deno.readFileSync(`${folder}/mnema`));
    for (const path of workerModules()) {
      const [, comment] = Deno.readTextFileSync(new URL(path, project)).match(/^ \* (.+)$/m)!;
      assert(compiled.includes(comment), `${path} is not in it: name it with --include`);
    }
  });
});

Deno.test({
  name: "the compiled program runs in any folder, and imports and audits",
  ignore: cannotCompile,
  async fn() {
    await withFolder(async (folder) => {
      await compile(`${folder}/mnema`);
      Deno.writeTextFileSync(`${folder}/notes.jsonl`, someNotes(3000));
      const script = `./mnema init >init; ./mnema import notes.jsonl; ./mnema append note '{}' >id; ./mnema audit`;
      const { code, stdout, stderr } = await new Deno.Command("sh", { args: ["-eu", "-c", script], cwd: folder })
        .output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      assertEquals(
        new TextDecoder().decode(stdout),
        "new 3000, known 0, refused 0\nnothing found in 3001 operations\n",
      );
    });
  },
});
