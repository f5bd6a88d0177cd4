/**
 * Writing results: whole, in order, and quietly ended when nobody reads any more.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { writeAll } from "./files.ts";

/** Standard output was closed by whoever read it, as `| head` does: no error, there is just nothing left to do. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

type Style = "bold" | "dim" | "cyan" | "green" | "yellow";

const CODES: Record<Style, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  cyan: [36, 39],
  green: [32, 39],
  yellow: [33, 39],
};

const BUFFERED = 1 << 16;

/** Where a command writes its results. */
export class Output {
  /** Whether results are JSON. */
  readonly json: boolean;
  /** How many columns a line may have; undefined when it is not read on a terminal. */
  readonly columns?: number;
  readonly #color: boolean;
  #buffer = "";

  /** @param json Whether results are JSON. */
  constructor(json: boolean) {
    const terminal = Deno.stdout.isTerminal();
    this.json = json;
    this.#color = terminal && !Deno.noColor;
    if (terminal) this.columns = Deno.consoleSize().columns || undefined; // some terminals do not tell
  }

  /** Writes one line of the result. */
  line(text: string): void {
    this.#buffer += text + "\n";
    if (this.#buffer.length >= BUFFERED) this.flush();
  }

  /** Writes what was held back. */
  flush(): void {
    const text = this.#buffer;
    this.#buffer = "";
    try {
      writeAll(Deno.stdout, text);
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) throw new ClosedPipe();
      throw new LogError("io", `the result cannot be written: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Writes to standard error: everything that is not the result. */
  note(text: string): void {
    this.flush();
    console.error(text);
  }

  /** The text in a style, on a terminal that shows it. */
  style(text: string, ...styles: Style[]): string {
    if (!this.#color) return text;
    return styles.reduce((styled, style) => `\x1b[${CODES[style][0]}m${styled}\x1b[${CODES[style][1]}m`, text);
  }
}
