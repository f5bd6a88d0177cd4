/**
 * A progress bar on standard error.
 *
 * @module
 */

import { writeAll } from "./files.ts";
import { isDumb, terminalColumns } from "./terminal.ts";

/** Draws how much is done, and of how much; erases the bar when all is done. */
export type Draw = (done: number, total?: number) => void;

const MAX_BAR_COLUMNS = 50;
/** A shorter bar is left out. */
const MIN_BAR_COLUMNS = 8;
const PLAIN_COLUMNS = 80;
const DRAW_EVERY_MS = 100;
/** Back to the start of the line, and erase it. */
const ERASE = "\r\x1b[K";

/**
 * Starts a bar; undefined when standard error is not a terminal, or cannot erase it.
 *
 * @param show Formats an amount: as it is, by default.
 */
export function drawProgress(show: (amount: number) => string = String): Draw | undefined {
  if (!Deno.stderr.isTerminal() || isDumb()) return undefined;
  let drawnAt = 0;
  let isDrawn = false;
  return (done, total) => {
    const now = Date.now();
    if (total !== undefined && done >= total) {
      if (isDrawn) write(ERASE);
      isDrawn = false;
    } else if (now - drawnAt >= DRAW_EVERY_MS) {
      write(ERASE + barOf(done, total, show, terminalColumns() ?? PLAIN_COLUMNS));
      drawnAt = now;
      isDrawn = true;
    }
  };
}

/**
 * The line of a bar, which leaves the last column free: some terminals wrap a line that fills it.
 *
 * @param done How much is done.
 * @param total Of how much, where that is known.
 * @param show Formats an amount.
 * @param columns How many columns the terminal has.
 */
export function barOf(
  done: number,
  total: number | undefined,
  show: (amount: number) => string,
  columns: number,
): string {
  const room = Math.max(columns - 1, 0);
  if (total === undefined) return show(done).slice(0, room);
  const numbers = `${show(done)}/${show(total)}`;
  const bar = Math.min(MAX_BAR_COLUMNS, room - numbers.length - 3);
  if (bar < MIN_BAR_COLUMNS) return numbers.slice(0, room);
  const filled = Math.floor(Math.min(done / total, 1) * bar);
  return `[${"#".repeat(filled)}${"-".repeat(bar - filled)}] ${numbers}`;
}

/** An amount of data: `512 B`, `1.5 KiB`, `20.0 MiB`. */
export function bytes(amount: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (unit < units.length - 1 && amount >= 1024 ** (unit + 1)) unit++;
  return `${(amount / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

/** The same stream, which draws progress as it is read. */
export function watchBytes(
  source: ReadableStream<Uint8Array>,
  total: number | undefined,
  draw: Draw,
): ReadableStream<Uint8Array> {
  let read = 0;
  return source.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        draw(read += chunk.length, total);
        controller.enqueue(chunk);
      },
    }),
  );
}

function write(text: string): void {
  try {
    writeAll(Deno.stderr, text);
  } catch {
    // The terminal was closed: the work goes on.
  }
}
