/**
 * Pages of a log, asked without a network.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Identity, OpLog } from "../../mod.ts";
import { type Pages, pages, type PagesOptions } from "../../src/web/pages.ts";
import { withFolder } from "../folder.ts";

/** Who owns the log. */
export const owner = Identity.fromSeed(new Uint8Array(32).fill(9));
/** The port that the pages take for theirs. */
export const PORT = 8123;
/** The `Host` of the pages. */
export const HOST = `127.0.0.1:${PORT}`;
/** What a browser sends with the page's own links and forms. */
const OWN = { host: HOST, "sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

/** An answer, read. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** The pages of one log, and the browser of its owner. */
export class Visitor {
  /** The log. */
  readonly log: OpLog;
  /** The file. */
  readonly path: string;
  readonly #pages: Pages;
  #cookie = "";

  constructor(log: OpLog, path: string, site: Pages) {
    this.log = log;
    this.path = path;
    this.#pages = site;
  }

  /** The token. */
  get token(): string {
    return this.#pages.token;
  }

  /** Asks as it is: no header is added. */
  raw(path: string, init: RequestInit & { peer?: string } = {}): Promise<Response> {
    const { peer = "127.0.0.1", ...rest } = init;
    const request = new Request(`http://${HOST}${path}`, { redirect: "manual", ...rest });
    return this.#pages.fetch(request, { remoteAddr: { transport: "tcp", hostname: peer, port: 40_000 } });
  }

  /** Asks as the owner's browser does. */
  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = new Headers({ ...OWN, cookie: this.#cookie });
    new Headers(init.headers).forEach((value, name) => headers.set(name, value));
    const response = await this.raw(path, { ...init, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Opens the printed address. */
  async enter(): Promise<void> {
    const { status, headers } = await this.ask(`/?token=${this.token}`);
    assertEquals([status, headers.get("location")], [303, "/"]);
    this.#cookie = headers.get("set-cookie")!.split(";")[0];
  }

  /** The HTML of a page. */
  async page(path: string): Promise<string> {
    const { status, text } = await this.ask(path);
    assertEquals(status, 200, text);
    return text;
  }

  /** The text of a page's JSON. */
  async json(path: string): Promise<string> {
    const { status, text, headers } = await this.ask(path, { headers: { accept: "application/json" } });
    assertEquals([status, headers.get("content-type")], [200, "application/json"], text);
    return text;
  }

  /** Sends a form, with the token of forms. */
  async post(path: string, fields: Record<string, string>, headers: HeadersInit = {}): Promise<Answer> {
    const body = new URLSearchParams({ "form-token": await this.formToken(), ...fields });
    const all = new Headers(headers);
    all.set("origin", `http://${HOST}`);
    return await this.ask(path, { method: "POST", body, headers: all });
  }

  /** The token of forms. */
  async formToken(): Promise<string> {
    return (await this.page("/audit")).match(/name="form-token"\s+value="([^"]+)"/)![1];
  }
}

/** Options of {@linkcode withSite}. */
export interface SiteOptions extends Omit<PagesOptions, "path"> {
  /** Fills the log before the pages are made. */
  fill?: (log: OpLog) => void;
  /** A log in memory. */
  inMemory?: boolean;
  /** The log is opened to read. */
  readonly?: boolean;
}

/** Runs `use` with the pages of a new log. */
export async function withSite(
  { fill, inMemory = false, readonly = false, ...options }: SiteOptions,
  use: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const path = inMemory ? ":memory:" : `${folder}/log.db`;
    if (readonly) {
      using log = OpLog.open(path);
      fill?.(log);
    }
    using log = OpLog.open(path, { readonly });
    if (!readonly) fill?.(log);
    const site = pages(log, { path, ...options });
    site.listensAt({ hostname: "127.0.0.1", port: PORT });
    try {
      const visitor = new Visitor(log, path, site);
      await visitor.enter();
      await use(visitor);
    } finally {
      await site.close();
    }
  });
}

/** Asks until an answer is as it should be. */
export async function until<T>(ask: () => Promise<T> | T, isRight: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`it did not come to that: ${Deno.inspect(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
