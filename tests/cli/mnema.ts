import { assertEquals, assertMatch } from "@std/assert";

/** The permissions that the documentation names, and no other. */
export const PERMISSIONS: readonly string[] = [
  "--allow-read=.",
  "--allow-write=.",
  "--allow-ffi",
  "--allow-env=MNEMA_LOG,MNEMA_KEY,DENO_SQLITE_PATH,DENO_SQLITE_LOCAL,TERM",
];

const CLI = decodeURIComponent(new URL("../../cli.ts", import.meta.url).pathname);
const MANY = decodeURIComponent(new URL("./many.ts", import.meta.url).pathname);
/** What the tests themselves are run with must not reach the command line. */
const PLAIN = { MNEMA_LOG: "", MNEMA_KEY: "", NO_COLOR: "" };

/** How a process ended, and what it said. */
export interface Result {
  code: number;
  out: string;
  err: string;
}

/** What a process finds where it starts. */
export interface Surroundings {
  /** What it may do: {@linkcode PERMISSIONS}, unless told. */
  permissions?: readonly string[];
  /** What it reads on standard input: nothing, unless told. */
  stdin?: string | Uint8Array<ArrayBuffer>;
  /** More of the environment. */
  env?: Record<string, string>;
  /** More flags for Deno. */
  flags?: readonly string[];
  /** Whether Deno may ask the user for permissions, on a terminal: it does not, unless told. */
  mayPrompt?: boolean;
}

/** The command line, each time as a process of its own, with a folder as its working directory. */
export class Mnema {
  /** The working directory. */
  readonly folder: string;
  readonly #around: Surroundings;

  constructor(folder: string, around: Surroundings = {}) {
    this.folder = folder;
    this.#around = around;
  }

  /** The same with other surroundings. */
  with(around: Surroundings): Mnema {
    return new Mnema(this.folder, { ...this.#around, ...around });
  }

  /** Runs a command. */
  run(...args: string[]): Promise<Result> {
    return collect(this.spawn(...args), this.#around.stdin);
  }

  /** Runs a command that does what it is told without a word beside its result, and returns that. */
  async does(...args: string[]): Promise<string> {
    return outputOf(args, await this.run(...args));
  }

  /** Runs a command that cannot be done, and returns the one sentence that says why. */
  async refuses(...args: string[]): Promise<string> {
    return refusalOf(args, await this.run(...args));
  }

  /** Runs a command that is wrong usage, and returns what is said of that before the pointer to the help. */
  async misuses(...args: string[]): Promise<string> {
    return misuseOf(args, await this.run(...args));
  }

  /** The same as {@linkcode Mnema.does} for many command lines, in one process. */
  async doesEach(commands: readonly string[][]): Promise<string[]> {
    return (await this.#runEach(commands)).map((result, i) => outputOf(commands[i], result));
  }

  /** The same as {@linkcode Mnema.refuses} for many command lines, in one process. */
  async refusesEach(commands: readonly string[][]): Promise<string[]> {
    return (await this.#runEach(commands)).map((result, i) => refusalOf(commands[i], result));
  }

  /** The same as {@linkcode Mnema.misuses} for many command lines, in one process. */
  async misusesEach(commands: readonly string[][]): Promise<string[]> {
    return (await this.#runEach(commands)).map((result, i) => misuseOf(commands[i], result));
  }

  async #runEach(commands: readonly string[][]): Promise<Result[]> {
    const args = [...this.#runArgs(MANY), JSON.stringify(commands)];
    const { code, out, err } = await collect(this.#spawn(Deno.execPath(), args), this.#around.stdin);
    const [outs, errs] = [out, err].map((text) => text.split("\0"));
    assertEquals([code, outs.length, errs.length], [0, 2 * commands.length + 1, 2 * commands.length + 1], err);
    return commands.map((_, i) => ({ code: Number(outs[2 * i + 1]), out: outs[2 * i], err: errs[2 * i] }));
  }

  /** Starts a command. */
  spawn(...args: string[]): Deno.ChildProcess {
    return this.#spawn(Deno.execPath(), [...this.#runArgs(), ...args]);
  }

  /** Runs a script of bash in which `mnema` is the command line. */
  bash(script: string): Promise<Result> {
    return collect(this.#spawn("bash", ["-c", `${this.#shellFunction()}\n${script}`]), this.#around.stdin);
  }

  /** Runs a shell script on a terminal: standard output and error are one, and lines end in `\r\n`. */
  terminal(script: string): Promise<Result> {
    return collect(this.spawnTerminal(script));
  }

  /** Starts a shell script on a terminal, on which standard input is typed. */
  spawnTerminal(script: string): Deno.ChildProcess {
    const args = [
      "-qec",
      `${this.#shellFunction()}
${script}`,
      "/dev/null",
    ];
    const posix = new Mnema(this.folder, { ...this.#around, env: { ...this.#around.env, SHELL: "/bin/sh" } });
    return posix.#spawn("timeout", ["60", "script", ...args]); // one that waits for a person must not hang
  }

  #runArgs(module = CLI): string[] {
    const { permissions = PERMISSIONS, flags = [], mayPrompt = false } = this.#around;
    return ["run", "--quiet", ...mayPrompt ? [] : ["--no-prompt"], ...flags, ...permissions, module];
  }

  #shellFunction(): string {
    const words = [Deno.execPath(), ...this.#runArgs()].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    return `mnema() { ${words.join(" ")} "$@"; }`;
  }

  #spawn(command: string, args: string[]): Deno.ChildProcess {
    return new Deno.Command(command, {
      args,
      cwd: this.folder,
      env: { ...PLAIN, ...this.#around.env },
      stdin: this.#around.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }
}

function outputOf(args: string[], { code, out, err }: Result): string {
  assertEquals({ code, err }, { code: 0, err: "" }, args.join(" "));
  return out;
}

function refusalOf(args: string[], { code, out, err }: Result): string {
  assertEquals({ code, out }, { code: 1, out: "" }, args.join(" "));
  assertMatch(err, /^mnema: (?!this should not happen).+\n$/);
  return err.slice("mnema: ".length, -1);
}

function misuseOf(args: string[], { code, out, err }: Result): string {
  assertEquals({ code, out }, { code: 2, out: "" }, args.join(" "));
  assertMatch(err, /^mnema: .+\nTry: mnema ([a-z]+ )?--help\n$/);
  return err.slice("mnema: ".length, err.indexOf("\nTry: "));
}

/** Runs a command in a folder. */
export function runMnema(folder: string, args: string[], around?: Surroundings): Promise<Result> {
  return new Mnema(folder, around).run(...args);
}

async function collect(child: Deno.ChildProcess, stdin?: string | Uint8Array<ArrayBuffer>): Promise<Result> {
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), feed(child, stdin)]);
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** Gives a process its standard input. One that ends without reading all of it is no error. */
async function feed(child: Deno.ChildProcess, stdin?: string | Uint8Array<ArrayBuffer>): Promise<void> {
  if (stdin === undefined) return;
  const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  try {
    await new Blob([bytes]).stream().pipeTo(child.stdin);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
