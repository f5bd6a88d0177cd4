/**
 * What is known of the terminal without asking it anything.
 *
 * @module
 */

/**
 * Whether the terminal says that it interprets no escapes (`TERM=dumb`). Without the permission to read `TERM`, it is
 * taken for one that does.
 */
export function isDumb(): boolean {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "TERM" });
  return state === "granted" && Deno.env.get("TERM") === "dumb";
}

/** How many columns the terminal has now; undefined when it does not tell. It may be resized at any time. */
export function terminalColumns(): number | undefined {
  try {
    return Deno.consoleSize().columns || undefined;
  } catch {
    return undefined;
  }
}
