/**
 * Properties of the terminal that are known without a query to it.
 *
 * @module
 */

import { ifGranted } from "./permissions.ts";

/**
 * Whether the terminal interprets no escape sequences (`TERM=dumb`). Without the permission to read `TERM`: false.
 */
export function isDumb(): boolean {
  return ifGranted("TERM") === "dumb";
}

/** How many columns the terminal has now; undefined when that is unknown. It may be resized at any time. */
export function terminalColumns(): number | undefined {
  try {
    return Deno.consoleSize().columns || undefined;
  } catch {
    return undefined;
  }
}
