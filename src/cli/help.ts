/**
 * The help: of the whole command line, and of one command.
 *
 * @module
 */

import { type Command, optionsOf, usageOf } from "./command.ts";
import { dashed } from "./options.ts";

/** The columns of a line that is not written to a terminal. */
const PLAIN_COLUMNS = 120;

/** The help of one command. */
export function commandHelp(name: string, command: Command, columns = PLAIN_COLUMNS): string {
  const options = Object.entries(optionsOf(command)).map(([option, { alias, value, help }]): [string, string] => [
    `${alias ? `-${alias}, ` : ""}${dashed(option)}${value ? ` ${value}` : ""}`,
    help,
  ]);
  const paragraphs = [command.summary, ...command.details?.split("\n\n") ?? []];
  return [
    ...fill(`Usage: mnema ${usageOf(name, command)} [options]`, columns),
    ...paragraphs.flatMap((text) => ["", ...fill(text.replaceAll("\n", " "), columns)]),
    "",
    "Options:",
    ...table(options, columns),
    "",
    "Example:",
    `  mnema ${command.example}`,
  ].join("\n");
}

/** The help of the whole command line. */
export function overview(commands: Record<string, Command>, columns = PLAIN_COLUMNS): string {
  const rows = Object.entries(commands).map(([name, command]): [string, string] => [
    usageOf(name, command),
    command.summary,
  ]);
  return [
    "Usage: mnema COMMAND [options]",
    "",
    ...fill("A signed, append-only log of operations in one SQLite file.", columns),
    "",
    "Commands:",
    ...table(rows, columns),
    "",
    ...fill(
      "Every command takes --log FILE, --key FILE, --json and --help; mnema COMMAND --help describes one.",
      columns,
    ),
    ...fill("JSON has the field names of the wire format, such as op_id.", columns),
    ...fill("Exit code: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.", columns),
    "",
    "Example:",
    "  mnema init",
    `  mnema append note '{"text":"tea at four"}'`,
    "  mnema log",
  ].join("\n");
}

/** Two columns; on a narrow terminal, the second is below the first. */
function table(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const width = Math.max(...rows.map(([first]) => first.length));
  const room = columns - width - 4;
  if (room < 20) {
    return rows.flatMap(([first, second]) => [
      ...fill(first, columns - 2).map((line) => `  ${line}`),
      ...fill(second, columns - 6).map((line) => `      ${line}`),
    ]);
  }
  return rows.flatMap(([first, second]) =>
    fill(second, room).map((line, i) => `  ${(i === 0 ? first : "").padEnd(width)}  ${line}`)
  );
}

/** Wraps an ASCII text at spaces. */
function fill(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
