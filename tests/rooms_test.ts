import { assert, assertEquals } from "@std/assert";

/** The rooms in `src/`; each may import only from those before it. */
const ROOMS = [
  "errors.ts",
  "bytes.ts",
  "text.ts",
  "sums.ts",
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
  "layout",
  "oplog.ts",
  "sync",
  "stream",
  "web",
  "cli",
];
/** Folders without file access, including everything that they import. */
const PURE = ["wire", "tlog", "render", "sync/negentropy"];
/** The external modules that pure rooms may import. */
const PURE_PACKAGES = [
  "@noble/ed25519",
  "@noble/hashes/sha2.js",
  "hash-wasm",
  "string-width",
  "node:buffer",
  "node:crypto",
];
/** Source code that accesses a file, the network or a worker. */
const FILE_ACCESS = /\bDeno\.(?!errors\b)|\bnew Worker\b|\bfetch\(/;

const root = new URL("../", import.meta.url);

/** The imports of each module of the project, type imports included. */
function readGraph(): Map<string, string[]> {
  const entry = Deno.makeTempFileSync({ suffix: ".ts" });
  const modules = [
    ...sourceFiles(new URL("src/", root)),
    ...["mod", "cli", "proof", "stream", "sync"].map((door) => `${root}${door}.ts`),
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

/** The target of an import: the module of a relative path, or else the package without its registry and version. */
function targetOf({ specifier, code, type }: Dependency): string {
  if (specifier.startsWith(".")) return code?.specifier ?? type?.specifier ?? specifier;
  return specifier.replace(/^(?:npm|jsr):\/?(@?[^@]+)@[^/]+/, "$1"); // as the published modules name it
}

function* sourceFiles(folder: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sourceFiles(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

/** The room of a module in `src/`; the doors, such as `mod.ts`, have none. */
function roomOf(url: string): string | undefined {
  return url.startsWith(`${root}src/`) ? url.slice(`${root}src/`.length).split("/")[0] : undefined;
}

const graph = readGraph();
const short = (url: string) => url.replace(`${root}`, "");

Deno.test("imports have no cycles, type imports included", () => {
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

Deno.test("a room imports only from rooms before it in the list", () => {
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

Deno.test(`${PURE.join(", ")} access no file and import no module that does`, () => {
  const pure = new Set(
    [...graph.keys()].filter((module) => PURE.some((room) => module.startsWith(`${root}src/${room}/`))),
  );
  assert(pure.size > 20);
  for (const module of pure) {
    for (const target of graph.get(module)!) {
      if (graph.has(target)) pure.add(target); // the loop reaches it later
      else assert(PURE_PACKAGES.includes(target), `${short(module)} imports ${target}`);
    }
    const code = Deno.readTextFileSync(new URL(module)).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
    assertEquals(code.match(FILE_ACCESS)?.[0], undefined, short(module));
  }
});
