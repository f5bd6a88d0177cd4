/**
 * The parts of a torture run. A part that is added here is run by `deno task torture` and, shortly, by the tests.
 *
 * @module
 */

import { crashes } from "./crashes.ts";
import { crowds } from "./crowds.ts";
import { faults } from "./faults.ts";
import { files } from "./files/part.ts";
import { fuzz } from "./fuzz/part.ts";
import { leaks } from "./leaks/part.ts";
import { original } from "./original/part.ts";
import { outages } from "./outages.ts";
import type { Part } from "./part.ts";
import { powerCuts } from "./power.ts";
import { failedSyncs } from "./syncs.ts";
import { systems } from "./systems.ts";

/** All parts, in the order in which they are run. */
export const PARTS: readonly Part[] = [
  crashes,
  powerCuts,
  failedSyncs,
  outages,
  faults,
  systems,
  crowds,
  fuzz,
  files,
  leaks,
  original,
];
