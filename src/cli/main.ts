/**
 * `mnema`: finds the command, runs it, and turns errors into a sentence and an exit code.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { append } from "./append.ts";
import { assert } from "./assert.ts";
import { audit } from "./audit.ts";
import { claims } from "./claims.ts";
import { type Command, optionsOf, suggestion, UsageError, usageOf } from "./command.ts";
import { completions } from "./completions.ts";
import { explainClaim } from "./explain.ts";
import { exportLog } from "./export.ts";
import { get } from "./get.ts";
import { commandHelp, overview } from "./help.ts";
import { id, init } from "./identity.ts";
import { importLog } from "./import.ts";
import { Input } from "./input.ts";
import { log } from "./log.ts";
import { isPrivateKey } from "../keys/private_key.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { ClosedPipe, complain, Output } from "./output.ts";
import { checkpoint, consistency, prove, verify, vkey } from "./proof.ts";
import { heads, show, stats } from "./read.ts";
import { EXIT_TRY_AGAIN, mayTryAgain } from "./peers.ts";
import { rebuild } from "./rebuild.ts";
import { correct, refute } from "./refute.ts";
import { sentenceOf } from "./sentence.ts";
import { serve } from "./serve.ts";
import { sync } from "./sync.ts";
import { streamLog } from "./stream.ts";

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
  sync,
  serve,
  claims,
  get,
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
  stream: streamLog,
};
COMMANDS.completions = completions(COMMANDS);

const VERSION = { version: { help: "show the version" } };

/**
 * Runs the command line.
 *
 * @param args The arguments after the program's name.
 * @returns The exit code: 0 done, 1 refused or failed, 2 wrong usage; `sync` has others, too.
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
    if (first.flag("version")) return print(() => `mnema ${config.version}`);
    if (name === undefined && args.length > 0 && !first.flag("help")) {
      throw new UsageError("a command is missing, such as: mnema log");
    }
    if (name === undefined || name === "help") return help(words[1]);
    const command = findCommand(name);
    if (first.flag("help")) return help(name);
    input = Input.parse([...first.leading, ...first.args.slice(1)], optionsOf(command), {
      literal: first.args.length > 0 ? literal : literal.slice(1),
      usage: usageOf(name, command),
    });
    if (input.flag("help")) return help(name);
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
  throw new UsageError(`there is no command ${name}${suggestion(name, Object.keys(COMMANDS), "")}`);
}

function help(about?: string): number {
  if (about === undefined) return print((columns) => overview(COMMANDS, columns));
  const command = findCommand(about);
  return print((columns) => commandHelp(about, command, columns));
}

function print(text: (columns?: number) => string): number {
  const output = new Output(false);
  output.data(text(output.columns));
  output.flush();
  return 0;
}

function fail(error: unknown, name: string | undefined, input: Input | undefined): number {
  if (error instanceof ClosedPipe) return 0;
  if (error instanceof UsageError) {
    const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? `${name} ` : "";
    complain(`mnema: ${shown(error.message)}`);
    complain(`Try: mnema ${command}--help`);
    return 2;
  }
  const sentence = sentenceOf(error, { log: input?.value("log"), key: input?.value("key") });
  if (sentence !== undefined) complain(`mnema: ${shown(sentence)}`);
  else for (const line of `mnema: internal error: ${Deno.inspect(error)}`.split("\n")) complain(line);
  return mayTryAgain(error) ? EXIT_TRY_AGAIN : 1;
}

/** A sentence that is safe to print: one that quotes a private key, given by mistake, is replaced. */
function shown(sentence: string): string {
  return isPrivateKey(sentence) ? "an argument is a private key; give the name of its file" : sentence;
}
