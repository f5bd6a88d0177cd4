/**
 * Words as a shell reads them.
 *
 * @module
 */

/** A text in single quotes, in which a shell sees nothing special. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A text as one word: as it is, where a shell sees nothing special in it. */
export function word(text: string): string {
  return /^[\w.\/@:=,+][\w.\/@:=,+-]*$/.test(text) ? text : quoted(text);
}
