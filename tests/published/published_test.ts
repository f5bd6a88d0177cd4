import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { blocks, commands, DOCUMENTATION, DOCUMENTS, TEXTS } from "../documentation.ts";
import { withFolder } from "../folder.ts";
import { someNotes } from "./notes.ts";
import { publish, readConfig } from "./package.ts";
import { filesIn, Registry } from "./registry.ts";

const project = new URL("../../", import.meta.url);
const { name, version, imports } = readConfig();
const utf8 = new TextDecoder();

let registry: Registry;

Deno.test.beforeAll(async () => {
  registry = await Registry.withPackage();
});

Deno.test.afterAll(() => registry[Symbol.asyncDispose]());

/** A user's machine: a home with only npm's packages, and a working folder. */
class Machine {
  readonly work: string;
  readonly #env: Record<string, string>;

  private constructor(folder: string) {
    this.work = `${folder}/work`;
    const bin = Deno.execPath().replace(/\/[^/]*$/, "");
    const path = `${folder}/home/.deno/bin:${bin}:${Deno.env.get("PATH")}`;
    // Settings of certificates and proxies are kept; those of folders are not.
    const inherited = Object.entries(Deno.env.toObject()).filter(([name]) =>
      !/^(DENO_(?!TLS|CERT)|XDG_|MNEMA_)/.test(name)
    );
    this.#env = {
      ...Object.fromEntries(inherited),
      HOME: `${folder}/home`,
      PATH: path,
      JSR_URL: registry.url,
      NO_COLOR: "1",
    };
  }

  static use(use: (machine: Machine) => Promise<void>): Promise<void> {
    return withFolder(async (folder) => {
      Deno.mkdirSync(`${folder}/home`);
      Deno.mkdirSync(`${folder}/work`);
      const machine = new Machine(folder);
      // Keeps Deno from fetching packages from npm again.
      const cache = npmCache(await machine.runs("deno", "info", "--json"));
      Deno.mkdirSync(cache.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.symlinkSync(npmCache(utf8.decode(deno("info", "--json").stdout)), cache);
      await use(machine);
    });
  }

  /** Runs a command that must succeed, and returns its standard output. */
  async runs(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args,
      cwd: this.work,
      clearEnv: true,
      env: this.#env,
    }).output();
    assertEquals(code, 0, utf8.decode(stdout) + utf8.decode(stderr));
    return utf8.decode(stdout);
  }

  /** Runs a shell script that must succeed. */
  shell(script: string): Promise<string> {
    return this.runs("sh", "-eu", "-c", script);
  }
}

function deno(...args: string[]): Deno.CommandOutput {
  return new Deno.Command(Deno.execPath(), { args }).outputSync();
}

function npmCache(info: string): string {
  return JSON.parse(info).npmCache;
}

/** The documented commands that install `mnema`, the README's first. */
function installations(): string[] {
  return commands("deno install");
}

Deno.test("the published files are the package's files, each the source with its imports resolved", () => {
  const folder = registry.folderOf(name, version);
  const files = filesIn(folder);
  const documents = DOCUMENTS.map((path) => `/${path}`);
  const own = ["/LICENSE", ...documents, "/cli.ts", "/deno.json", "/mod.ts", "/proof.ts", "/stream.ts", "/sync.ts"]
    .sort();
  assertEquals(files.filter((path) => !/^\/src\/[a-z0-9_/]+\.ts$/.test(path)), own);
  assertEquals(files.length - own.length, filesIn(new URL("src", project).pathname).length);
  for (const path of files.filter((path) => path !== "/deno.json")) {
    const source = Deno.readTextFileSync(new URL(`.${path}`, project));
    assertEquals(Deno.readTextFileSync(folder + path), path.endsWith(".ts") ? resolved(source) : source, path);
  }
  const { links, ...rest } = JSON.parse(Deno.readTextFileSync(`${folder}/deno.json`));
  assertEquals([links, rest.name, rest.version], [undefined, name, version]);
});

/** A source text with the import specifiers of `deno.json` resolved, except in comments. */
function resolved(source: string): string {
  const imported = /^(?! *\*)(.*(?:\bfrom |\bimport\())"([^".][^"]*)"/gm;
  return source.replace(imported, (whole, before: string, specifier: string) => {
    const mapped = Object.keys(imports).find((key) => specifier === key || specifier.startsWith(`${key}/`));
    if (mapped === undefined) return whole;
    const path = specifier.slice(mapped.length);
    return `${before}"${path === "" ? imports[mapped] : imports[mapped].replace("npm:", "npm:/") + path}"`;
  });
}

Deno.test("a warning of deno publish is a failure", async () => {
  await withFolder(async (folder) => {
    const config = { name: "@mnema/warned", version: "1.0.0", license: "MIT", exports: "./mod.ts" };
    Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify(config));
    Deno.writeTextFileSync(`${folder}/mod.ts`, "export const one = 1;\n");
    await publish(folder, ["--dry-run"]);
    // deno publish takes a function of this name for Node's.
    const source = "const require = (text: string) => text;\nexport const one: string = require(String(1));\n";
    Deno.writeTextFileSync(`${folder}/mod.ts`, source);
    await assertRejects(() => publish(folder, ["--dry-run"]), Error, "unanalyzable");
  });
});

Deno.test("the documented examples run on the published module, with an empty folder and home", async () => {
  await Machine.use(async (machine) => {
    const [command] = /deno add jsr:\S+/.exec(DOCUMENTATION.replaceAll("`", " "))!;
    await machine.shell(`${command} jsr:@std/assert`);
    Deno.mkdirSync(`${machine.work}/docs`);
    for (const [i, path] of DOCUMENTS.entries()) Deno.writeTextFileSync(`${machine.work}/${path}`, TEXTS[i]);
    const out = await machine.runs("deno", "test", "--doc", "--allow-all", ...DOCUMENTS);
    const examples = blocks(DOCUMENTATION, "ts").length;
    assert(examples >= 5);
    assertMatch(out, new RegExp(`ok \\| ${examples} passed \\| 0 failed`));
  });
});

Deno.test("each documented way to install mnema works as written, with an empty home", async () => {
  const found = installations();
  assert(found.length >= 3, "it is documented how to install for this folder, for a fixed one, and for all");
  for (const installation of found) {
    await Machine.use(async (machine) => {
      await machine.shell(installation);
      const downloads = registry.requests.length;
      const folder = /allow-read="?\$HOME\/([a-z]+)/.exec(installation)?.[1];
      const start = folder === undefined ? "" : `mkdir "$HOME/${folder}"; cd "$HOME/${folder}"; `;
      const out = await machine.shell(
        `${start}mnema init; mnema append evidence.add '{"source":"shop","kind":"receipt","content":{}}'
        mnema assert drink '"tea"' --confidence 0.8 --deriver taste@1 --from "$(mnema heads)"
        mnema claims drink --json; mnema audit; mnema checkpoint`,
      );
      assertStringIncludes(out, '"key":"drink"');
      assertStringIncludes(out, "nothing found in 2 operations");
      assertEquals(registry.requests.slice(downloads), [], "the installed command needs nothing more from JSR");
    });
  }
});

Deno.test("an import by the installed command starts workers from the registry, without network access", async () => {
  await Machine.use(async (machine) => {
    await machine.shell(installations()[0]);
    Deno.writeTextFileSync(`${machine.work}/notes.jsonl`, someNotes(3000));
    const downloads = registry.requests.length;
    const out = await machine.shell("mnema init >/dev/null; mnema import notes.jsonl; mnema audit");
    assertEquals(out, "new 3000, known 0, refused 0\nnothing found in 3000 operations\n");
    assertEquals(registry.requests.slice(downloads), []);
  });
});

Deno.test("the installed command draws a picture by Graphviz", async () => {
  await Machine.use(async (machine) => {
    await machine.shell(installations()[0]);
    const commands = "mnema init >/dev/null; mnema assert drink tea >/dev/null; mnema explain drink --format svg 2>&1";
    assertMatch(await machine.shell(commands), /^<svg [^\n]*<\/svg>\n$/); // no note that it could not
  });
});

Deno.test("workers start from a module served over HTTP", async () => {
  await Machine.use(async (machine) => {
    Deno.writeTextFileSync(`${machine.work}/notes.jsonl`, someNotes(3000));
    Deno.writeTextFileSync(
      `${machine.work}/main.js`,
      `let started = 0;
      const { Worker } = globalThis;
      globalThis.Worker = class extends Worker {
        constructor(...args) {
          super(...args);
          this.addEventListener("message", ({ data }) => data === "started" && started++);
        }
      };
      const { OpLog } = await import("jsr:${name}@^${version}");
      using log = OpLog.open();
      const report = await log.ingest((await Deno.open("notes.jsonl")).readable, { workers: 2 });
      console.log(report.new, started);`,
    );
    const flags = ["--allow-read=.", "--allow-ffi", "--allow-env=DENO_SQLITE_PATH,DENO_SQLITE_LOCAL", "--no-prompt"];
    assertEquals(await machine.runs("deno", "run", ...flags, "main.js"), "3000 2\n");
  });
});
