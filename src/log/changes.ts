/**
 * Detects that a log's file may have changed: at once when this process appends to it, within milliseconds when another
 * does, because the system reports writes to the `-wal`. Where there is none, or the system does not report them, as on
 * some network file systems, the file is polled.
 *
 * @module
 */

/** Poll interval where the system reports writes: only in case a report is lost. */
const POLL_WATCHED_MS = 1000;
/** Poll interval where it does not. */
const POLL_UNWATCHED_MS = 100;

/** A count of changes that can be awaited. */
export class Changes {
  readonly #path: string;
  readonly #waiting = new Set<() => void>();
  #version = 0;
  #watchers = 0;
  #watcher?: Deno.FsWatcher;
  #stopping?: ReturnType<typeof setTimeout>;

  /** @param path The file that the log was opened from, or `":memory:"`. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Grows with every change. Read it before the file: then no change between the two is missed. */
  get version(): number {
    return this.#version;
  }

  /** Counts a change, and wakes everyone who waits for one. */
  notify(): void {
    this.#version++;
    for (const wake of this.#waiting) wake();
  }

  /**
   * Watches the file until the returned object is disposed of.
   *
   * All share one watcher, which is let go of only in the next turn of the event loop: what a closed one holds is freed
   * no sooner, so that a program which follows again and again in one turn would pile them up, each with its own reports.
   */
  watch(): Disposable {
    clearTimeout(this.#stopping);
    if (this.#watchers++ === 0 && this.#watcher === undefined) this.#start();
    return {
      [Symbol.dispose]: () => {
        if (--this.#watchers === 0) this.#stopping = setTimeout(() => this.#stop());
      },
    };
  }

  /**
   * Waits for a change after a version, or until the file is to be polled.
   *
   * @param version The version that was read before the file was.
   * @param signal Ends the wait.
   */
  async after(version: number, signal?: AbortSignal): Promise<void> {
    if (version !== this.#version || signal?.aborted) return;
    const woken = Promise.withResolvers<void>();
    const timer = setTimeout(woken.resolve, this.#watcher === undefined ? POLL_UNWATCHED_MS : POLL_WATCHED_MS);
    this.#waiting.add(woken.resolve);
    const wake = () => woken.resolve();
    signal?.addEventListener("abort", wake);
    try {
      await woken.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(woken.resolve);
      signal?.removeEventListener("abort", wake);
    }
  }

  #start(): void {
    if (this.#path === ":memory:") return;
    try {
      // Not the file itself, nor its folder: with each event Deno opens and closes what is watched and what changed, and
      // to close any descriptor of a file drops the locks that SQLite holds on it. Then another process that closes the
      // log takes itself for the last, and deletes the `-wal`.
      this.#watcher = Deno.watchFs(`${this.#path}-wal`);
    } catch {
      return; // there is none, or it cannot be watched: the file is polled
    }
    this.#forward(this.#watcher);
  }

  #stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  async #forward(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind } of watcher) {
      if (kind !== "access") this.notify();
    }
  }
}
