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

/** Creates a key and a log. */
export const init: Command = {
  args: "",
  summary: "Creates a key and an empty log, whichever is missing; overwrites neither.",
  details: `Anyone with the key file can sign as you: keep it secret, and keep a copy.

One key can sign in many logs, and one log can hold operations of many keys: choose them with --log and --key.`,
  example: "init --log notes.db --key me.key",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const { logPath, keyPath } = input;
    refuseMemory(logPath);
    if (["", "-wal", "-shm", "-journal"].some((suffix) => normalize(keyPath) === normalize(logPath) + suffix)) {
      throw new UsageError("the key cannot have the path of the log, or of SQLite's files beside it");
    }
    const [{ Identity }, { OpLog }] = await Promise.all([
      import("../keys/identity.ts"),
      loadLog(),
    ]);
    requireGranted("read", logPath, keyPath);
    const [hasKey, hasLog] = [exists(keyPath), exists(logPath)];
    if (!hasKey) requireGranted("write", keyPath);
    const identity = hasKey ? await loadIdentity(input) : Identity.generate();
    if (hasLog) (await openToRead(input)).close(); // refuses an invalid log before a key is created
    else OpLog.open(logPath).close();
    try {
      if (!hasKey) identity.save(keyPath);
    } catch (error) {
      if (!hasLog) Deno.removeSync(logPath); // it is new and empty
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
  return wasThere ? "(exists, unchanged)" : "(new)";
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
