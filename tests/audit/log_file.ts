import type { Operation } from "../../mod.ts";
import type { AuditReport, FindingKind } from "../../src/audit/audit.ts";
import { withDatabase, withFolder } from "../folder.ts";
import { chain, makeFile } from "./tamper.ts";

/** The operations of the log in {@linkcode withFile}. */
export const ops = chain(60);
export const PAGE = 4096;

/** Runs `use` with the path of a log of sixty operations, with all derived tables. */
export async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const path = `${folder}/log.db`;
    makeFile(path, ops);
    await use(path);
  });
}

/** The kind and `seq` of each finding. */
export function found({ findings }: AuditReport): [kind: FindingKind, seq?: number][] {
  return findings.map(({ kind, seq }) => seq === undefined ? [kind] : [kind, seq]);
}

/** The distinct kinds of the findings. */
export function kinds({ findings }: AuditReport): FindingKind[] {
  return [...new Set(findings.map(({ kind }) => kind))];
}

/** The operation at a `seq`. */
export const row = (seq: number): Operation => ops[seq - 1];

/** Runs SQL on a file. */
export function exec(path: string, sql: string): void {
  withDatabase(path, (database) => database.exec(sql));
}
