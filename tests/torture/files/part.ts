/**
 * The part of a torture run that damages the files of logs: whatever is in them, opening, reading, auditing and appending
 * ends, with a documented error if it has to, and an audit that finds nothing is right.
 *
 * @module
 */

import { linesOf } from "../../processes.ts";
import type { Context, Part, Step } from "../part.ts";
import type { FilesMessage } from "./child.ts";

/** How many files a process tries: in the first step, and in each other. */
const [FIRST_FILES, FILES] = [15, 150];
/** A file that takes longer hangs. */
const HANG_MS = 120_000;
const CHILD = new URL("./child.ts", import.meta.url);

/** Damaged files. */
export const files: Part = {
  name: "files",
  summary: "damaged files, -wal and -journal: opened, read, audited and appended to, none crashes, hangs or deceives",
  weight: 3,
  short: 1,
  run: (context) => context.each((step) => damageFiles(context, step)),
};

async function damageFiles(context: Context, { number, folder }: Step): Promise<void> {
  const count = number <= 1 ? FIRST_FILES : FILES;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", CHILD.href, `${context.seed}/files/${number}`, `${count}`, folder],
    stdout: "piped",
  });
  const findings: string[] = [];
  let at = "making the samples";
  let isDone = false;
  await using child = command.spawn();
  const hang = () => {
    findings.push(`${at}: no end after ${HANG_MS} ms`);
    child.kill("SIGKILL");
  };
  let timer = setTimeout(hang, HANG_MS);
  try {
    for await (const line of linesOf(child.stdout)) {
      clearTimeout(timer);
      timer = setTimeout(hang, HANG_MS);
      const message: FilesMessage = JSON.parse(line);
      if (message.kind === "found") findings.push(`${at}: ${message.what}`);
      else if (message.kind === "file") {
        at = message.what;
        context.count("damaged files");
      } else {
        isDone = true;
        context.count("opened to write", message.opened);
        context.count("clean by an audit", message.clean);
      }
    }
    const { code, signal } = await child.status;
    if (!isDone && findings.length === 0) findings.push(`${at}: the process ended with ${signal ?? code}`);
  } finally {
    clearTimeout(timer);
  }
  if (findings.length > 0) throw new Error(findings.join("\n"));
}
