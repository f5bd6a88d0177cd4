/**
 * `mnema init` and `mnema id`.
 *
 * @module
 */

import { normalize } from "node:path";
import { FileError, fileError } from "../errors.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { loadIdentity, loadLog, refuseMemory } from "./open.ts";
import type { Output } from "./output.ts";
import { requireGranted } from "./permissions.ts";

/** Makes a key and a log. */
export const init: Command = {
  args: "",
  summary: "Makes a key and an empty log; overwrites neither.",
  details: "Whoever has the key file can sign as you: keep it to yourself, and keep a copy.",
  options: { "keep-key": { help: "use the key that is there, and make only the log" } },
  example: "init --log notes.db --key me.key",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const { logPath, keyPath } = input;
    refuseMemory(logPath);
    if (["", "-wal", "-shm", "-journal"].some((suffix) => normalize(keyPath) === normalize(logPath) + suffix)) {
      throw new UsageError("the key cannot be where the log is, or where SQLite puts its other files beside it");
    }
    const [{ Identity }, { OpLog }] = await Promise.all([
      import("../wire/identity.ts"),
      loadLog(),
    ]);
    const keepKey = input.flag("keep-key");
    requireGranted("read", logPath, keyPath);
    if (!keepKey) requireGranted("write", keyPath);
    refuseExisting(logPath, "name another with --log");
    if (!keepKey) refuseExisting(keyPath, "name another with --key, or keep it with --keep-key");
    const identity = keepKey ? await loadIdentity(input) : Identity.generate();
    OpLog.open(logPath).close();
    try {
      if (!keepKey) identity.save(keyPath);
    } catch (error) {
      Deno.removeSync(logPath); // it was made just now, and is empty
      throw error;
    }
    const { author } = identity;
    if (output.json) return output.line(JSON.stringify({ author, key: keyPath, log: logPath }));
    output.line(`${output.style("author", "dim")}  ${author}`);
    output.line(`${output.style("key", "dim")}     ${keyPath}`);
    output.line(`${output.style("log", "dim")}     ${logPath}`);
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
    output.line(output.json ? JSON.stringify({ author }) : author);
  },
};

function refuseExisting(path: string, advice: string): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw fileError(error, path);
  }
  throw new FileError("file-exists", path, `${path} exists already and is left as it is; ${advice}`);
}
