/**
 * Reads the fields of a query or a form.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { isAuthor } from "../keys/author.ts";
import type { OpLog } from "../oplog.ts";
import { parseTime } from "../render/parse.ts";
import { isOpId } from "../wire/ids.ts";

/** Limit of a form, in bytes: it carries one value. */
export const MAX_FORM_BYTES = 256 << 10;
/** Limit of a field of a query, in characters. */
const MAX_FIELD = 4096;

/** The fields of a query or a form, by name. */
export class Parameters {
  readonly #fields: URLSearchParams;

  /** @param fields The fields. Of several with one name, the first counts. */
  constructor(fields: URLSearchParams) {
    this.#fields = fields;
  }

  /** The fields of a request's address. */
  static ofQuery(request: Request): Parameters {
    const fields = new URL(request.url).searchParams;
    for (const [name, text] of fields) {
      if (text.length > MAX_FIELD) {
        throw invalid(name.slice(0, 32), `at most ${MAX_FIELD} characters`, `${text.length}`);
      }
    }
    return new Parameters(fields);
  }

  /** The text of a field without spaces around it; undefined when it is empty. */
  text(name: string): string | undefined {
    return this.#fields.get(name)?.trim() || undefined;
  }

  /** The text of a field as it is given; undefined when it is empty. Keys and values may begin with spaces. */
  whole(name: string): string | undefined {
    return this.#fields.get(name) || undefined;
  }

  /** The text of a field as it is given; empty when it is not. */
  exact(name: string): string {
    return this.#fields.get(name) ?? "";
  }

  /** The value of a field that has one of some values. */
  choice<T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.text(name);
    const value = values.find((value) => value === text);
    if (text !== undefined && value === undefined) throw invalid(name, `one of ${values.join(", ")}`, text);
    return value;
  }

  /** The integer of a field. */
  integer(name: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw invalid(name, `an integer from ${least} to ${most}`, text);
  }

  /** The time of a field, in Unix milliseconds; before 1970, 0. */
  time(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ts = parseTime(text);
    if (ts === undefined) throw invalid(name, "a day or a time such as 2026-11-25 or 2026-11-25T14:30, in UTC", text);
    return Math.max(ts, 0);
  }

  /** The whole id of the author of a field, which may be abbreviated. */
  author(name: string, log: OpLog): string | undefined {
    const text = this.text(name);
    return text === undefined || isAuthor(text) ? text : log.resolveAuthor(text);
  }

  /** The ids in a field, separated by commas or spaces; they may be abbreviated. */
  ids(name: string, log: OpLog): string[] {
    const texts = (this.text(name) ?? "").split(/[\s,]+/).filter((text) => text !== "");
    return [...new Set(texts.map((text) => isOpId(text) ? text : log.resolve(text)))];
  }
}

/** The error for a field with another value than it can have. */
export function invalid(name: string, what: string, given: string): LogError {
  const shown = given.length > 80 ? `${given.slice(0, 80).toWellFormed()}…` : given;
  return new LogError("invalid-argument", `${name} must be ${what}, not ${JSON.stringify(shown)}`);
}

/**
 * Reads a form that was posted.
 *
 * @throws {LogError} `too-large`; `bad-encoding` when it is not one.
 */
export async function readForm(request: Request): Promise<Parameters> {
  const type = request.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new LogError("bad-encoding", "a form is sent as application/x-www-form-urlencoded");
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MAX_FORM_BYTES) throw new LogError("too-large", `a form has at most ${MAX_FORM_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Parameters(new URLSearchParams(await new Blob(chunks as BlobPart[]).text()));
}
