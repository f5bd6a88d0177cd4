/**
 * The part of `mnema serve` that shows the log in a browser.
 *
 * @module
 */

import type { Identity } from "../keys/identity.ts";
import type { OpLog } from "../oplog.ts";
import type { Pages } from "../web/pages.ts";
import type { Input, OptionSpec } from "./command.ts";
import type { Output } from "./output.ts";
import { requireGranted } from "./permissions.ts";

/** The command that opens an address in the browser, by system. */
const OPENERS: Partial<Record<typeof Deno.build.os, string>> = { darwin: "open", windows: "explorer" };
const DEFAULT_OPENER = "xdg-open";

/** The options of the pages. */
export const PAGE_OPTIONS: Record<string, OptionSpec> = {
  open: { help: "also open the address in the browser" },
  edit: { help: "allow to assert, refute and correct in the browser, signed by the key" },
};

/** Refuses what Deno would prompt for when the pages are opened. Before the log is opened. */
export function requirePagePermissions(input: Input): void {
  if (input.flag("open")) requireGranted("run", opener());
}

/** Makes the pages of a log; with `--edit` they append to it, signed by the key. */
export async function makePages(log: OpLog, input: Input, identity: Identity): Promise<Pages> {
  const { pages } = await import("../web/pages.ts");
  return pages(log, { path: input.logPath, signer: input.flag("edit") ? identity : undefined });
}

/**
 * Opens the pages in the browser, with `--open`. The address with its token is on the command line of a program for a
 * moment, which other users of the machine can read.
 */
export function openPages(link: string, input: Input, output: Output): void {
  if (!input.flag("open")) return;
  try {
    new Deno.Command(opener(), { args: [link], stdin: "null", stdout: "null", stderr: "null" }).spawn().unref();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    output.note(`mnema: there is no ${opener()} to open a browser with; open the address yourself`);
  }
}

function opener(): string {
  return OPENERS[Deno.build.os] ?? DEFAULT_OPENER;
}
