/**
 * `mnema`: finds the command, runs it, and turns what goes wrong into a sentence and an exit code.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { type Command, commandHelp, explain, GLOBAL_OPTIONS, Input, suggestion, UsageError } from "./command.ts";
import { append } from "./append.ts";
import { id, init } from "./identity.ts";
import { log } from "./log.ts";
import { ClosedPipe, Output } from "./output.ts";
import { heads, show, stats } from "./read.ts";
import { exportLog, importLog } from "./transfer.ts";

const COMMANDS: Record<string, Command> = {
  init,
  id,
  append,
  log,
  show,
  heads,
  stats,
  export: exportLog,
  import: importLog,
};

const VERSION = { version: { help: "show the version" } };

/**
 * Runs the command line.
 *
 * @param args The arguments after the program's name.
 * @returns The exit code: 0 done, 1 refused or failed, 2 wrong usage.
 */
export async function main(args: readonly string[]): Promise<number> {
  let name: string | undefined;
  try {
    const first = Input.parse(args, { ...GLOBAL_OPTIONS, ...VERSION }, true);
    name = first.args[0];
    if (first.flag("version")) return print(`mnema ${config.version}`);
    if (name === undefined || name === "help") return help(first);
    if (!Object.hasOwn(COMMANDS, name)) {
      throw new UsageError(`there is no command ${name}${suggestion(name, COMMANDS, "")}`);
    }
    const command = COMMANDS[name];
    if (first.flag("help")) return print(commandHelp(name, command));
    const input = Input.parse([...first.leading, ...first.args.slice(1)], { ...command.options, ...GLOBAL_OPTIONS });
    if (input.flag("help")) return print(commandHelp(name, command));
    const output = new Output(input.flag("json"));
    const code = await command.run(input, output);
    output.flush();
    return code ?? 0;
  } catch (error) {
    return fail(error, name);
  }
}

function help(input: Input): number {
  const about = input.args[1];
  if (about !== undefined && Object.hasOwn(COMMANDS, about)) return print(commandHelp(about, COMMANDS[about]));
  const usages = Object.entries(COMMANDS).map(([name, { args }]) => `${name} ${args}`);
  const width = Math.max(...usages.map((usage) => usage.length));
  const commands = Object.values(COMMANDS).map(({ summary }, i) => `  ${usages[i].padEnd(width)}  ${summary}`);
  return print([
    "Usage: mnema COMMAND [options]",
    "",
    "A signed, append-only log of operations in one SQLite file.",
    "",
    "Commands:",
    ...commands,
    "",
    "Every command takes --log FILE, --key FILE, --json and --help.",
    "Exit code: 0 done, 1 refused or failed, 2 wrong usage.",
    "",
    "Example:",
    "  mnema init",
    `  mnema append note '{"text":"tea at four"}'`,
    "  mnema log",
    "",
  ].join("\n"));
}

function print(text: string): number {
  const output = new Output(false);
  output.line(text.trimEnd());
  output.flush();
  return 0;
}

function fail(error: unknown, name: string | undefined): number {
  if (error instanceof ClosedPipe) return 0;
  if (error instanceof UsageError) {
    const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? `${name} ` : "";
    console.error(`mnema: ${error.message}\nTry: mnema ${command}--help`);
    return 2;
  }
  const sentence = explain(error);
  if (sentence === undefined) console.error("mnema: this should not happen:", error);
  else console.error(`mnema: ${sentence}`);
  return 1;
}
