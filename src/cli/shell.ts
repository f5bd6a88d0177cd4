/**
 * Quoting for a shell.
 *
 * @module
 */

import { quoted } from "../text.ts";

/** A text as one word of a shell, quoted only where that is necessary. */
export function word(text: string): string {
  return /^[\w.\/@:=,+][\w.\/@:=,+-]*$/.test(text) ? text : quoted(text);
}
