/**
 * Checks forms that were posted.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { Guard } from "./guard.ts";
import type { Parameters } from "./parameters.ts";

/**
 * Refuses a form that is not one of this server's pages.
 *
 * @throws {LogError} `not-allowed`.
 */
export function checkForm(guard: Guard, form: Parameters): void {
  if (guard.isFormToken(form.exact("form-token"))) return;
  throw new LogError(
    "not-allowed",
    "this form was not made by this server, which may have been restarted; load the page again, and send it then",
  );
}
