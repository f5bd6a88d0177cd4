/**
 * Text in the columns that a terminal gives it. What measures them takes a while to load, so commands load this module
 * when they need it.
 *
 * @module
 */

import stringWidth from "string-width";

/** A cell may hold a letter and its marks, but not a page of them: text longer than this per column is shortened. */
const MOST_UNITS_PER_COLUMN = 16;

/** ASCII and the lines of boxes: each takes one column and joins with nothing, and need not be looked at closely. */
const PLAIN = /^[\u0020-\u007e\u2500-\u257f]*$/;

const graphemes = new Intl.Segmenter();

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

/**
 * Shortens a line of several parts as a whole; a part for which there is no room goes.
 *
 * @param spans The parts, each a text and what belongs to it, such as its style.
 * @param columns How many columns the line may have.
 */
export function shortenSpans<T extends unknown[]>(
  spans: readonly (readonly [text: string, ...T])[],
  columns: number,
): [text: string, ...T][] {
  const text = shorten(spans.map(([text]) => text).join(""), columns);
  const shortened: [string, ...T][] = [];
  let end = 0;
  for (const [span, ...rest] of spans) {
    const part = text.slice(end, end += span.length);
    if (part !== "") shortened.push([part, ...rest]);
  }
  return shortened;
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
