/**
 * Tells of what a log writes to its files by itself, and not through SQLite, as `layer.ts` tells of the rest. It holds for
 * the whole process.
 *
 * @module
 */

import type { Watch } from "./layer.ts";

/**
 * Watches files that are opened to be read and written.
 *
 * @param watch Is told of each call. A code that it returns is thrown as an error of the system.
 * @returns Ends it when it is disposed of.
 */
export function watchOwnWrites(watch: Watch): Disposable {
  const { openSync } = Deno;
  const { writeSync, syncDataSync } = Deno.FsFile.prototype;
  const paths = new WeakMap<Deno.FsFile, string>();
  const tell = (call: Parameters<Watch>[0]) => {
    if (watch(call) !== undefined) throw new Error("Input/output error (os error 5)");
  };
  Deno.openSync = (path, options) => {
    const file = openSync(path, options);
    if (options?.read && options.write) paths.set(file, String(path));
    return file;
  };
  Deno.FsFile.prototype.writeSync = function (bytes) {
    const path = paths.get(this);
    if (path !== undefined) {
      const offset = this.seekSync(0, Deno.SeekMode.Current);
      tell({ kind: "write", path, offset, bytes: new Uint8Array(bytes) });
    }
    return writeSync.call(this, bytes);
  };
  Deno.FsFile.prototype.syncDataSync = function () {
    const path = paths.get(this);
    if (path !== undefined) tell({ kind: "sync", path });
    syncDataSync.call(this);
  };
  return {
    [Symbol.dispose]() {
      Deno.openSync = openSync;
      Object.assign(Deno.FsFile.prototype, { writeSync, syncDataSync });
    },
  };
}
