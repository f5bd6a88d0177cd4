import { assertEquals, assertMatch } from "@std/assert";
import { Identity } from "../../mod.ts";
import { Mnema } from "../cli/mnema.ts";
import { withFolder } from "../folder.ts";

const project = new URL("../../", import.meta.url);

/** A module that finds its library as `@db/sqlite` does: by the environment, or else by a download. */
const PACKAGE = `
  try {
    const path = Deno.env.get("DENO_SQLITE_PATH");
    if (Deno.env.get("DENO_SQLITE_LOCAL") !== "1" && path) {
      Deno.dlopen(path, { sqlite3_libversion_number: { parameters: [], result: "i32" } }).close();
    } else {
      if (!Deno.env.get("DENO_DIR") && !Deno.env.get("XDG_CACHE_HOME")) Deno.env.get("HOME");
      console.log("Downloading https://example.org/libsqlite3.so");
      DOWNLOAD;
    }
  } catch (cause) {
    throw new Error("Failed to load SQLite3 Dynamic Library", { cause });
  }
  export class Database {
    constructor() {
      throw new Error("unable to open database file");
    }
  }`;

/** A system without an SQLite library. */
const NO_LIBRARY = `
  const { dlopen } = Deno;
  Deno.dlopen = (name, symbols) => {
    if (/^(lib|win)?sqlite3[.a-z0-9]*$/.test(name)) throw new Error("Could not open library: " + name);
    return dlopen(name, symbols);
  };`;

const MAY_DOWNLOAD = [
  "--allow-read",
  "--allow-write",
  "--allow-ffi",
  "--allow-net",
  "--allow-env=MNEMA_LOG,MNEMA_KEY,DENO_SQLITE_PATH,DENO_SQLITE_LOCAL,DENO_DIR,HOME,XDG_CACHE_HOME",
];

/** Runs `use` with the command line, with this module in place of `@db/sqlite`. */
function withPackage(
  use: (mnema: Mnema) => Promise<void>,
  { download = "", preload = "" } = {},
): Promise<void> {
  return withFolder(async (folder) => {
    const { imports, links } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", project)));
    const stub = `file://${folder}/sqlite.js`;
    Deno.writeTextFileSync(`${folder}/sqlite.js`, PACKAGE.replace("DOWNLOAD", download));
    Deno.writeTextFileSync(`${folder}/preload.js`, preload);
    const config = {
      imports: { ...imports, "@db/sqlite": stub, [imports["@db/sqlite"]]: stub },
      links: links?.map((link: string) => decodeURIComponent(new URL(link, project).pathname)),
      lock: false,
    };
    Deno.writeTextFileSync(`${folder}/config.json`, JSON.stringify(config));
    const flags = [`--config=${folder}/config.json`, `--preload=${folder}/preload.js`, "--no-check"];
    const mnema = new Mnema(folder, { flags, env: { DENO_SQLITE_PATH: "", DENO_SQLITE_LOCAL: "" } });
    await use(mnema);
  });
}

Deno.test("the command line uses the system's library before the package searches for one", async () => {
  await withPackage(async (mnema) => {
    assertEquals(
      await mnema.refuses("log"),
      "there is no log mnema.db; create one with: mnema init, or name one with --log",
    );
  });
});

Deno.test("a library that cannot be loaded is reported in one sentence that says what to install", async () => {
  const ADVICE = /: install SQLite \(.+\), or set DENO_SQLITE_PATH to the path of its library$/;
  await withPackage(async (mnema) => {
    const named = mnema.with({ env: { DENO_SQLITE_PATH: "/none/libsqlite3.so" } });
    for (const command of ["init", "log", "audit", "stats"]) {
      assertMatch(
        await named.refuses(command),
        /^the SQLite library \/none\/libsqlite3\.so, which DENO_SQLITE_PATH names, cannot be loaded: install SQLite/,
      );
    }
    assertMatch(await named.refuses("log"), ADVICE);
    const names = [...Deno.readDirSync(mnema.folder)].map(({ name }) => name);
    assertEquals(names.filter((name) => name.startsWith("mnema")), [], "init made no file");
  });
  await withPackage(async (mnema) => {
    for (const command of ["init", "log", "audit", "stats"]) {
      assertMatch(await mnema.refuses(command), /^no SQLite library was found: install SQLite/);
    }
    assertMatch(await mnema.refuses("log"), ADVICE);
  }, { preload: NO_LIBRARY });
});

Deno.test("a download is announced on standard error", async () => {
  await withPackage(async (mnema) => {
    const { code, out, err } = await mnema.with({ permissions: MAY_DOWNLOAD }).run("log");
    assertEquals([code, out], [1, ""]);
    assertMatch(err, /^Downloading .*\nmnema: there is no log mnema\.db; .*\n$/);
  }, { preload: NO_LIBRARY });
});

Deno.test("a failed download is reported in one sentence that says what to install", async () => {
  await withPackage(async (mnema) => {
    Deno.writeTextFileSync(`${mnema.folder}/mnema.db`, ""); // a missing file would be the first error
    const { code, out, err } = await mnema.with({ permissions: MAY_DOWNLOAD }).run("log");
    assertEquals([code, out], [1, ""]);
    assertMatch(err, /^Downloading .*\nmnema: no SQLite library was found: install SQLite .*\n$/);
  }, { preload: NO_LIBRARY, download: 'throw new TypeError("error sending request")' });
});

Deno.test("help and the author id need no library", async () => {
  await withPackage(async (mnema) => {
    await mnema.does("--help");
    Identity.generate().save(`${mnema.folder}/mnema.key`);
    assertMatch(await mnema.does("id"), /^mnk_/);
    assertMatch(await mnema.does("vkey", "--origin", "example.org/log"), /^example.org/);
  }, { preload: NO_LIBRARY, download: "throw new Error()" });
});

Deno.test("the module can be imported without a library; opening a log throws no-sqlite", async () => {
  const script = `
    import { LogError, OpLog } from "${project}mod.ts";
    try {
      OpLog.open();
    } catch (error) {
      console.log(error instanceof LogError, error.code);
    }`;
  await withPackage(async ({ folder }) => {
    const { out, err } = await runScript(folder, script);
    assertEquals(out, "true no-sqlite\n");
    assertMatch(err, /^Downloading .*\n$/);
  }, { download: 'throw new TypeError("error sending request")' });
});

Deno.test("a denied permission to load the library remains Deno's own error", async () => {
  const script = `
    import { OpLog } from "${project}mod.ts";
    try {
      OpLog.open();
    } catch (error) {
      console.log(error instanceof Deno.errors.NotCapable, error.message);
    }`;
  await withPackage(async ({ folder }) => {
    const [env, ffi] = ["--allow-env=DENO_SQLITE_PATH,DENO_SQLITE_LOCAL", "--allow-ffi"];
    const path = { DENO_SQLITE_PATH: "/none/libsqlite3.so" };
    assertMatch((await runScript(folder, script, [env], path)).out, /^true Requires ffi access/);
    assertMatch((await runScript(folder, script, [ffi], path)).out, /^true Requires env access to "DENO_SQLITE_PATH"/);
  });
});

async function runScript(
  folder: string,
  script: string,
  permissions = ["--allow-all"],
  env: Record<string, string> = {},
): Promise<{ out: string; err: string }> {
  Deno.writeTextFileSync(`${folder}/script.js`, script);
  const args = ["run", "--quiet", "--no-prompt", "--no-check", `--config=${folder}/config.json`, ...permissions];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, `${folder}/script.js`],
    cwd: folder,
    env: { DENO_SQLITE_PATH: "", DENO_SQLITE_LOCAL: "", NO_COLOR: "1", ...env },
  }).output();
  return { out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}
