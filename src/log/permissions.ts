/**
 * Deno's permissions for a file that native code is about to open: they do not hold native code, so they are asked for
 * first.
 *
 * @module
 */

import { dirname, isAbsolute, join, normalize } from "node:path";

/**
 * The file that a path means. SQLite follows a link, and puts its other files beside what the link points to.
 *
 * @throws {Deno.errors.NotCapable} When Deno does not allow the path, or what stands between it and the file.
 */
export function followLinks(path: string, readonly: boolean): string {
  const file = plainPath(path);
  requestPermission("read", file);
  if (!readonly) requestPermission("write", file);
  try {
    if (!Deno.lstatSync(file).isSymlink) return file;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return file; // there is none, or opening it will say what is wrong
  }
  try {
    return Deno.realPathSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) { // what the link points to would be made
      const target = Deno.readLinkSync(file);
      return followLinks(isAbsolute(target) ? target : join(dirname(file), target), readonly);
    }
    if (error instanceof Deno.errors.NotCapable) throw error;
    return file;
  }
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
 * @throws {Deno.errors.NotCapable} When one of them is denied.
 * @returns Whether SQLite itself must open the file for reading only. A reader that may write does not need that: as
 * the last one to close a file it takes away `-wal` and `-shm`, which a connection that cannot write leaves behind.
 */
export function requestPermissions(file: string, readonly: boolean): boolean {
  const files = ["", "-wal", "-shm", "-journal"].map((suffix) => file + suffix);
  for (const path of files) requestPermission("read", path);
  if (readonly) {
    const granted = files.every((path) => Deno.permissions.querySync({ name: "write", path }).state === "granted");
    if (granted) return false;
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

function requestPermission(name: "read" | "write", path: string): void {
  const { state } = Deno.permissions[mayPrompt ? "requestSync" : "querySync"]({ name, path });
  if (state !== "granted") {
    throw new Deno.errors.NotCapable(`Requires ${name} access to "${path}", run again with the --allow-${name} flag`);
  }
}
