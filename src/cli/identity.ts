/**
 * `mnema init` and `mnema id`.
 *
 * @module
 */

import { normalize } from "node:path";
import { fileError } from "../errors.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { loadIdentity, loadLog, openToRead, refuseMemory } from "./open.ts";
import type { Output } from "./output.ts";
import { requireGranted } from "./permissions.ts";

/** Makes a key and a log. */
export const init: Command = {
  args: "",
  summary: "Makes a key and an empty log, whichever is missing; overwrites neither.",
  details: `Whoever has the key file can sign as you: keep it to yourself, and keep a copy.

One key can sign in many logs, and one log hold operations of many keys: name the other with --log or --key.`,
  example: "init --log notes.db --key me.key",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const { logPath, keyPath } = input;
    refuseMemory(logPath);
    if (["", "-wal", "-shm", "-journal"].some((suffix) => normalize(keyPath) === normalize(logPath) + suffix)) {
      throw new UsageError("the key cannot be where the log is, or where SQLite puts its other files beside it");
    }
    const [{ Identity }, { OpLog }] = await Promise.all([
      import("../keys/identity.ts"),
      loadLog(),
    ]);
    requireGranted("read", logPath, keyPath);
    const [hasKey, hasLog] = [exists(keyPath), exists(logPath)];
    if (!hasKey) requireGranted("write", keyPath);
    const identity = hasKey ? await loadIdentity(input) : Identity.generate();
    if (hasLog) (await openToRead(input)).close(); // what is no log is refused before a key is made for it
    else OpLog.open(logPath).close();
    try {
      if (!hasKey) identity.save(keyPath);
    } catch (error) {
      if (!hasLog) Deno.removeSync(logPath); // it was made just now, and is empty
      throw error;
    }
    const { author } = identity;
    if (output.json) {
      const made = { key: !hasKey, log: !hasLog };
      return output.data(JSON.stringify({ author, key: keyPath, log: logPath, made }));
    }
    output.line(["author", "dim"], `  ${author}`);
    output.line(["key", "dim"], `     ${keyPath}`, [`  ${state(hasKey)}`, "dim"]);
    output.line(["log", "dim"], `     ${logPath}`, [`  ${state(hasLog)}`, "dim"]);
  },
};

/** Prints the author id. */
export const id: Command = {
  args: "",
  summary: "Prints the author id of the key.",
  example: "id --key me.key",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const { author } = await loadIdentity(input);
    output.data(output.json ? JSON.stringify({ author }) : author);
  },
};

function state(wasThere: boolean): string {
  return wasThere ? "(was there, and is left as it is)" : "(new)";
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw fileError(error, path);
  }
}
