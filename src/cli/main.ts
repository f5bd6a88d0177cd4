/**
 * `mnema`: finds the command, runs it, and turns what goes wrong into a sentence and an exit code.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import {
  type Command,
  commandHelp,
  explain,
  GLOBAL_OPTIONS,
  Input,
  optionsOf,
  suggestion,
  UsageError,
} from "./command.ts";
import { append } from "./append.ts";
import { assert } from "./assert.ts";
import { audit } from "./audit.ts";
import { claims } from "./claims.ts";
import { explainClaim } from "./explain.ts";
import { id, init } from "./identity.ts";
import { log } from "./log.ts";
import { ClosedPipe, Output } from "./output.ts";
import { visible } from "../text.ts";
import { isPrivateKey } from "../wire/private_key.ts";
import { checkpoint, consistency, prove, verify, vkey } from "./proof.ts";
import { heads, show, stats } from "./read.ts";
import { rebuild } from "./rebuild.ts";
import { correct, refute } from "./refute.ts";
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
  claims,
  explain: explainClaim,
  assert,
  refute,
  correct,
  rebuild,
  checkpoint,
  prove,
  consistency,
  verify,
  vkey,
  audit,
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
  let input: Input | undefined;
  try {
    const dashes = args.indexOf("--");
    const [head, literal] = dashes < 0 ? [args, []] : [args.slice(0, dashes), args.slice(dashes + 1)];
    const first = Input.parse(head, { ...GLOBAL_OPTIONS, ...VERSION }, { stopEarly: true });
    const words = [...first.args, ...literal];
    name = words[0];
    if (first.flag("version")) return print(`mnema ${config.version}`);
    if (name === undefined && args.length > 0 && !first.flag("help")) throw new UsageError("a command is missing");
    if (name === undefined || name === "help") return help(words[1]);
    const command = findCommand(name);
    if (first.flag("help")) return print(commandHelp(name, command));
    input = Input.parse([...first.leading, ...first.args.slice(1)], optionsOf(command), {
      literal: first.args.length > 0 ? literal : literal.slice(1),
    });
    if (input.flag("help")) return print(commandHelp(name, command));
    const output = new Output(input.flag("json"));
    const code = await command.run(input, output);
    output.flush();
    return code ?? 0;
  } catch (error) {
    return fail(error, name, input);
  }
}

function findCommand(name: string): Command {
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name];
  throw new UsageError(`there is no command ${name}${suggestion(name, COMMANDS, "")}`);
}

function help(about?: string): number {
  if (about !== undefined) return print(commandHelp(about, findCommand(about)));
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

function fail(error: unknown, name: string | undefined, input: Input | undefined): number {
  if (error instanceof ClosedPipe) return 0;
  if (error instanceof UsageError) {
    const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? `${name} ` : "";
    console.error(`mnema: ${shown(error.message)}\nTry: mnema ${command}--help`);
    return 2;
  }
  const sentence = explain(error, input);
  if (sentence === undefined) console.error("mnema: this should not happen:", error);
  else console.error(`mnema: ${shown(sentence)}`);
  return 1;
}

/** A sentence as a terminal may show it: one that quotes a private key, given by mistake, is not shown. */
function shown(sentence: string): string {
  return isPrivateKey(sentence) ? "an argument is a private key; give the name of its file" : visible(sentence);
}
