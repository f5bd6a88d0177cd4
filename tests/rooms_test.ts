import { assert, assertEquals } from "@std/assert";

/** What stands in `src/`, in an order in which each may import only what comes before it. */
const ROOMS = [
  "errors.ts",
  "bytes.ts",
  "text.ts",
  "keys",
  "wire",
  "tlog",
  "sqlite",
  "log",
  "ingest",
  "derived",
  "claims",
  "built_in.ts",
  "checkpoints",
  "audit",
  "render",
  "oplog.ts",
  "cli",
];
/** Rooms whose modules compute and touch no file, nor does what they import. */
const PURE = ["wire", "tlog", "render"];
/** What such modules may import from other packages. */
const PURE_PACKAGES = [
  "@noble/ed25519",
  "@noble/hashes/sha2.js",
  "hash-wasm",
  "string-width",
  "node:buffer",
  "node:crypto",
];
/** How a module of ours would touch one. */
const FILE_ACCESS = /\bDeno\.(?!errors\b)|\bnew Worker\b|\bfetch\(/;

const root = new URL("../", import.meta.url);

/** What each module of the project imports, types included; others' modules have no entry. */
function readGraph(): Map<string, string[]> {
  const entry = Deno.makeTempFileSync({ suffix: ".ts" });
  const modules = [
    ...sourceFiles(new URL("src/", root)),
    ...["mod", "cli", "proof"].map((door) => `${root}${door}.ts`),
  ];
  Deno.writeTextFileSync(entry, modules.map((url) => `import ${JSON.stringify(url)};\n`).join(""));
  try {
    const args = ["info", "--json", "--no-lock", "--config", new URL("deno.json", root).pathname, entry];
    const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), { args }).outputSync();
    assert(success, new TextDecoder().decode(stderr));
    const info: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
    const own = info.modules.filter(({ specifier }) => modules.includes(specifier));
    return new Map(own.map(({ specifier, dependencies = [] }) => [specifier, dependencies.map(targetOf)]));
  } finally {
    Deno.removeSync(entry);
  }
}

interface Module {
  specifier: string;
  dependencies?: Dependency[];
}

interface Dependency {
  specifier: string;
  code?: { specifier?: string };
  type?: { specifier?: string };
}

/** Where an import leads: a module, or what is written where that is no relative path. */
function targetOf({ specifier, code, type }: Dependency): string {
  return specifier.startsWith(".") ? code?.specifier ?? type?.specifier ?? specifier : specifier;
}

function* sourceFiles(folder: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sourceFiles(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

/** The room that a module of `src/` is in; the doors are in none. */
function roomOf(url: string): string | undefined {
  return url.startsWith(`${root}src/`) ? url.slice(`${root}src/`.length).split("/")[0] : undefined;
}

const graph = readGraph();
const short = (url: string) => url.replace(`${root}`, "");

Deno.test("no module imports itself over others, types included", () => {
  const done = new Set<string>();
  const visit = (module: string, path: string[]) => {
    assert(!path.includes(module), [...path.slice(path.indexOf(module)), module].map(short).join(" → "));
    if (done.has(module)) return;
    for (const next of graph.get(module) ?? []) visit(next, [...path, module]);
    done.add(module);
  };
  for (const module of graph.keys()) visit(module, []);
  assert(done.size > 100);
});

Deno.test("a room imports only what comes before it in the list", () => {
  const upward = [...graph].flatMap(([module, imports]) => {
    const room = roomOf(module);
    if (room === undefined) return [];
    assert(ROOMS.includes(room), `${short(module)} is in no room that is listed`);
    return imports
      .filter((target) => graph.has(target))
      .filter((target) => ROOMS.indexOf(roomOf(target) ?? "") > ROOMS.indexOf(room) || roomOf(target) === undefined)
      .map((target) => `${short(module)} imports ${short(target)}`);
  });
  assertEquals(upward, []);
});

Deno.test("wire, tlog and render touch no file, and import nothing that does", () => {
  const pure = new Set([...graph.keys()].filter((module) => PURE.includes(roomOf(module) ?? "")));
  assert(pure.size > 20);
  for (const module of pure) {
    for (const target of graph.get(module)!) {
      if (graph.has(target)) pure.add(target); // and so is looked at in its turn
      else assert(PURE_PACKAGES.includes(target), `${short(module)} imports ${target}`);
    }
    const code = Deno.readTextFileSync(new URL(module)).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
    assertEquals(code.match(FILE_ACCESS)?.[0], undefined, short(module));
  }
});
