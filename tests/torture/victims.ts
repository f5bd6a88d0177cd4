/**
 * Starts victims, and takes what they report.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { linesOf } from "../processes.ts";
import type { Promised } from "./check.ts";
import type { Orders } from "./victim.ts";

/** Ends a victim that hangs. */
const MAX_LIFE_MS = 60_000;

/** Deno's cache of code is a file of its own, which a limit would keep from growing. */
const FLAGS = ["--quiet", "--no-prompt", "--allow-all", "--no-code-cache"];

/** How a victim ended. */
export interface End {
  /** The signal that killed it. */
  readonly signal: Deno.Signal | null;
  /** The code of the error with which the log refused to go on. */
  readonly refusal?: string;
  /** What it wrote to standard error. */
  readonly errors: string;
}

/** Takes what a victim reports. */
export interface Listener {
  /** What the log must hold. */
  readonly promised: Promised;
  /** What the other log must hold. */
  readonly other?: Promised;
  /** Called with the number of operations that it has reported. */
  onReported?(count: number): void;
  /** Called with the URL of each server of the log. */
  onServing?(url: string): void;
}

/** A process that waits for its orders. */
export class Victim {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string, undefined>;
  readonly #errors: Promise<string>;
  #isReady = false;

  /** @param under A command, with its arguments, that runs the victim in its turn. */
  constructor(under: readonly string[] = []) {
    const script = decodeURIComponent(new URL("victim.ts", import.meta.url).pathname);
    const [command, ...args] = [...under, Deno.execPath(), "run", ...FLAGS, script];
    this.#process = new Deno.Command(command, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
    this.#lines = linesOf(this.#process.stdout);
    this.#errors = new Response(this.#process.stderr).text();
  }

  /** The id of the process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Waits until it has loaded what it needs. */
  async ready(): Promise<void> {
    if (this.#isReady) return;
    assertEquals((await this.#lines.next()).value, "ready");
    this.#isReady = true;
  }

  /**
   * Gives it its orders, and waits for its end.
   *
   * @param orders What it does; undefined to let it go.
   * @param listener Takes what it reports.
   */
  async suffer(orders: Orders | undefined, { promised, other, onReported, onServing }: Listener): Promise<End> {
    const timer = setTimeout(() => this.#process.kill("SIGTERM"), MAX_LIFE_MS);
    const stdin = this.#process.stdin.getWriter();
    let refusal: string | undefined;
    try {
      await this.ready();
      if (orders !== undefined) await stdin.write(new TextEncoder().encode(`${JSON.stringify(orders)}\n`));
      else await stdin.close();
      let reported = 0;
      for await (const line of this.#lines) {
        const [kind, ...rest] = line.split(" ");
        if (kind === "+") { for (const opId of rest) promised.opIds.add(opId); }
        if (kind === "other") { for (const opId of rest) other?.opIds.add(opId); }
        if (kind === "serving") onServing?.(rest[0]);
        if (kind === "signed") promised.checkpoints.push(JSON.parse(line.slice("signed ".length)));
        if (kind === "refused") refusal = rest[0];
        reported += kind === "+" || kind === "other" ? rest.length : 0;
        onReported?.(reported);
      }
    } finally {
      if (orders !== undefined) await stdin.close().catch(() => {}); // nobody reads it any more
      await this.#process.status;
      clearTimeout(timer);
    }
    return { signal: (await this.#process.status).signal, refusal, errors: await this.#errors };
  }

  /** Kills it, unless it has ended. */
  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
}
