/**
 * Text for people and shells: untrusted text made safe to print, times, counts, quoting.
 *
 * @module
 */

/**
 * Characters in data that must not reach a terminal, besides newlines: control characters (C0, DEL, C1), format
 * characters (bidirectional controls, zero-width characters, tags, joiners), line and paragraph separators, lone
 * surrogates, and everything else that is invisible by Unicode (fillers, variation selectors). They control the terminal,
 * reorder its output, or make two different texts look the same. Joined emoji are shown apart, with the joiner as an
 * escape: an exception could be used to hide text.
 */
const UNSAFE = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--\n]/gv;
/** Most lines are printable ASCII, which contains none of them. */
const PLAIN = /^[\u0020-\u007e]*$/;

/**
 * Makes untrusted text safe to print: characters that could control a terminal, reorder a line or hide in it are escaped,
 * as `\uXXXX` for each UTF-16 unit. Newlines are not. JSON stays JSON with the same value.
 */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : text.replaceAll(UNSAFE, escapeUnits);
}

/** As {@linkcode visible}, with newlines escaped too: the result is one line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll("\n", "\\n");
}

function escapeUnits(character: string): string {
  let escaped = "";
  for (let i = 0; i < character.length; i++) {
    escaped += "\\u" + character.charCodeAt(i).toString(16).padStart(4, "0");
  }
  return escaped;
}

/** A time in Unix milliseconds as UTC to the second, or in milliseconds when it is beyond the range of a date. */
export function formatTime(ts: number): string {
  const date = new Date(ts);
  return Number.isNaN(date.getTime()) ? `${ts} ms` : date.toISOString().slice(0, -5) + "Z";
}

/** A count with its noun: `1 operation`, `2 operations`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** A text in single quotes, which a POSIX shell takes literally. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
