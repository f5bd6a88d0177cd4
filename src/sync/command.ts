/**
 * A channel to `mnema sync --stdio` on another machine, over a remote shell: `ssh host mnema sync --stdio --log PATH`, as
 * git and rsync do it. The remote shell brings encryption and access control.
 *
 * The address comes from an argument or a file, and so from anybody: no part of it can become an option of `ssh`, and the
 * remote shell takes the path as one word.
 *
 * @module
 */

import { LogError, SyncError } from "../errors.ts";
import { quoted, visibleLine } from "../text.ts";
import type { Channel } from "./channel.ts";
import type { SessionLimits } from "./limits.ts";
import { streamChannel } from "./stdio.ts";
import { within } from "./within.ts";

/** A log on another machine. */
export interface RemoteLog {
  /** The machine, with `user@` before it where the address names a user. */
  destination: string;
  /** The port, where the address names one. */
  port?: string;
  /** The path of the log; a relative one is in the home folder of the user. */
  path: string;
}

/** How the remote shell is started. */
export interface CommandOptions {
  /** The program that is started in place of `ssh`, with the same arguments. */
  program?: string;
  /** The program `mnema` on the other machine, where its shell does not find it: a name or a path. */
  remoteProgram?: string;
  /** Receives the lines that the command, and the other machine, write to standard error; escaped, of bounded length. */
  onStderr?: (line: string) => void;
  /** The limits of the session. */
  limits?: Partial<SessionLimits>;
  /** Keeps the command from being started. */
  signal?: AbortSignal;
}

const USER = /^[a-z0-9_][\w.+-]*$/i;
const HOST = /^(?:[a-z0-9_][\w.-]*|\[[0-9a-f:.]+\])$/i;
/** How long the command may take to end after its channel is closed, before it is killed. */
const END_MS = 2_000;
const MAX_STDERR_LINE = 1_000;
/** The exit codes of what would fail again: of `mnema`, that it refuses or is used wrongly, of a shell, that it cannot run it. */
const FAILED: readonly number[] = [1, 2, 126, 127];
/** The exit code of a shell that does not find a command. */
const NOT_FOUND = 127;

/**
 * Parses `ssh://[user@]host[:port]/path`. `/~/path` is a path in the home folder.
 *
 * @param address The address.
 * @throws {LogError} `invalid-argument`.
 */
export function parseRemoteLog(address: string): RemoteLog {
  const refuse = (what: string) =>
    new LogError("invalid-argument", `${what}; the address of a log is ssh://[user@]host[:port]/path`);
  const url = URL.parse(address);
  if (url?.protocol !== "ssh:") throw refuse(`${JSON.stringify(address)} is not such an address`);
  if (url.password !== "") throw refuse("an address has no password: ssh asks for it, or uses a key");
  if (url.search !== "" || url.hash !== "") throw refuse("? and # are written as %3F and %23 in an address");
  const [user, host, path] = [url.username, url.hostname, url.pathname].map((part) => decoded(part, refuse));
  if (!HOST.test(host)) throw refuse(`${JSON.stringify(host)} is not the name of a machine`);
  if (user !== "" && !USER.test(user)) throw refuse(`${JSON.stringify(user)} is not the name of a user`);
  if (/\p{Cc}/u.test(path)) throw refuse("the path has control characters");
  if (path === "" || path.endsWith("/")) throw refuse("the path of the log is missing");
  const name = host.replace(/^\[(.*)\]$/, "$1");
  return {
    destination: user === "" ? name : `${user}@${name}`,
    port: url.port === "" ? undefined : url.port,
    path: path.startsWith("/~/") ? path.slice(3) : path,
  };
}

/** The arguments of `ssh` for a log. */
export function remoteArguments({ destination, port, path }: RemoteLog, remoteProgram = "mnema"): string[] {
  const log = path.startsWith("-") ? `./${path}` : path;
  const command = `${quoted(remoteProgram)} sync --stdio --log ${quoted(log)}`;
  return [...port === undefined ? [] : ["-p", port], "--", destination, command];
}

/**
 * Starts the command and opens a channel to it. The channel's `close` waits for its end. When the command fails, the
 * channel rejects with `unreachable` where another attempt can succeed, and with `io` where it would fail again.
 *
 * @param remote The log.
 * @param options The program, and what it writes to standard error.
 * @throws {SyncError} `unreachable` when the program cannot be started.
 * @throws {Deno.errors.NotCapable} Without the permission to run it.
 */
export function openCommand(remote: RemoteLog, options: CommandOptions = {}): Channel {
  const { program = "ssh", remoteProgram, signal } = options;
  signal?.throwIfAborted();
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: remoteArguments(remote, remoteProgram),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new SyncError("unreachable", `${program} cannot be started: ${(error as Error).message}`, { cause: error });
  }
  return new CommandChannel(program, child, options);
}

class CommandChannel implements Channel {
  readonly #program: string;
  readonly #child: Deno.ChildProcess;
  readonly #channel: Channel;
  readonly #stderr: Promise<void>;
  #closing?: Promise<void>;

  constructor(program: string, child: Deno.ChildProcess, { onStderr, limits }: CommandOptions) {
    this.#program = program;
    this.#child = child;
    this.#channel = streamChannel(child.stdout, child.stdin, { limits });
    this.#stderr = forward(child.stderr, onStderr);
  }

  async send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#channel.send(message);
    } catch (error) {
      throw await this.#failure() ?? error;
    }
  }

  async receive(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const message = await this.#channel.receive();
    if (message !== undefined) return message;
    const failure = await this.#failure();
    if (failure !== undefined) throw failure;
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#channel.close();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (!await within(this.#child.status, END_MS)) this.#kill(signal);
    }
    await this.#child.status;
    // What the command has started may keep its standard error open.
    await within(this.#stderr, END_MS);
  }

  /** Why the command has ended; undefined where it has not failed. */
  async #failure(): Promise<LogError | undefined> {
    if (!await within(this.#child.status, END_MS)) return undefined;
    const { success, code, signal } = await this.#child.status;
    if (success) return undefined;
    await within(this.#stderr, END_MS);
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
    const message = `the command ${this.#program} ${how}`;
    if (signal !== null || !FAILED.includes(code)) return new SyncError("unreachable", message);
    const advice = code === NOT_FOUND
      ? "check that the shell of the other machine finds mnema"
      : "see what the other machine has reported";
    return new LogError("io", `${message}; ${advice}`);
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }
}

/** Passes on the lines of a stream: each is escaped and of bounded length, as the other machine wrote it. */
async function forward(stream: ReadableStream<Uint8Array>, use: CommandOptions["onStderr"]): Promise<void> {
  let line = "";
  const flush = () => {
    if (line.trim() !== "") use?.(visibleLine(line.replaceAll("\r", "")));
    line = "";
  };
  for await (const text of stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)) {
    const lines = text.split("\n");
    for (const [i, part] of lines.entries()) {
      line = (line + part).slice(0, MAX_STDERR_LINE);
      if (i < lines.length - 1) flush();
    }
  }
  flush();
}

function decoded(part: string, refuse: (what: string) => LogError): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refuse(`${JSON.stringify(part)} is not percent-encoded UTF-8`);
  }
}
