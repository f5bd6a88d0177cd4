/**
 * Medians, and tables of figures.
 *
 * @module
 */

/** The middle value; of an even number, the greater of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/**
 * Prints rows as columns of equal width. Figures are on the right of theirs.
 *
 * @param rows Of as many cells as the first, or fewer.
 * @param isText Whether a column holds text; the first by default.
 */
export function printColumns(
  rows: readonly (readonly string[])[],
  isText: (column: number) => boolean = (column) => column === 0,
): void {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  for (const row of rows) {
    const cells = row.map((cell, i) => isText(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
    console.log(cells.join("  ").trimEnd());
  }
}
