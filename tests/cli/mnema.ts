import { assertEquals, assertMatch } from "@std/assert";

/** The documented permissions of all commands but `sync` and `serve`. */
export const PERMISSIONS: readonly string[] = [
  "--allow-read=.",
  "--allow-write=.",
  "--allow-ffi",
  "--allow-env=MNEMA_LOG,MNEMA_KEY,DENO_SQLITE_PATH,DENO_SQLITE_LOCAL,TERM",
];

/** All documented permissions. */
export const NETWORK_PERMISSIONS: readonly string[] = [
  "--allow-read=.",
  "--allow-write=.",
  "--allow-net",
  "--allow-run=ssh",
  "--allow-ffi",
  "--allow-env=MNEMA_LOG,MNEMA_KEY,MNEMA_SSH,DENO_SQLITE_PATH,DENO_SQLITE_LOCAL,WS_NO_BUFFER_UTIL,WS_NO_UTF_8_VALIDATE,TERM",
];

const CLI = decodeURIComponent(new URL("../../cli.ts", import.meta.url).pathname);
const MANY = decodeURIComponent(new URL("./many.ts", import.meta.url).pathname);
/** Clears the variables of the test process that would change the command line. */
const PLAIN = { MNEMA_LOG: "", MNEMA_KEY: "", MNEMA_SSH: "", NO_COLOR: "" };

/** The exit code and the output of a process. */
export interface Result {
  code: number;
  out: string;
  err: string;
}

/** The environment of a process. */
export interface ProcessOptions {
  /** Its permissions; {@linkcode PERMISSIONS} by default. */
  permissions?: readonly string[];
  /** Its standard input; none by default. */
  stdin?: string | Uint8Array<ArrayBuffer>;
  /** Additional environment variables. */
  env?: Record<string, string>;
  /** Additional flags for Deno. */
  flags?: readonly string[];
  /** Whether Deno may prompt for permissions on a terminal; false by default. */
  mayPrompt?: boolean;
}

/** The command line in a working directory: a process for each call. */
export class Mnema {
  /** The working directory. */
  readonly folder: string;
  readonly #options: ProcessOptions;

  constructor(folder: string, options: ProcessOptions = {}) {
    this.folder = folder;
    this.#options = options;
  }

  /** The same command line with other settings. */
  with(options: ProcessOptions): Mnema {
    return new Mnema(this.folder, { ...this.#options, ...options });
  }

  /** Runs a command. */
  run(...args: string[]): Promise<Result> {
    return collect(this.spawn(...args), this.#options.stdin);
  }

  /** Runs a command that must succeed without writing to standard error, and returns its output. */
  async does(...args: string[]): Promise<string> {
    return outputOf(args, await this.run(...args));
  }

  /** Runs a command that must fail with exit code 1, and returns its one error sentence. */
  async refuses(...args: string[]): Promise<string> {
    return refusalOf(args, await this.run(...args));
  }

  /** Runs a command that must be wrong usage (exit code 2), and returns its error sentence without the help hint. */
  async misuses(...args: string[]): Promise<string> {
    return misuseOf(args, await this.run(...args));
  }

  /** {@linkcode Mnema.does} for several command lines in one process. */
  async doesEach(commands: readonly string[][]): Promise<string[]> {
    return (await this.#runEach(commands)).map((result, i) => outputOf(commands[i], result));
  }

  /** {@linkcode Mnema.refuses} for several command lines in one process. */
  async refusesEach(commands: readonly string[][]): Promise<string[]> {
    return (await this.#runEach(commands)).map((result, i) => refusalOf(commands[i], result));
  }

  /** {@linkcode Mnema.misuses} for several command lines in one process. */
  async misusesEach(commands: readonly string[][]): Promise<string[]> {
    return (await this.#runEach(commands)).map((result, i) => misuseOf(commands[i], result));
  }

  async #runEach(commands: readonly string[][]): Promise<Result[]> {
    const args = [...this.#runArgs(MANY), JSON.stringify(commands)];
    const { code, out, err } = await collect(this.#spawn(Deno.execPath(), args), this.#options.stdin);
    const [outs, errs] = [out, err].map((text) => text.split("\0"));
    assertEquals([code, outs.length, errs.length], [0, 2 * commands.length + 1, 2 * commands.length + 1], err);
    return commands.map((_, i) => ({ code: Number(outs[2 * i + 1]), out: outs[2 * i], err: errs[2 * i] }));
  }

  /** Starts a command. */
  spawn(...args: string[]): Deno.ChildProcess {
    return this.#spawn(Deno.execPath(), [...this.#runArgs(), ...args]);
  }

  /** Runs a bash script in which `mnema` is the command line. */
  bash(script: string): Promise<Result> {
    return collect(this.#spawn("bash", ["-c", `${this.#shellFunction()}\n${script}`]), this.#options.stdin);
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
    const posix = new Mnema(this.folder, { ...this.#options, env: { ...this.#options.env, SHELL: "/bin/sh" } });
    return posix.#spawn("timeout", ["60", "script", ...args]); // ends a process that waits for input
  }

  #runArgs(module = CLI): string[] {
    const { permissions = PERMISSIONS, flags = [], mayPrompt = false } = this.#options;
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
      env: { ...PLAIN, ...this.#options.env },
      stdin: this.#options.stdin === undefined ? "null" : "piped",
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
  assertMatch(err, /^mnema: (?!internal error).+\n$/);
  return err.slice("mnema: ".length, -1);
}

function misuseOf(args: string[], { code, out, err }: Result): string {
  assertEquals({ code, out }, { code: 2, out: "" }, args.join(" "));
  assertMatch(err, /^mnema: .+\nTry: mnema ([a-z]+ )?--help\n$/);
  return err.slice("mnema: ".length, err.indexOf("\nTry: "));
}

/** Runs a command in a folder. */
export function runMnema(folder: string, args: string[], options?: ProcessOptions): Promise<Result> {
  return new Mnema(folder, options).run(...args);
}

async function collect(child: Deno.ChildProcess, stdin?: string | Uint8Array<ArrayBuffer>): Promise<Result> {
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), feed(child, stdin)]);
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** Writes the standard input of a process, which may end without reading all of it. */
async function feed(child: Deno.ChildProcess, stdin?: string | Uint8Array<ArrayBuffer>): Promise<void> {
  if (stdin === undefined) return;
  const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  try {
    await new Blob([bytes]).stream().pipeTo(child.stdin);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
