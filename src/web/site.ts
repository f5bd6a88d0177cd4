/**
 * What the pages of one log share, and what a page is.
 *
 * @module
 */

import type { Context } from "hono";
import type { Signer } from "../keys/signer.ts";
import type { OpLog } from "../oplog.ts";
import type { Audits } from "./audits.ts";
import type { CatchUp } from "./catch_up.ts";
import type { Guard } from "./guard.ts";
import type { Hub } from "./hub.ts";
import type { Pictures } from "./pictures.ts";
import type { Frame, SiteFrame } from "./markup.ts";

/** What the pages of one log share. */
export interface Site {
  /** The log as the pages read it: what is derived is read as it is stored. */
  readonly log: OpLog;
  /** The log that is appended to. */
  readonly written: OpLog;
  /** Who signs what is appended; undefined where nothing is. */
  readonly signer?: Signer;
  /** Keeps others out. */
  readonly guard: Guard;
  /** Catches up what is derived. */
  readonly catchUp: CatchUp;
  /** Tells open pages of changes. */
  readonly hub: Hub;
  /** Audits the log. */
  readonly audits: Audits;
  /** Draws explanations. */
  readonly pictures: Pictures;
  /** What every page shows. */
  readonly frame: SiteFrame;
}

/** A page: as HTML, and as JSON with the names that the command line has. */
export interface Page extends Frame {
  /** The JSON text. */
  json(): string;
  /** How many operations it does not take into account yet, for programs: the header `mnema-behind`. */
  readonly behind?: number;
  /** The HTTP status: 200 by default. */
  readonly status?: 200 | 400 | 403 | 404 | 405 | 409 | 413 | 426 | 500 | 503;
}

/** Makes the page for a request. */
export type Handler = (site: Site, context: Context) => Promise<Page | Response>;

/** How long a page waits for what is derived to be caught up, in milliseconds. */
export const PATIENCE_MS = 40;
