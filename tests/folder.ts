import { Database } from "@db/sqlite";
import { createHash } from "node:crypto";

/** Runs `use` with a new temporary folder, in `dir` where it is given, which is removed afterwards. */
export function withFolder<T>(use: (folder: string) => T, { dir }: { dir?: string } = {}): T {
  const folder = Deno.makeTempDirSync({ prefix: "mnema-test-", dir });
  let result: T;
  try {
    result = use(folder);
  } catch (error) {
    Deno.removeSync(folder, { recursive: true });
    throw error;
  }
  if (result instanceof Promise) {
    return result.finally(() => Deno.removeSync(folder, { recursive: true })) as T;
  }
  Deno.removeSync(folder, { recursive: true });
  return result;
}

/** The entries of a folder: names, and the size and hash of each file. */
export function contentsOf(folder: string): Record<string, string> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  return Object.fromEntries(
    entries.map(({ name, isDirectory }) => [name, isDirectory ? "a folder" : digest(`${folder}/${name}`)]),
  );
}

function digest(path: string): string {
  const bytes = Deno.readFileSync(path);
  return `${bytes.length} bytes, SHA-256 ${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Runs `use` with a plain connection to an SQLite file, as another program would open it. */
export function withDatabase<T>(path: string, use: (database: Database) => T): T {
  const database = new Database(path, { int64: true });
  try {
    return use(database);
  } finally {
    database.close();
  }
}
