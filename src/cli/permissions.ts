/**
 * Permissions of the command line: queried before they are used, so that Deno never prompts. For a missing one, the error
 * names the flags to run or install `mnema` with.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { LIBRARY_ENV } from "../sqlite/library.ts";
import { WEBSOCKET_ENV } from "../sync/websocket_env.ts";

const ENV = ["MNEMA_LOG", "MNEMA_KEY", ...LIBRARY_ENV, "TERM"];

/** The permissions, in the order in which their flags are named. */
const NAMES = ["read", "write", "net", "run", "ffi", "env"] as const;
type Name = typeof NAMES[number];

/** A permission for a path, an address, a program or a variable, or for all. */
interface Permission {
  name: Name;
  target?: string;
}

/**
 * Refuses what Deno would prompt for.
 *
 * @throws {Deno.errors.NotCapable} Unless the permission is granted for every target.
 */
export function requireGranted(name: Name, ...targets: string[]): void {
  const missing = targets.find((target) => !isGranted({ name, target }));
  if (missing !== undefined) throw new Deno.errors.NotCapable(`Requires ${name} access to "${missing}"`);
}

/** Refuses what Deno would prompt for when a WebSocket is opened, or listened for. */
export function requireWebSocket(host: string): void {
  requireGranted("net", host);
  requireGranted("env", ...WEBSOCKET_ENV);
}

/** Refuses what Deno would prompt for when a native library is called: any library, as its name depends on the system. */
export function requireLibrary(): void {
  requireGranted("env", ...LIBRARY_ENV);
  const library = Deno.env.get("DENO_SQLITE_PATH");
  if (!isGranted({ name: "ffi", target: library || undefined })) {
    throw new Deno.errors.NotCapable("Requires ffi access");
  }
}

/** The value of an environment variable. */
export function readVariable(name: string): string | undefined {
  requireGranted("env", name);
  return Deno.env.get(name);
}

/**
 * The sentence for a permission that is missing.
 *
 * @param error What was thrown.
 * @param given The log and the key, where options name them.
 * @returns Names the flags for this permission, and for every other usual one that is missing: who lacks one often lacks
 * all. `undefined` for another error.
 */
export function explainDenial(error: unknown, given: { log?: string; key?: string }): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) continue;
    const [, name, target] = /^Requires (read|write|env|ffi|net|run) access(?: to "([^"]*)")?/.exec(cause.message) ??
      [];
    if (name === undefined) return cause.message;
    const missing = [...usual(given).filter((permission) => !isGranted(permission)), { name: name as Name, target }];
    return `permissions are missing: run mnema, or install it again, with ${flags(missing).join(" ")}`;
  }
  return undefined;
}

/** The permissions of a command that reads and writes the log and the key. */
function usual({ log, key }: { log?: string; key?: string }): Permission[] {
  const files = [
    log ?? (ifGranted("MNEMA_LOG") || "mnema.db"),
    key ?? (ifGranted("MNEMA_KEY") || "mnema.key"),
  ];
  return [
    ...files.flatMap((target): Permission[] => [{ name: "read", target }, { name: "write", target }]),
    { name: "ffi", target: ifGranted("DENO_SQLITE_PATH") || undefined },
    ...ENV.map((target): Permission => ({ name: "env", target })),
  ];
}

function flags(permissions: readonly Permission[]): string[] {
  return NAMES.flatMap((name) => {
    const targets = new Map<string, string>();
    for (const { name: _, target = "" } of permissions.filter((permission) => permission.name === name)) {
      if (name !== "read" && name !== "write") targets.set(target, target);
      else {
        const folder = dirname(target); // SQLite has files beside the log
        const key = resolve(folder);
        if (!targets.has(key)) targets.set(key, folder);
      }
    }
    if (targets.size === 0) return [];
    return [name === "ffi" ? "--allow-ffi" : `--allow-${name}=${[...targets.values()].join()}`];
  });
}

/** The value of an environment variable; undefined without the permission to read it. */
export function ifGranted(variable: string): string | undefined {
  return isGranted({ name: "env", target: variable }) ? Deno.env.get(variable) : undefined;
}

/** Whether Deno would not prompt. */
export function isGranted(permission: Permission): boolean {
  return Deno.permissions.querySync(descriptorOf(permission)).state === "granted";
}

function descriptorOf({ name, target }: Permission): Deno.PermissionDescriptor {
  switch (name) {
    case "env":
      return { name, variable: target };
    case "net":
      return { name, host: target };
    case "run":
      return { name, command: target };
    default:
      return { name, path: target };
  }
}
