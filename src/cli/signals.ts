/**
 * Ending in good order: on an interrupt, and when nobody reads the result any more.
 *
 * @module
 */

/** What a shell expects of a command that an interrupt has ended. */
export const EXIT_INTERRUPTED = 130;

/** Calls `use` at each interrupt (SIGINT, SIGTERM) instead of ending the process, until it is disposed of. */
export function onInterrupt(use: () => void): Disposable {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, use);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, use);
    },
  };
}

/** The C library, by system; there may be none of this name, as on a Linux without glibc. */
const C_LIBRARIES: Partial<Record<typeof Deno.build.os, string>> = {
  linux: "libc.so.6",
  darwin: "libSystem.B.dylib",
};
const STDOUT = 1;
/** `POLLERR | POLLHUP`: poll(2) reports them without being asked to. */
const CLOSED = 0x08 | 0x10;

/**
 * What tells whether whoever read standard output has closed it. The system reports that to a write, or to poll(2),
 * which Deno does not have: it is called in the C library, and where that cannot be, the answer is always no.
 */
export function watchStdout(): () => boolean {
  const library = C_LIBRARIES[Deno.build.os];
  if (library === undefined || Deno.permissions.querySync({ name: "ffi", path: library }).state !== "granted") {
    return () => false;
  }
  try {
    const { symbols } = Deno.dlopen(library, { poll: { parameters: ["buffer", "usize", "i32"], result: "i32" } });
    const pollfd = new DataView(new ArrayBuffer(8)); // int fd; short events; short revents
    pollfd.setInt32(0, STDOUT, true);
    return () => symbols.poll(pollfd.buffer, 1n, 0) > 0 && (pollfd.getInt16(6, true) & CLOSED) !== 0;
  } catch {
    return () => false;
  }
}
