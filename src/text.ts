/**
 * Text by others, made safe to show.
 *
 * @module
 */

/**
 * What must not reach a terminal from data, but newlines: control characters (C0, DEL, C1), format characters
 * (bidirectional controls, zero-width characters, tags, joiners), line and paragraph separators, lone surrogates, and
 * everything else that Unicode says is shown as nothing (fillers, variation selectors). They steer the terminal, reorder
 * what is shown, or make two different texts look the same. Emoji that are joined by them are shown apart, with the
 * joiner as an escape: an exception would be a place to hide in.
 */
const UNSAFE = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--\n]/gv;
/** Most lines are printable ASCII, which need not be looked at closely. */
const PLAIN = /^[\u0020-\u007e]*$/;

/**
 * Makes the text of others safe to show: what could steer a terminal, reorder a line or hide in it is written as the
 * `\uXXXX` of each UTF-16 unit. Newlines are kept. JSON stays JSON, and means the same.
 */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : text.replaceAll(UNSAFE, escapeUnits);
}

/** As {@linkcode visible}, and newlines are escapes, too: what is one text stays on one line. */
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

/** UTC to the second; a `ts` beyond what a date can hold as it is. */
export function formatTime(ts: number): string {
  const date = new Date(ts);
  return Number.isNaN(date.getTime()) ? `${ts} ms` : date.toISOString().slice(0, -5) + "Z";
}

/** So many of something: `1 operation`, `2 operations`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
