/**
 * Resolves the path of a database file, and requests Deno's permissions for it before native code, which Deno does not
 * restrict, opens it.
 *
 * Deno checks the name of a path and follows links. The permission for a folder covers what is in it, not what a link in
 * it points to: that needs its own permission. A link that leads to the allowed folder, as `/tmp` is on some systems, is
 * a part of the allowed name.
 *
 * @module
 */

import { basename, dirname, isAbsolute, join, normalize, relative } from "node:path";

/** The suffixes of the files that SQLite puts beside a database, and "" for the database. */
export const SUFFIXES = ["", "-wal", "-shm", "-journal"] as const;

/** A file, by two names, which are often equal. */
export interface Location {
  /** The real path, as far as it can be resolved: what SQLite opens. */
  file: string;
  /** The path for which Deno's permissions are requested. */
  name: string;
}

/** Limit of links that are followed: more than a system follows. */
const MAX_LINKS = 40;

/**
 * Resolves a path.
 *
 * @throws {Deno.errors.NotCapable} When Deno does not allow the path, or what a link on it points to.
 */
export function locate(path: string, readonly: boolean, links = 0): Location {
  const name = plainPath(path);
  requestAccess(name, readonly);
  try {
    return allowed(name, Deno.realPathSync(name), readonly);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    // An error, such as of a link to itself, is reported when the file is checked.
    if (!isMissing(error) || links > MAX_LINKS) return { file: name, name };
  }
  const folder = dirname(name);
  const realFolder = isGranted(folder, true) ? realPath(folder) : undefined;
  const link = linkAt(name);
  if (link !== undefined) { // to a missing file, which would be created
    return locate(isAbsolute(link) ? link : join(realFolder ?? folder, link), readonly, links + 1);
  }
  if (realFolder === undefined) return { file: name, name };
  return allowed(name, join(realFolder, basename(name)), readonly);
}

/** A file whose real path differs from the name, once one of them is allowed as described above. */
function allowed(name: string, file: string, readonly: boolean): Location {
  if (file === name || isGranted(file, readonly)) return { file, name: file };
  const folder = grantedFolder(name, readonly);
  if (folder === undefined) { // then the name of the file itself was allowed, with its folders
    if (linkAt(name) === undefined) return { file, name };
  } else {
    const within = relative(realPath(folder) ?? folder, file);
    if (!within.startsWith("..") && !isAbsolute(within)) {
      const named = join(folder, within);
      requestAccess(named, readonly);
      return { file, name: named };
    }
  }
  requestAccess(file, readonly);
  return { file, name: file };
}

/** The outermost folder of a path that is allowed by name. */
function grantedFolder(name: string, readonly: boolean): string | undefined {
  let found: string | undefined;
  for (let folder = dirname(name), last = name; folder !== last; last = folder, folder = dirname(folder)) {
    if (isGranted(folder, readonly)) found = folder;
  }
  return found;
}

/** The real path; undefined where there is no file, or the system does not allow to resolve it. */
function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}

/** The target of a link; undefined for anything else. */
function linkAt(path: string): string | undefined {
  try {
    return Deno.lstatSync(path).isSymlink ? Deno.readLinkSync(path) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}

/** Whether an error means that there is no file at a path. */
export function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/**
 * A path that Deno and SQLite interpret in the same way: without `..`, which Deno removes from the text and SQLite follows
 * through links, and never one that SQLite parses as a `file:` URI.
 */
function plainPath(path: string): string {
  return isAbsolute(path) ? normalize(path) : `./${normalize(path)}`;
}

/**
 * Requests the permissions for a file and for those that SQLite puts beside it.
 *
 * @param name The path for which Deno's permissions are requested.
 * @throws {Deno.errors.NotCapable} When one of them is denied.
 * @returns Whether SQLite itself must open the file for reading only. A reader with write permission need not: as the last
 * one to close the file it removes `-wal` and `-shm`, which a connection that cannot write leaves behind.
 */
export function requestPermissions(name: string, readonly: boolean): boolean {
  const files = SUFFIXES.map((suffix) => name + suffix);
  for (const path of files) requestPermission("read", path);
  if (readonly) {
    if (files.every((path) => isGrantedFor("write", path))) return false;
    // Even a reader of a write-ahead log writes its position to -shm.
    for (const path of files.slice(1, 3)) requestPermission("write", path);
    return true;
  }
  for (const path of files) requestPermission("write", path);
  return false;
}

let mayPrompt = true;

/** From now on, a permission that is not granted is denied without a prompt. */
export function neverPrompt(): void {
  mayPrompt = false;
}

function isGranted(path: string, readonly: boolean): boolean {
  return isGrantedFor("read", path) && (readonly || isGrantedFor("write", path));
}

function isGrantedFor(name: "read" | "write", path: string): boolean {
  return Deno.permissions.querySync({ name, path }).state === "granted";
}

function requestAccess(path: string, readonly: boolean): void {
  requestPermission("read", path);
  if (!readonly) requestPermission("write", path);
}

function requestPermission(name: "read" | "write", path: string): void {
  const { state } = Deno.permissions[mayPrompt ? "requestSync" : "querySync"]({ name, path });
  if (state !== "granted") {
    throw new Deno.errors.NotCapable(`Requires ${name} access to "${path}", run again with the --allow-${name} flag`);
  }
}
