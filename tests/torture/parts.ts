/**
 * The parts of a torture run. A part that is added here is run by `deno task torture` and, shortly, by the tests.
 *
 * @module
 */

import { files } from "./files/part.ts";
import { fuzz } from "./fuzz/part.ts";
import { leaks } from "./leaks/part.ts";
import type { Part } from "./part.ts";

/** All parts, in the order in which they are run. */
export const PARTS: readonly Part[] = [fuzz, files, leaks];
