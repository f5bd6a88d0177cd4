/**
 * Quoting for a shell.
 *
 * @module
 */

/** A text in single quotes, which a shell takes literally. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A text as one word of a shell, quoted only where that is necessary. */
export function word(text: string): string {
  return /^[\w.\/@:=,+][\w.\/@:=,+-]*$/.test(text) ? text : quoted(text);
}
