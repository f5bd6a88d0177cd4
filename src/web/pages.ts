/**
 * The pages of a log: a site on loopback in which people see what is believed, why, since when and from whom, and, with a
 * key, take back what is wrong.
 *
 * Every page is made on the server and works without scripts; a script only loads its parts again as the log changes.
 * Every page is also JSON, at its path with `.json`, or for `Accept: application/json`.
 *
 * @module
 */

import { type Context, Hono } from "hono";
import type { Signer } from "../keys/signer.ts";
import { internalsOf, OpLog } from "../oplog.ts";
import { answer, errorPage, refusal } from "./answer.ts";
import { ICON, LIVE_SCRIPT, STYLE } from "./assets.ts";
import { auditPage, startAudit } from "./audit.ts";
import { Audits } from "./audits.ts";
import { CatchUp } from "./catch_up.ts";
import { claimPage } from "./claim.ts";
import { claimsPage } from "./claims.ts";
import { appendAssert, appendRuling, assertPage, rulingPage } from "./edit.ts";
import { type Address, Guard, REASONS, SECURITY_HEADERS } from "./guard.ts";
import { Hub } from "./hub.ts";
import { logPage } from "./log.ts";
import type { Shown } from "./markup.ts";
import { downloadProof, downloadWire, operationPage } from "./operation.ts";
import { overviewPage } from "./overview.ts";
import { Pictures } from "./pictures.ts";
import type { Handler, Site } from "./site.ts";

/** How the pages of a log are shown. */
export interface PagesOptions {
  /** The log's file, or `":memory:"`. */
  path: string;
  /** Signs what is asserted, refuted and corrected; by default nothing can be. */
  signer?: Signer;
  /** The token that opens the pages; a random one by default. */
  token?: string;
}

/** Where a request came from, as `Deno.serve` says. */
export interface Origin {
  /** The address of the other side. */
  readonly remoteAddr: Deno.Addr;
}

/** The pages of a log. */
export interface Pages extends AsyncDisposable {
  /** The token that opens them. */
  readonly token: string;
  /** Says where the server listens, and returns the address to open. Before, every request is refused. */
  listensAt(address: Address): string;
  /** Answers a request. */
  fetch(request: Request, origin: Origin): Promise<Response>;
  /** Ends streams, workers and the connection of the pages; a second time does nothing. */
  close(): Promise<void>;
}

/**
 * Makes the pages of a log. They read the log's file on a connection of their own, and what is derived as it is stored; a
 * worker catches it up, so that no request waits for it, whatever is imported meanwhile.
 *
 * @param log The log, to which what is asserted, refuted and corrected is appended.
 * @param options The path, the signer, the token.
 * @throws As `OpLog.open`.
 */
export function pages(log: OpLog, { path, signer, token }: PagesOptions): Pages {
  const isMemory = path === ":memory:";
  const reader = isMemory ? log : OpLog.open(path, { readonly: true });
  const { projections, changes } = internalsOf(reader);
  if (!isMemory) projections.catchesUp = false;
  const isWritable = !internalsOf(log).connection.readonly;
  const hub = new Hub(changes, () => reader.lastSeq());
  const catchUp = new CatchUp(projections, isMemory || !isWritable ? undefined : path, () => hub.notify());
  const audits = new Audits(isMemory ? undefined : path, () => hub.notify());
  const guard = new Guard(token);
  const pictures = new Pictures(() => hub.notify());
  const name = isMemory ? "in memory" : path.replace(/^.*[\\/]/, "");
  const frame = { name, canEdit: signer !== undefined };
  const site: Site = { log: reader, written: log, signer, guard, catchUp, hub, audits, pictures, frame };
  const app = routes(site);
  let ended: Promise<void> | undefined;
  const end = () => ended ??= close(site);
  catchUp.start();
  return {
    token: guard.token,
    listensAt: (address) => guard.listensAt(address),
    fetch: async (request, { remoteAddr }) => {
      const response = await fetchPage(app, site, request, remoteAddr);
      for (const [header, text] of Object.entries(SECURITY_HEADERS)) response.headers.set(header, text);
      return response;
    },
    close: end,
    [Symbol.asyncDispose]: end,
  };
}

async function close({ hub, catchUp, audits, pictures, log, written }: Site): Promise<void> {
  hub.close();
  await Promise.all([catchUp.close(), audits.close(), pictures.close()]);
  if (log !== written) log.close();
}

/** Checks who asks, and answers. */
async function fetchPage(app: Hono, site: Site, request: Request, peer: Deno.Addr): Promise<Response> {
  const { guard, frame } = site;
  const origin = guard.checkOrigin(request, "hostname" in peer ? peer.hostname : "");
  // What a page looks like is no secret, and the page that refuses has it, too.
  const asset = origin.is === "granted" ? assetOf(request) : undefined;
  if (asset !== undefined) return asset;
  const access = origin.is === "granted" ? guard.checkToken(request) : origin;
  if (access.is === "refused") {
    return await answer(refusal(access.status, access.reason, REASONS[access.reason]), request, {
      ...frame,
      name: "",
      state: "",
    });
  }
  if (access.is === "exchange") {
    return new Response(null, { status: 303, headers: { "location": access.location, "set-cookie": access.cookie } });
  }
  return await app.fetch(request);
}

/** The routes. */
function routes(site: Site): Hono {
  const app = new Hono({ getPath: (request) => pathOf(new URL(request.url)) });
  const route = (path: string, methods: { get: Handler; post?: Handler }) => {
    const allowed = methods.post === undefined ? "GET, HEAD" : "GET, HEAD, POST";
    for (const [method, handler] of Object.entries(methods)) {
      app.on(method.toUpperCase(), path, async (context) => {
        const shown = shownOf(site); // before the page is made
        const page = await handler(site, context);
        return page instanceof Response ? page : await answer(page, context.req.raw, shown);
      });
    }
    app.all(path, async (context) => {
      const message = `${context.req.method} is not possible at this address`;
      const response = await answer(refusal(405, "not-allowed", message), context.req.raw, shownOf(site));
      response.headers.set("allow", allowed);
      return response;
    });
  };
  route("/", { get: overviewPage });
  route("/overview", { get: overviewPage });
  route("/claims", { get: claimsPage });
  route("/claims/:id", { get: claimPage });
  route("/log", { get: logPage });
  route("/operations/:id", { get: operationPage });
  route("/operations/:id/wire", { get: downloadWire });
  route("/operations/:id/proof", { get: downloadProof });
  route("/audit", { get: auditPage, post: startAudit });
  route("/events", { get: events });
  route("/assert", { get: assertPage, post: appendAssert });
  route("/refute", { get: rulingPage, post: appendRuling });
  route("/correct", { get: rulingPage, post: appendRuling });
  app.notFound((context) => answer(refusal(404, "not-found", "There is no such page"), context.req.raw, shownOf(site)));
  app.onError((error, context) => {
    const page = errorPage(error);
    if (page === undefined) console.error(error);
    const shown = page ?? refusal(500, "internal", "This page has failed; the terminal of mnema serve shows the error");
    return answer(shown, context.req.raw, shownOf(site));
  });
  return app;
}

/** The path of an address, without `.json`. */
function pathOf({ pathname }: URL): string {
  const path = pathname.replace(/\.json$/, "");
  return path.length > 1 ? path.replace(/\/$/, "") : "/";
}

function shownOf({ frame, hub }: Site): Shown {
  return { ...frame, state: hub.state };
}

/** The stream of events. */
function events({ hub }: Site, context: Context): Promise<Response> {
  const type = { "content-type": "text/event-stream" };
  if (context.req.method === "HEAD") return Promise.resolve(new Response(null, { headers: type }));
  const stream = hub.open();
  if (stream === undefined) {
    return Promise.resolve(
      new Response("too many pages are open\n", { status: 503, headers: { "retry-after": "10" } }),
    );
  }
  return Promise.resolve(new Response(stream, { headers: type }));
}

const ASSETS: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/style.css": ["text/css; charset=utf-8", STYLE],
  "/live.js": ["text/javascript; charset=utf-8", LIVE_SCRIPT],
  "/icon.svg": ["image/svg+xml", ICON],
};

/** The answer with a stylesheet, script or icon, if a request is for one. */
function assetOf(request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET" || !Object.hasOwn(ASSETS, pathname)) return undefined;
  const [type, text] = ASSETS[pathname];
  return new Response(text, { headers: { "content-type": type } });
}
