/**
 * Writes results to standard output and notes to standard error. All output for a terminal goes through this module: data
 * is escaped, and the only escape sequences that reach a terminal are the styles below.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { visible, visibleLine } from "../text.ts";
import { writeAll } from "./files.ts";
import { isDumb, terminalColumns } from "./terminal.ts";

/** Thrown when the reader of standard output has closed it, as `| head` does: the command ends without an error. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

/** The style of a part of a line, on a terminal that has styles. */
export type Style = "bold" | "dim" | "cyan" | "green" | "yellow";

/** Text, which is escaped when it is written, and its style. */
export type StyledText = readonly [text: string, style?: Style];

/** A part of a line. */
export type Span = string | StyledText;

const CODES: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  cyan: [36, 39],
  green: [32, 39],
  yellow: [33, 39],
};

const MAX_BUFFERED = 1 << 16;

/** Where a command writes its results. */
export class Output {
  /** Whether results are JSON. */
  readonly json: boolean;
  readonly #terminal = Deno.stdout.isTerminal();
  readonly #color: boolean;
  #buffer = "";

  /** @param json Whether results are JSON. */
  constructor(json: boolean) {
    this.json = json;
    this.#color = this.#terminal && !Deno.noColor && !isDumb();
  }

  /** The columns of the terminal; undefined when standard output is not one. */
  get columns(): number | undefined {
    return this.#terminal ? terminalColumns() : undefined;
  }

  /** Writes one line for people. Line breaks and control characters in it are escaped. */
  line(...spans: readonly Span[]): void {
    this.#write(spans.map((span) => this.#styled(span)).join("") + "\n");
  }

  /**
   * Writes text for programs, and a newline: unchanged, except on a terminal, where it is escaped. Escaped JSON is JSON
   * with the same value.
   */
  data(text: string): void {
    this.#write((this.#terminal ? visible(text) : text) + "\n");
  }

  /** Writes the buffered results. */
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

  /** Writes a line that is not a result to standard error. */
  note(text: string): void {
    this.flush();
    complain(text);
  }

  #write(text: string): void {
    this.#buffer += text;
    if (this.#buffer.length >= MAX_BUFFERED) this.flush();
  }

  #styled(span: Span): string {
    const [text, style] = typeof span === "string" ? [span] : span;
    const safe = visibleLine(text);
    if (!this.#color || style === undefined || safe === "") return safe;
    const [on, off] = CODES[style];
    return `\x1b[${on}m${safe}\x1b[${off}m`;
  }
}

/** Writes a line to standard error, escaped. */
export function complain(text: string): void {
  console.error(visibleLine(text));
}
