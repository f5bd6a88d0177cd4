/** How to run a script of this folder. */
export interface ChildOptions {
  /** Deno's flags: everything is allowed by default. */
  flags?: string[];
  /** A command, with its arguments, that runs the script in its turn. */
  under?: readonly string[];
}

/** What a script says with `report`. */
export type Report = { value: unknown } | { error: string; code?: string };

/** Starts a script of this folder in a process of its own. */
export function startChild(script: string, args: string[], options: ChildOptions = {}): Deno.ChildProcess {
  const { flags = ["--allow-all"], under = [] } = options;
  const path = decodeURIComponent(new URL(script, import.meta.url).pathname);
  const [command, ...rest] = [...under, Deno.execPath(), "run", "--quiet", "--no-prompt", ...flags, path, ...args];
  return new Deno.Command(command, { args: rest, stdin: "piped", stdout: "piped" }).spawn();
}

/** Runs a script of this folder to its end. */
export async function runChild(script: string, args: string[], options?: ChildOptions): Promise<Report> {
  const child = startChild(script, args, options);
  await child.stdin.close();
  const { stdout } = await child.output();
  return JSON.parse(new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!);
}
