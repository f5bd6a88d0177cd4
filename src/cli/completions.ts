/**
 * `mnema completions`: scripts that complete commands, options, their values and files in a shell.
 *
 * @module
 */

import { type Command, type Input, optionsOf, type OptionSpec, suggestion, UsageError } from "./command.ts";
import { dashed } from "./options.ts";
import type { Output } from "./output.ts";
import { quoted } from "../text.ts";

type Commands = Readonly<Record<string, Command>>;

const SHELLS: Record<string, (commands: Commands) => string> = { bash, zsh, fish };
const SHELL_NAMES = Object.keys(SHELLS);

/** The command, for all commands. */
export function completions(commands: Commands): Command {
  return {
    args: "SHELL",
    summary: "Prints a script that completes commands, options and files in a shell.",
    details: `SHELL is bash, zsh or fish.

In ~/.bashrc: eval "$(mnema completions bash)"

In ~/.zshrc, after compinit: eval "$(mnema completions zsh)"

For fish, once: mnema completions fish > ~/.config/fish/completions/mnema.fish`,
    choices: SHELL_NAMES,
    example: "completions bash",
    run(input: Input, output: Output): void {
      input.requireArgs(1, 1);
      const [shell] = input.args;
      if (!Object.hasOwn(SHELLS, shell)) {
        const shown = SHELL_NAMES.join(", ");
        throw new UsageError(
          `there is no script for the shell ${shell}; choose one of ${shown}${suggestion(shell, SHELL_NAMES, "")}`,
        );
      }
      const script = SHELLS[shell](commands).trimEnd();
      output.data(output.json ? JSON.stringify({ script }) : script);
    },
  };
}

/** What completes the value of an option, or an argument. */
type Values = readonly string[] | "files" | "none";

/** Placeholders in the help that mean a path. */
const PATHS = /\b(?:FILE|PEER|VKEY|PROOF|OLD)\b/;

function valuesOf({ value = "", choices }: OptionSpec): Values {
  return choices ?? (PATHS.test(value) ? "files" : "none");
}

function argumentsOf({ args, choices }: Command): Values {
  return choices ?? (PATHS.test(args) ? "files" : "none");
}

/** How an option is written: its name, and its alias where it has one. */
function spellings(name: string, { alias }: OptionSpec): string[] {
  return [dashed(name), ...alias === undefined ? [] : [dashed(alias)]];
}

function bash(commands: Commands): string {
  const reply = (values: Values) => {
    if (values === "none") return "COMPREPLY=()";
    if (values === "files") return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current"))';
    return `COMPREPLY=($(compgen -W $'${values.join("\\n")}' -- "$current"))`;
  };
  const cases = Object.entries(commands).flatMap(([name, command]) => {
    const options = Object.entries(optionsOf(command));
    const valued = Map.groupBy(
      options.filter(([, spec]) => spec.value !== undefined),
      ([, spec]) => reply(valuesOf(spec)),
    );
    const written = options.flatMap(([option, spec]) => spellings(option, spec));
    return [
      `    ${name})`,
      `      case "$previous" in`,
      ...[...valued].map(([reply, options]) =>
        `        ${options.flatMap((option) => spellings(...option)).join("|")}) ${reply}; return ;;`
      ),
      `      esac`,
      `      if [[ $current == -* ]]; then ${reply(written)}; else ${reply(argumentsOf(command))}; fi ;;`,
    ];
  });
  return `_mnema() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= i IFS=$'\\n'
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --log|--key) ((i++)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case "$command" in
    "")
      case "$previous" in
        --log|--key) ${reply("files")}; return ;;
      esac
      ${reply([...Object.keys(commands), "help"])} ;;
    help) ${reply(Object.keys(commands))} ;;
${cases.join("\n")}
  esac
}
complete -F _mnema mnema
`;
}

function zsh(commands: Commands): string {
  const action = (values: Values) => values === "files" ? "_files" : values === "none" ? "" : `(${values.join(" ")})`;
  const plain = (text: string) => text.replaceAll(/[\[\]:\\]/g, "\\$&");
  const optionOf = ([name, spec]: [string, OptionSpec]) =>
    spellings(name, spec).map((written) => {
      const repeated = spec.many ? "*" : "";
      const [equals, value] = spec.value === undefined
        ? ["", ""]
        : [written.startsWith("--") ? "=" : "", `:${plain(spec.value)}:${action(valuesOf(spec))}`];
      return `        ${quoted(`${repeated}${written}${equals}[${plain(spec.help)}]${value}`)} \\`;
    });
  const cases = Object.entries(commands).flatMap(([name, command]) => [
    `    ${name})`,
    `      _arguments -S \\`,
    ...Object.entries(optionsOf(command)).flatMap(optionOf),
    ...command.args === "" ? [] : [`        ${quoted(`*:${plain(command.args)}:${action(argumentsOf(command))}`)} \\`],
    "      ;;",
  ]);
  const names = Object.entries(commands).map(([name, { summary }]) => `    ${quoted(`${name}:${plain(summary)}`)}`);
  return `#compdef mnema
_mnema() {
  local -a commands=(
${names.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    help) _describe command commands ;;
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == _mnema ]]; then _mnema "$@"; else compdef _mnema mnema; fi
`;
}

function fish(commands: Commands): string {
  const lines = ["complete -c mnema -f"];
  for (const [name, command] of Object.entries(commands)) {
    lines.push(`complete -c mnema -n __fish_use_subcommand -a ${name} -d ${quoted(command.summary)}`);
    const within = `complete -c mnema -n '__fish_seen_subcommand_from ${name}'`;
    const values = argumentsOf(command);
    if (values === "files") lines.push(`${within} -F`);
    else if (values !== "none") lines.push(`${within} -a ${quoted(values.join(" "))}`);
    for (const [option, spec] of Object.entries(optionsOf(command))) {
      const written = spellings(option, spec).map((spelling) =>
        spelling.startsWith("--") ? `-l ${spelling.slice(2)}` : `-s ${spelling.slice(1)}`
      );
      lines.push(`${within} ${written.join(" ")} ${fishValue(spec)}-d ${quoted(spec.help)}`);
    }
  }
  return lines.join("\n") + "\n";
}

function fishValue(spec: OptionSpec): string {
  if (spec.value === undefined) return "";
  const values = valuesOf(spec);
  if (values === "files") return "-r -F ";
  return values === "none" ? "-x " : `-x -a ${quoted(values.join(" "))} `;
}
