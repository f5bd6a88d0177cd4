/**
 * Writing results and notes: whole, in order, quietly ended when nobody reads any more, and the only place that writes
 * to a terminal. Whatever may be data is escaped here; the only escapes that reach a terminal are the styles below.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { visible, visibleLine } from "../text.ts";
import { writeAll } from "./files.ts";
import { isDumb, terminalColumns } from "./terminal.ts";

/** Standard output was closed by whoever read it, as `| head` does: no error, there is just nothing left to do. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

/** How a part of a line is shown on a terminal that has styles. */
export type Style = "bold" | "dim" | "cyan" | "green" | "yellow";

/** Text, which is escaped, and the style to show it in. */
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

const BUFFERED = 1 << 16;

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

  /** How many columns a line may have; undefined when it is not read on a terminal. */
  get columns(): number | undefined {
    return this.#terminal ? terminalColumns() : undefined;
  }

  /** Writes one line for people. What is in it stays on the line and steers nothing, wherever it is read. */
  line(...spans: readonly Span[]): void {
    this.#write(spans.map((span) => this.#styled(span)).join("") + "\n");
  }

  /**
   * Writes text for programs, and a newline: byte for byte, but on a terminal, where it is escaped. JSON stays JSON, and
   * has the same value.
   */
  data(text: string): void {
    this.#write((this.#terminal ? visible(text) : text) + "\n");
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

  /** Writes a line to standard error: everything that is not the result. */
  note(text: string): void {
    this.flush();
    complain(text);
  }

  #write(text: string): void {
    this.#buffer += text;
    if (this.#buffer.length >= BUFFERED) this.flush();
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
