/**
 * Text width in terminal columns: measuring, shortening, wrapping. The module takes a while to load, so commands import
 * it only when they need it.
 *
 * @module
 */

import stringWidth from "string-width";

/** Limit of UTF-16 units per column: stops a letter with thousands of combining marks, which takes one column. */
const MAX_UNITS_PER_COLUMN = 16;

/** ASCII and box-drawing characters, each of which takes one column: a fast path. */
const PLAIN = /^[\u0020-\u007e\u2500-\u257f]*$/;

const graphemes = new Intl.Segmenter();

/** The width of a text in columns: wide characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  return stringWidth(text, { countAnsiEscapeCodes: true });
}

/**
 * Shortens a text to a number of columns, with an ellipsis if anything is cut. Grapheme clusters are not split. Takes
 * time in proportion to the result, not to the text.
 */
export function shorten(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (text.length <= columns && PLAIN.test(text)) return text;
  let [width, cut] = [0, 0];
  for (const { segment, index } of graphemes.segment(text)) {
    width += displayWidth(segment);
    const end = index + segment.length;
    if (width > columns || end > columns * MAX_UNITS_PER_COLUMN) return text.slice(0, cut) + "…";
    if (width < columns) cut = end;
  }
  return text;
}

/**
 * Shortens a line of several parts to a number of columns. Parts beyond them are removed.
 *
 * @param spans The parts, each a text with data such as its style.
 * @param columns Maximum width of the line.
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

/** Pads a text with spaces to a number of columns. A wider text is unchanged. */
export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

/** Breaks a text into lines of at most a number of columns, at spaces where possible. No text is lost. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let [line, width] = ["", 0];
  for (const { segment } of graphemes.segment(text)) {
    const wide = displayWidth(segment);
    const full = width + wide > columns || line.length + segment.length > columns * MAX_UNITS_PER_COLUMN;
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
