/**
 * Text by others, made safe to show.
 *
 * @module
 */

/**
 * Makes the text of others safe to show: what would steer a terminal or reorder a line is written as an escape.
 * Newlines are kept.
 */
export function visible(text: string): string {
  return text.replaceAll(
    // C0 and C1 controls, delete, and the marks that change the direction of text.
    // deno-lint-ignore no-control-regex
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

/** As {@linkcode visible}, and newlines are escapes, too: what is one text stays on one line. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll("\n", "\\n");
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
