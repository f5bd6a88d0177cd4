/**
 * Text by others, made safe to show, and measured in the columns that a terminal gives it.
 *
 * @module
 */

import stringWidth from "string-width";

/** A cell may hold a letter and its marks, but not a page of them: text longer than this per column is shortened. */
const MOST_UNITS_PER_COLUMN = 16;

/** ASCII and the lines of boxes: each takes one column and joins with nothing, and need not be looked at closely. */
const PLAIN = /^[\u0020-\u007e\u2500-\u257f]*$/;

const graphemes = new Intl.Segmenter();

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

/** How many columns a terminal gives a text: wide characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  return stringWidth(text, { countAnsiEscapeCodes: true });
}

/**
 * Shortens a text to so many columns, with an ellipsis where something is left out; what looks like one character stays
 * whole or goes. Costs what is shown, not what there is.
 */
export function shorten(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (text.length <= columns && PLAIN.test(text)) return text;
  let [width, kept] = [0, 0];
  for (const { segment, index } of graphemes.segment(text)) {
    width += displayWidth(segment);
    const end = index + segment.length;
    if (width > columns || end > columns * MOST_UNITS_PER_COLUMN) return text.slice(0, kept) + "…";
    if (width < columns) kept = end;
  }
  return text;
}

/** Fills a text with spaces to so many columns; one that is wider stays as it is. */
export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

/** Breaks a text into lines of so many columns, at spaces where there are some; nothing is left out. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let [line, width] = ["", 0];
  for (const { segment } of graphemes.segment(text)) {
    const wide = displayWidth(segment);
    const full = width + wide > columns || line.length + segment.length > columns * MOST_UNITS_PER_COLUMN;
    if (full && segment === " ") {
      lines.push(line);
      [line, width] = ["", 0];
      continue;
    }
    if (full && line !== "") {
      const space = line.lastIndexOf(" ");
      lines.push(space <= 0 ? line : line.slice(0, space));
      line = space <= 0 ? "" : line.slice(space + 1);
      width = displayWidth(line);
    }
    line += segment;
    width += wide;
  }
  lines.push(line);
  return lines;
}

/** UTC to the second; a `ts` beyond what a date can hold as it is. */
export function formatTime(ts: number): string {
  const date = new Date(ts);
  return Number.isNaN(date.getTime()) ? `${ts} ms` : date.toISOString().slice(0, -5) + "Z";
}
