/**
 * Chooses the SQLite library, and makes the error where there is none. Does not import `@db/sqlite`, which reads the choice
 * from the environment when it is imported.
 *
 * @module
 */

import { LogError } from "../errors.ts";

/** The environment variables that `@db/sqlite` reads. */
export const LIBRARY_ENV: readonly string[] = ["DENO_SQLITE_PATH", "DENO_SQLITE_LOCAL"];

/**
 * Makes `@db/sqlite` use the library of the system where there is one and the environment names no other. Must be called
 * before `@db/sqlite` is imported. Needs the permissions to read and set {@linkcode LIBRARY_ENV} and to call libraries.
 *
 * @throws {LogError} `no-sqlite` when there is none, and what `@db/sqlite` needs to download one is not granted.
 */
export function useSystemLibrary(): void {
  if (Deno.env.get("DENO_SQLITE_PATH") || Deno.env.get("DENO_SQLITE_LOCAL") === "1") return;
  const name = systemNames().find(isLibrary);
  if (name !== undefined) Deno.env.set("DENO_SQLITE_PATH", name);
  else if (!mayDownload()) throw noSqlite();
}

/** The error for a library that is missing or cannot be loaded. */
export function noSqlite(cause?: unknown): LogError {
  const path = Deno.permissions.querySync({ name: "env", variable: "DENO_SQLITE_PATH" }).state === "granted"
    ? Deno.env.get("DENO_SQLITE_PATH")
    : undefined;
  const what = path
    ? `the SQLite library ${path}, which DENO_SQLITE_PATH names, cannot be loaded`
    : "no SQLite library was found";
  return new LogError(
    "no-sqlite",
    `${what}: install SQLite (${installHint()}), or set DENO_SQLITE_PATH to the path of its library`,
    { cause },
  );
}

/** The names of SQLite's library on this system. */
function systemNames(): string[] {
  switch (Deno.build.os) {
    case "windows":
      return ["sqlite3.dll", "winsqlite3.dll"];
    case "darwin":
      return ["libsqlite3.dylib"];
    default:
      return ["libsqlite3.so.0"];
  }
}

function isLibrary(name: string): boolean {
  try {
    Deno.dlopen(name, { sqlite3_libversion_number: { parameters: [], result: "i32" } }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

function installHint(): string {
  switch (Deno.build.os) {
    case "windows":
      return "sqlite3.dll from https://sqlite.org/download.html";
    case "darwin":
      return "brew install sqlite";
    default:
      return "on Debian and Ubuntu: apt-get install libsqlite3-0";
  }
}

/** Whether `@db/sqlite` can download a library, or use one that it has downloaded, without a prompt. */
function mayDownload(): boolean {
  const granted = (descriptor: Deno.PermissionDescriptor) => Deno.permissions.querySync(descriptor).state === "granted";
  const cacheEnv = Deno.build.os === "windows" ? "LOCALAPPDATA" : "XDG_CACHE_HOME";
  const homeEnv = Deno.build.os === "windows" ? "USERPROFILE" : "HOME";
  if (![cacheEnv, homeEnv, "DENO_DIR"].every((variable) => granted({ name: "env", variable }))) return false;
  const home = Deno.env.get(homeEnv);
  const caches = Deno.build.os === "darwin" ? `${home}/Library/Caches` : Deno.env.get(cacheEnv) || `${home}/.cache`;
  const path = `${Deno.env.get("DENO_DIR") || `${caches}/deno`}/plug`;
  return granted({ name: "net" }) && granted({ name: "read", path }) && granted({ name: "write", path });
}
