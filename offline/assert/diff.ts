/** Formats the values of a failed assertion, and the differences between two. */

/** The unchanged lines kept on each side of a change. */
const CONTEXT = 4;

/** Above this many pairs of lines, a change is shown as one whole block. */
const MAX_PAIRS = 4_000_000;

/** A line of a diff: in both texts, or only in the actual or expected one. */
interface Line {
  sign: " " | "-" | "+";
  text: string;
}

/**
 * A value as text, whole, one element a line, keys sorted.
 *
 * @param value Any value.
 * @returns Its text.
 */
export function format(value: unknown): string {
  return Deno.inspect(value, {
    compact: false,
    depth: Infinity,
    getters: true,
    iterableLimit: Infinity,
    sorted: true,
    strAbbreviateSize: Infinity,
    trailingComma: true,
  });
}

/**
 * The differences between two values, line by line, for an assertion's message.
 *
 * @param actual The value found, its own lines marked `-`.
 * @param expected The value wanted, its own lines marked `+`.
 * @returns The lines of the diff, under a heading.
 */
export function difference(actual: unknown, expected: unknown): string {
  const lines = diff(linesOf(actual, expected), linesOf(expected, actual));
  const shown = lines.every(({ sign }) => sign === " ") ? ["    (both print the same)"] : shorten(lines);
  return ["", "", "    [Diff] Actual / Expected", "", "", ...shown, ""]
    .join("\n");
}

/** Two strings are compared by their own lines, other values as printed. */
function linesOf(value: unknown, other: unknown): string[] {
  return typeof value === "string" && typeof other === "string"
    ? value.split("\n").map((line) => Deno.inspect(line))
    : format(value).split("\n");
}

function diff(a: string[], b: string[]): Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (
    end < a.length - start && end < b.length - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  ) end++;
  return [
    ...a.slice(0, start).map(line(" ")),
    ...changes(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(line(" ")),
  ];
}

/** The two texts merged along their longest common subsequence of lines. */
function changes(a: string[], b: string[]): Line[] {
  if (a.length * b.length > MAX_PAIRS) {
    return [...a.map(line("-")), ...b.map(line("+"))];
  }
  // common[i][j]: how many lines the rests a[i..] and b[j..] have in common.
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j]
        ? common[(i + 1) * width + j + 1] + 1
        : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  const lines: Line[] = [];
  let i = 0, j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ sign: " ", text: a[i++] });
      j++;
    } else if (common[(i + 1) * width + j] >= common[i * width + j + 1]) {
      lines.push({ sign: "-", text: a[i++] });
    } else {
      lines.push({ sign: "+", text: b[j++] });
    }
  }
  return [...lines, ...a.slice(i).map(line("-")), ...b.slice(j).map(line("+"))];
}

/** The changed lines and their neighbours, the rest counted. */
function shorten(lines: Line[]): string[] {
  const near = new Uint8Array(lines.length);
  lines.forEach(({ sign }, i) => {
    if (sign !== " ") near.fill(1, Math.max(0, i - CONTEXT), i + CONTEXT + 1);
  });
  const shown: string[] = [];
  let skipped = 0;
  lines.forEach(({ sign, text }, i) => {
    if (!near[i]) return skipped++;
    if (skipped > 0) shown.push(`    … ${skipped} unchanged`);
    skipped = 0;
    shown.push(`${sign}   ${text}`);
  });
  if (skipped > 0) shown.push(`    … ${skipped} unchanged`);
  return shown;
}

function line(sign: Line["sign"]): (text: string) => Line {
  return (text) => ({ sign, text });
}
