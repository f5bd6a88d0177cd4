/**
 * A prepared statement.
 *
 * @module
 */

import type { Database, Statement } from "@db/sqlite";
import { translate } from "./failures.ts";
import type { Patience } from "./patience.ts";

/** The value of a parameter. */
export type Parameter = string | number | Uint8Array | null;

/** A prepared statement that can be used again after a failure. */
export class Query {
  readonly #database: Database;
  readonly #sql: string;
  readonly #path: string;
  readonly #patience: Patience;
  #statement: Statement | undefined;

  /** The statement is prepared with its first use. */
  constructor(database: Database, sql: string, path: string, patience: Patience) {
    this.#database = database;
    this.#sql = sql;
    this.#path = path;
    this.#patience = patience;
  }

  /** Runs it, and returns how many rows it changed. */
  run(...parameters: Parameter[]): number {
    return this.#use((statement) => statement.run(...parameters));
  }

  /** The first row. */
  value<T extends unknown[]>(...parameters: Parameter[]): T | undefined {
    return this.#use((statement) => statement.value<T>(...parameters));
  }

  /** Every row. */
  values<T extends unknown[]>(...parameters: Parameter[]): T[] {
    return this.#use((statement) => statement.values<T>(...parameters));
  }

  /** Calls `use` with every row, as an object with a property for each column; also with those before a failure. */
  forEach(use: (row: Record<string, unknown>) => void): void {
    this.#use((statement) => {
      for (const row of statement.iter()) use(row);
    });
  }

  #use<T>(use: (statement: Statement) => T): T {
    try {
      return this.#useOnce(use);
    } catch (first) {
      try {
        return this.#patience.retry(first, () => this.#useOnce(use));
      } catch (error) {
        throw translate(error, this.#path);
      }
    }
  }

  #useOnce<T>(use: (statement: Statement) => T): T {
    try {
      return use(this.#statement ??= this.#database.prepare(this.#sql));
    } catch (error) {
      this.#discard();
      throw error;
    }
  }

  /** A failed statement would hold its read transaction open until its next use. */
  #discard(): void {
    try {
      this.#statement?.finalize();
    } catch {
      // Finalizing reports the failure of the last run once more.
    }
    this.#statement = undefined;
  }
}
