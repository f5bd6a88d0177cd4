import { Identity, type Operation, OpLog } from "../../mod.ts";
import { withFolder } from "../folder.ts";
import { Mnema } from "./mnema.ts";

/** Runs `use` with the command line in an empty folder. */
export function inFolder(use: (mnema: Mnema) => Promise<void>): Promise<void> {
  return withFolder((folder) => use(new Mnema(folder)));
}

/** Runs `use` with the command line in a folder that has a key and an empty log. */
export function withNode(use: (mnema: Mnema) => Promise<void>): Promise<void> {
  return inFolder(async (mnema) => {
    Identity.generate().save(`${mnema.folder}/mnema.key`);
    OpLog.open(`${mnema.folder}/mnema.db`).close();
    await use(mnema);
  });
}

/** Creates a log of these operations, without checks. */
export function makeLog(path: string, operations: Operation[]): void {
  using log = OpLog.open(path, { durability: "normal" });
  log.appendAll(operations, { verify: false, checkPrev: false });
}

/** Parses each line of a text as JSON. */
export function jsonLines<T>(text: string): T[] {
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}
