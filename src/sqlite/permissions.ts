/**
 * Where a log's file really is, and Deno's permissions for it: native code is not held by them, so they are asked for
 * before it opens the file.
 *
 * Deno goes by the name of a path and follows links. Whoever allowed a folder allowed what is in it, not what a link in
 * it points to: that must be allowed by itself. A link that leads to the allowed folder, as `/tmp` is on some systems,
 * is a part of the name that was allowed.
 *
 * @module
 */

import { basename, dirname, isAbsolute, join, normalize, relative } from "node:path";

/** What SQLite puts beside a file, and "" for the file itself. */
export const SUFFIXES = ["", "-wal", "-shm", "-journal"] as const;

/** A file, by two names that are often the same. */
export interface Location {
  /** Without any link in it, where that can be told: what SQLite opens. */
  file: string;
  /** As Deno's permissions know it. */
  name: string;
}

/** More links than a system follows. */
const MAX_LINKS = 40;

/**
 * The file that a path means.
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
    // What cannot be looked at, such as a link to itself, is met when the file is.
    if (!isMissing(error) || links > MAX_LINKS) return { file: name, name };
  }
  const folder = dirname(name);
  const realFolder = isGranted(folder, true) ? realPath(folder) : undefined;
  const link = linkAt(name);
  if (link !== undefined) { // to what is not there, and would be made
    return locate(isAbsolute(link) ? link : join(realFolder ?? folder, link), readonly, links + 1);
  }
  if (realFolder === undefined) return { file: name, name };
  return allowed(name, join(realFolder, basename(name)), readonly);
}

/** A file that has another name than the path, once one of them is allowed as it is said above. */
function allowed(name: string, file: string, readonly: boolean): Location {
  if (file === name || isGranted(file, readonly)) return { file, name: file };
  const folder = grantedFolder(name, readonly);
  if (folder === undefined) { // then the name of the file itself was allowed, with the folders in it
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

/** The outermost folder on a path that is allowed by name. */
function grantedFolder(name: string, readonly: boolean): string | undefined {
  let found: string | undefined;
  for (let folder = dirname(name), last = name; folder !== last; last = folder, folder = dirname(folder)) {
    if (isGranted(folder, readonly)) found = folder;
  }
  return found;
}

/** A path without links; undefined where there is nothing, or nothing that can be looked at. */
function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}

/** What a link points to; undefined for what is none. */
function linkAt(path: string): string | undefined {
  try {
    return Deno.lstatSync(path).isSymlink ? Deno.readLinkSync(path) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
  }
}

/** Whether an error says that there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/**
 * A path that Deno and SQLite read alike: without `..`, which Deno takes out of the text and SQLite follows, and never
 * one that SQLite takes for a `file:` URI.
 */
function plainPath(path: string): string {
  return isAbsolute(path) ? normalize(path) : `./${normalize(path)}`;
}

/**
 * Asks for the file and for what SQLite puts beside it.
 *
 * @param name The file, as Deno's permissions know it.
 * @throws {Deno.errors.NotCapable} When one of them is denied.
 * @returns Whether SQLite itself must open the file for reading only. A reader that may write does not need that: as
 * the last one to close a file it takes away `-wal` and `-shm`, which a connection that cannot write leaves behind.
 */
export function requestPermissions(name: string, readonly: boolean): boolean {
  const files = SUFFIXES.map((suffix) => name + suffix);
  for (const path of files) requestPermission("read", path);
  if (readonly) {
    if (files.every((path) => isGrantedFor("write", path))) return false;
    // Even a reader of a write-ahead log marks its place in these.
    for (const path of files.slice(1, 3)) requestPermission("write", path);
    return true;
  }
  for (const path of files) requestPermission("write", path);
  return false;
}

let mayPrompt = true;

/** From now on a permission that is not granted is denied without asking the user. */
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
