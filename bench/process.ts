/**
 * Work in a process of its own, whose memory nothing else has used.
 *
 * @module
 */

import { cpuUsage } from "node:process";

/** The flag with which the command is installed, see docs/limits.md. */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=8";

/** Runs a script of this folder, and returns what it reports. */
export async function inChild<T>(script: string, ...args: string[]): Promise<T> {
  const path = decodeURIComponent(new URL(script, import.meta.url).pathname);
  const permissions = ["--allow-read", "--allow-write", "--allow-ffi", "--allow-env", "--allow-run=grep"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", V8_FLAGS, ...permissions, path, ...args],
  });
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The most memory that this process has had. Linux keeps it; elsewhere there is the present size. */
export function peakMegabytes(): number {
  if (Deno.build.os !== "linux") return Math.round(Deno.memoryUsage().rss / 1e6);
  const kibibytes = parseInt(lineOf("VmHWM", "status").slice("VmHWM:".length));
  return Math.round(kibibytes * 1024 / 1e6);
}

/** The time that the main thread of this process has used, in seconds; not known but on Linux. */
export function mainThreadSeconds(): number {
  if (Deno.build.os !== "linux") return NaN;
  return parseInt(lineOf("", `task/${Deno.pid}/schedstat`)) / 1e9;
}

/** A line of what the system says of this process. Deno itself reads nothing under /proc without --allow-all. */
function lineOf(start: string, file: string): string {
  const { stdout } = new Deno.Command("grep", { args: [`^${start}`, `/proc/${Deno.pid}/${file}`] }).outputSync();
  return new TextDecoder().decode(stdout);
}

/** The time that all threads of this process have used, in seconds. */
export function cpuSeconds(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e6;
}
