import { assertEquals } from "@std/assert";
import { OpLog } from "../../mod.ts";
import { contentsOf, withFolder } from "../folder.ts";
import { note } from "../operations.ts";
import { type Report, runChild } from "../log/children/run.ts";

const LIBRARY = ["--allow-ffi", "--allow-env=DENO_SQLITE_PATH,DENO_SQLITE_LOCAL"];
const FILES = ["log.db", "log.db-wal", "log.db-shm", "log.db-journal"];
const DENIED: Report = { error: "NotCapable" };

/** Opens, appends to and reads a log in a process that may read and write only these paths. */
function useLog(path: string, read: string[], write: string[], options = {}): Promise<Report> {
  const flags = [["read", read], ["write", write]] as const;
  const granted = flags.flatMap(([name, paths]) => paths.length > 0 ? [`--allow-${name}=${paths.join()}`] : []);
  return runChild("use_log.ts", [path, JSON.stringify(options)], { flags: [...LIBRARY, ...granted] });
}

function makeLog(path: string): void {
  using log = OpLog.open(path);
  log.append(note("before"));
}

/** An allowed folder, `in`, and one that is not, `out`. */
function withFolders(use: (inside: string, outside: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const [inside, outside] = [`${folder}/in`, `${folder}/out`];
    Deno.mkdirSync(inside);
    Deno.mkdirSync(outside);
    await use(inside, outside);
  });
}

Deno.test("permission for a folder and the library is enough for everything", async () => {
  await withFolder(async (folder) => {
    assertEquals(await useLog(`${folder}/log.db`, [folder], [folder]), { value: { entries: 1, heads: 1 } });
    assertEquals(Object.keys(contentsOf(folder)), ["log.db"]);
  });
});

Deno.test("permission for the log and SQLite's files beside it is enough", async () => {
  await withFolder(async (folder) => {
    const paths = FILES.map((name) => `${folder}/${name}`);
    assertEquals(await useLog(paths[0], paths, paths), { value: { entries: 1, heads: 1 } });
  });
});

Deno.test("open without a permission throws NotCapable and creates no file", async () => {
  await withFolder(async (folder) => {
    const paths = FILES.map((name) => `${folder}/${name}`);
    const grants: [read: string[], write: string[]][] = [
      [[], []],
      [[folder], []],
      [[], [folder]],
      [[paths[0]], [paths[0]]],
      ...paths.map((path): [string[], string[]] => [[folder], paths.filter((other) => other !== path)]),
      ...paths.map((path): [string[], string[]] => [paths.filter((other) => other !== path), [folder]]),
    ];
    const reports = await Promise.all(grants.map(([read, write]) => useLog(paths[0], read, write)));
    assertEquals(reports, grants.map(() => DENIED));
    assertEquals(contentsOf(folder), {});
  });
});

Deno.test("a reader needs write permission only for -wal and -shm, and does not change the log", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeLog(path);
    const before = contentsOf(folder);
    assertEquals(await useLog(path, [folder], [], { readonly: true }), DENIED);
    assertEquals(contentsOf(folder), before);
    const beside = [`${path}-wal`, `${path}-shm`];
    assertEquals(await useLog(path, [folder], beside, { readonly: true }), { value: { entries: 1, heads: 1 } });
    assertEquals(contentsOf(folder)["log.db"], before["log.db"]);
    assertEquals(await useLog(path, [folder], beside), DENIED);
    assertEquals(contentsOf(folder)["log.db"], before["log.db"]);
  });
});

Deno.test("a link in an allowed folder does not lead out of it", async () => {
  await withFolders(async (inside, outside) => {
    makeLog(`${outside}/log.db`);
    Deno.symlinkSync("../out/log.db", `${inside}/link.db`);
    const before = contentsOf(outside);
    for (const readonly of [false, true]) {
      assertEquals(await useLog(`${inside}/link.db`, [inside], [inside], { readonly }), DENIED);
    }
    assertEquals([contentsOf(outside), Object.keys(contentsOf(inside))], [before, ["link.db"]]);
  });
});

Deno.test("a link to a file that does not exist yet does not lead out of an allowed folder", async () => {
  await withFolders(async (inside, outside) => {
    Deno.symlinkSync("../out/log.db", `${inside}/link.db`);
    Deno.symlinkSync("link.db", `${inside}/link to link.db`);
    for (const name of ["link.db", "link to link.db"]) {
      assertEquals(await useLog(`${inside}/${name}`, [inside], [inside]), DENIED);
    }
    assertEquals(contentsOf(outside), {});
  });
});

Deno.test("a path through a link to a folder and up again resolves to the allowed path or is refused", async () => {
  await withFolders(async (inside, outside) => {
    Deno.mkdirSync(`${outside}/deep`);
    Deno.symlinkSync("../out/deep", `${inside}/link`);
    await useLog(`${inside}/link/../log.db`, [inside], [inside]);
    assertEquals(contentsOf(outside), { deep: "a folder" });
  });
});

Deno.test("links where SQLite puts its own files do not lead out of an allowed folder", async () => {
  await withFolders(async (inside, outside) => {
    const before = FILES.slice(1).map((name) => {
      Deno.writeTextFileSync(`${outside}/${name}`, "precious");
      return name;
    });
    for (const name of before) {
      Deno.symlinkSync(`../out/${name}`, `${inside}/${name}`);
      await useLog(`${inside}/log.db`, [inside], [inside]);
      for (const file of before) assertEquals(Deno.readTextFileSync(`${outside}/${file}`), "precious");
      for (const file of Deno.readDirSync(inside)) Deno.removeSync(`${inside}/${file.name}`);
    }
  });
});

Deno.test("a link to an allowed file is followed, and SQLite's files are beside its target", async () => {
  await withFolders(async (inside, outside) => {
    makeLog(`${outside}/log.db`);
    Deno.symlinkSync("../out/log.db", `${inside}/link.db`);
    const both = [inside, outside];
    assertEquals(await useLog(`${inside}/link.db`, both, both), { value: { entries: 2, heads: 2 } });
    assertEquals([Object.keys(contentsOf(inside)), Object.keys(contentsOf(outside))], [["link.db"], ["log.db"]]);
  });
});

Deno.test("a link to a folder does not lead out of an allowed folder, to an existing or a new log", async () => {
  await withFolders(async (inside, outside) => {
    makeLog(`${outside}/log.db`);
    Deno.mkdirSync(`${outside}/deep`);
    Deno.mkdirSync(`${inside}/deep`);
    Deno.symlinkSync("../out", `${inside}/link`);
    Deno.symlinkSync("../link/deep", `${inside}/deep/link`);
    const before = contentsOf(outside);
    for (const path of [`${inside}/link/log.db`, `${inside}/link/new.db`, `${inside}/deep/link/new.db`]) {
      assertEquals(await useLog(path, [inside], [inside]), DENIED);
      assertEquals(await useLog(path, [inside], [inside], { readonly: true }), DENIED);
    }
    assertEquals([contentsOf(outside), contentsOf(`${outside}/deep`)], [before, {}]);
  });
});

Deno.test("a link to an allowed folder is followed", async () => {
  await withFolders(async (inside, outside) => {
    Deno.symlinkSync("../out", `${inside}/link`);
    const both = [inside, outside];
    assertEquals(await useLog(`${inside}/link/log.db`, both, both), { value: { entries: 1, heads: 1 } });
    assertEquals(await useLog(`${inside}/link/log.db`, both, both), { value: { entries: 1, heads: 1 } });
    assertEquals(Object.keys(contentsOf(outside)), ["log.db"]);
  });
});

Deno.test("with a folder allowed by a link, a log in it is created and opened, and none outside", async () => {
  await withFolders(async (inside, outside) => {
    const named = `${outside}/named`;
    Deno.symlinkSync("../in", named);
    Deno.mkdirSync(`${inside}/deep`);
    Deno.symlinkSync("../../out", `${inside}/deep/link`);
    Deno.symlinkSync("deep", `${inside}/also`);
    for (const path of [`${named}/log.db`, `${named}/deep/log.db`]) {
      for (const _ of ["it is made", "it is there"]) {
        assertEquals(await useLog(path, [named], [named]), { value: { entries: 1, heads: 1 } });
      }
    }
    assertEquals(await useLog(`${named}/also/log.db`, [named], [named]), { value: { entries: 1, heads: 1 } });
    assertEquals(await useLog(`${named}/also/link/log.db`, [named], [named]), DENIED);
    assertEquals([...Deno.readDirSync(outside)].map(({ name }) => name), ["named"]);
  });
});

Deno.test("with only the files allowed, by a path through a link, the log is created and opened", async () => {
  await withFolders(async (inside, outside) => {
    Deno.symlinkSync("../in", `${outside}/named`);
    const paths = FILES.map((name) => `${outside}/named/${name}`);
    for (const _ of ["it is made", "it is there"]) {
      assertEquals(await useLog(paths[0], paths, paths), { value: { entries: 1, heads: 1 } });
    }
    Deno.symlinkSync("log.db", `${inside}/link.db`);
    const links = FILES.map((name) => `${outside}/named/${name.replace("log", "link")}`);
    assertEquals(await useLog(links[0], links, links), DENIED);
  });
});
