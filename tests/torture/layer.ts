/**
 * A layer between SQLite and the system: a VFS (https://sqlite.org/vfs.html) that calls the system's own and tells of
 * every call that changes a file before it is made. With it a test records what was written and what was synced, fails a
 * chosen call, or ends the process at it.
 *
 * The layer holds for the whole process, for every file that is opened while it is installed, and for this thread alone:
 * no other thread may use SQLite meanwhile. So it is used only in processes of their own, never under `deno test`, which
 * runs test files as threads of one process.
 *
 * @module
 */

/** A call by which SQLite changes a file. */
export type Call =
  | { readonly kind: "open"; readonly path: string; readonly isCreating: boolean; readonly isJournal: boolean }
  | { readonly kind: "write"; readonly path: string; readonly offset: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "truncate"; readonly path: string; readonly size: number }
  | { readonly kind: "sync"; readonly path: string }
  | { readonly kind: "delete"; readonly path: string; readonly syncsFolder: boolean };

/**
 * Is told of a call before it is made.
 *
 * @returns A result code of SQLite with which the call fails, without being made, but for {@linkcode IO_FOLDER_SYNC};
 * undefined to make it.
 */
export type Watch = (call: Call) => number | undefined;

/** Options of {@linkcode installLayer}. */
export interface LayerOptions {
  /** Whether files can be shared through memory, as `-shm` is: without, SQLite cannot use write-ahead logging. */
  sharesMemory?: boolean;
}

/** Result codes (https://sqlite.org/rescode.html). */
export const CANNOT_OPEN = 14;
export const FULL = 13;
export const IO_WRITE = 778;
export const IO_SYNC = 1034;
export const IO_TRUNCATE = 1546;
export const IO_DELETE = 2570;
/** Of a delete: it is made, and the sync of the folder after it fails. */
export const IO_FOLDER_SYNC = 1290;

const OK = 0;
const OPEN_CREATE = 0x4;
/** A rollback journal, a super-journal, or a write-ahead log: their first sync also syncs the folder. */
const OPEN_JOURNALS = 0x800 | 0x4000 | 0x8_0000;

/** Offsets in `sqlite3_vfs` on a 64-bit system. */
const VFS = { bytes: 168, next: 16, name: 24, open: 40, delete: 48 };
/** Offsets in `sqlite3_io_methods`. */
const METHODS = { bytes: 152, version: 0, write: 24, truncate: 32, sync: 40 };

const OPEN = { parameters: ["pointer", "pointer", "pointer", "i32", "pointer"], result: "i32" } as const;
const DELETE = { parameters: ["pointer", "pointer", "i32"], result: "i32" } as const;
const WRITE = { parameters: ["pointer", "pointer", "i32", "i64"], result: "i32" } as const;
const TRUNCATE = { parameters: ["pointer", "i64"], result: "i32" } as const;
const SYNC = { parameters: ["pointer", "i32"], result: "i32" } as const;

const LIBRARY = {
  sqlite3_vfs_find: { parameters: ["pointer"], result: "pointer" },
  sqlite3_vfs_register: { parameters: ["buffer", "i32"], result: "i32" },
  sqlite3_vfs_unregister: { parameters: ["buffer"], result: "i32" },
} as const;

/** The name of SQLite's library, where the environment does not name it. */
const SYSTEM_LIBRARY = "libsqlite3.so.0";

/** Whether this system is one whose structures the layer knows. */
export function canInstallLayer(): boolean {
  return Deno.build.os === "linux" && ["x86_64", "aarch64"].includes(Deno.build.arch);
}

/**
 * Installs the layer. What is opened while it is installed must be closed before it is removed.
 *
 * @param watch Is told of each call.
 * @param options What the system supports.
 * @returns Removes the layer when it is disposed of.
 */
export function installLayer(watch: Watch, { sharesMemory = true }: LayerOptions = {}): Disposable {
  const library = Deno.dlopen(Deno.env.get("DENO_SQLITE_PATH") || SYSTEM_LIBRARY, LIBRARY);
  const system = library.symbols.sqlite3_vfs_find(null)!;
  const vfs = copyOf(system, VFS.bytes);
  const name = new TextEncoder().encode("torture\0");
  const paths = new Map<bigint, string>();
  /** A table of methods for each that the system has, by its address. */
  const tables = new Map<bigint, BigUint64Array<ArrayBuffer>>();
  const callbacks: { close(): void }[] = [];

  const override = <Definition extends Deno.UnsafeCallbackDefinition>(
    table: BigUint64Array<ArrayBuffer>,
    offset: number,
    definition: Definition,
    callback: Deno.UnsafeCallbackFunction<Definition["parameters"], Definition["result"]>,
  ) => {
    const made = new Deno.UnsafeCallback(definition, callback);
    callbacks.push(made);
    table[offset / 8] = Deno.UnsafePointer.value(made.pointer);
  };

  const methodsFor = (system: bigint): BigUint64Array<ArrayBuffer> => {
    const known = tables.get(system);
    if (known !== undefined) return known;
    const table = copyOf(Deno.UnsafePointer.create(system)!, METHODS.bytes);
    if (!sharesMemory) new DataView(table.buffer).setInt32(METHODS.version, 1, true);
    const pathOf = (file: Deno.PointerValue) => paths.get(Deno.UnsafePointer.value(file))!;
    const write = new Deno.UnsafeFnPointer(at<typeof WRITE>(table, METHODS.write), WRITE);
    override(table, METHODS.write, WRITE, (file, data, length, offset) => {
      const bytes = new Uint8Array(length);
      Deno.UnsafePointerView.copyInto(data!, bytes);
      return watch({ kind: "write", path: pathOf(file), offset: Number(offset), bytes }) ??
        write.call(file, data, length, offset);
    });
    const truncate = new Deno.UnsafeFnPointer(at<typeof TRUNCATE>(table, METHODS.truncate), TRUNCATE);
    override(table, METHODS.truncate, TRUNCATE, (file, size) => {
      return watch({ kind: "truncate", path: pathOf(file), size: Number(size) }) ?? truncate.call(file, size);
    });
    const sync = new Deno.UnsafeFnPointer(at<typeof SYNC>(table, METHODS.sync), SYNC);
    override(table, METHODS.sync, SYNC, (file, flags) => {
      return watch({ kind: "sync", path: pathOf(file) }) ?? sync.call(file, flags);
    });
    tables.set(system, table);
    return table;
  };

  const open = new Deno.UnsafeFnPointer(at<typeof OPEN>(vfs, VFS.open), OPEN);
  override(vfs, VFS.open, OPEN, (own, name, file, flags, outFlags) => {
    const path = name === null ? "" : Deno.UnsafePointerView.getCString(name);
    const isCreating = (flags & OPEN_CREATE) !== 0;
    const failure = watch({ kind: "open", path, isCreating, isJournal: (flags & OPEN_JOURNALS) !== 0 });
    const methods = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(file!, 8));
    if (failure !== undefined) {
      methods[0] = 0n; // there is nothing to close
      return failure;
    }
    const code = open.call(own, name, file, flags, outFlags);
    if (code !== OK) return code;
    paths.set(Deno.UnsafePointer.value(file), path);
    methods[0] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(methodsFor(methods[0])));
    return code;
  });
  const remove = new Deno.UnsafeFnPointer(at<typeof DELETE>(vfs, VFS.delete), DELETE);
  override(vfs, VFS.delete, DELETE, (own, name, syncsFolder) => {
    const path = Deno.UnsafePointerView.getCString(name!);
    const failure = watch({ kind: "delete", path, syncsFolder: syncsFolder !== 0 });
    if (failure === IO_FOLDER_SYNC) return remove.call(own, name, 0) || failure;
    return failure ?? remove.call(own, name, syncsFolder);
  });
  vfs[VFS.next / 8] = 0n;
  vfs[VFS.name / 8] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(name));
  library.symbols.sqlite3_vfs_register(vfs, 1);
  return {
    [Symbol.dispose]() {
      library.symbols.sqlite3_vfs_unregister(vfs);
      for (const callback of callbacks) callback.close();
      library.close();
    },
  };
}

/** Installs the layer of a system without shared memory, on which logs have a rollback journal. It tells of nothing. */
export function removeSharedMemory(): Disposable {
  return installLayer(() => undefined, { sharesMemory: false });
}

function copyOf(pointer: Deno.PointerObject, bytes: number): BigUint64Array<ArrayBuffer> {
  const copy = new BigUint64Array(bytes / 8);
  Deno.UnsafePointerView.copyInto(pointer, copy);
  return copy;
}

/** The function at an offset of a table. */
function at<Definition extends Deno.ForeignFunction>(
  table: BigUint64Array<ArrayBuffer>,
  offset: number,
): Deno.PointerObject<Definition> {
  return Deno.UnsafePointer.create<Definition>(table[offset / 8])!;
}
