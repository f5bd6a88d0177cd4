/**
 * Events that end a command: an interrupt, and standard output that was closed.
 *
 * @module
 */

import { isGranted } from "./permissions.ts";

/** The exit code of a command that an interrupt has ended. */
export const EXIT_INTERRUPTED = 130;

/** Calls `use` at each interrupt (SIGINT, SIGTERM) instead of ending the process, until disposed of. */
export function onInterrupt(use: () => void): Disposable {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, use);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, use);
    },
  };
}

/** The name of the C library, by system; a Linux without glibc has none of this name. */
const C_LIBRARIES: Partial<Record<typeof Deno.build.os, string>> = {
  linux: "libc.so.6",
  darwin: "libSystem.B.dylib",
};
const STDOUT = 1;
const NO_TIMEOUT = -1;
/** `POLLERR | POLLHUP`, which poll(2) always reports. */
const CLOSED = 0x08 | 0x10;

/**
 * Resolves when the reader of standard output has closed it. The system reports that to a write, or to poll(2), which
 * Deno does not have: it is called in the C library, on a thread of its own. Where that cannot be done it never resolves.
 */
export async function stdoutClosed(): Promise<void> {
  const library = C_LIBRARIES[Deno.build.os];
  if (library !== undefined && isGranted({ name: "ffi", target: library })) {
    try {
      const poll = { parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true } as const;
      const { symbols } = Deno.dlopen(library, { poll });
      const pollfd = new DataView(new ArrayBuffer(8)); // int fd; short events; short revents
      pollfd.setInt32(0, STDOUT, true);
      while (await symbols.poll(pollfd.buffer, 1n, NO_TIMEOUT) < 0); // a signal interrupts it
      if ((pollfd.getInt16(6, true) & CLOSED) !== 0) return;
    } catch {
      // There is no such library.
    }
  }
  await new Promise(() => {});
}
