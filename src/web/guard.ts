/**
 * Keeps everyone but the owner of the log out of its pages.
 *
 * - Another machine: only requests from loopback are answered.
 * - A site whose name is made to lead to this machine (DNS rebinding): `Host` must be loopback's, with the right port.
 * - Another user or program of this machine: a random token is in the printed address, and then in a cookie that scripts
 *   cannot read and that requests from other sites do not carry. A program can send it as `Authorization: Bearer`.
 * - A form or script of another site (cross-site request forgery): `Sec-Fetch-Site` and `Origin` must be this site's, and
 *   forms carry a second token. A page of another port of this machine is another origin, but the same site, for which a
 *   browser sends the cookie.
 * - A site that shows the page in a frame, or loads a part of it: forbidden by headers.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";

/** What a request may do: see the pages, or not, with the status and the reason. */
export type Access =
  | { readonly is: "granted" }
  /** The address had the right token: it is to be put into a cookie, and taken out of the address. */
  | { readonly is: "exchange"; readonly cookie: string; readonly location: string }
  | { readonly is: "refused"; readonly status: 400 | 403 | 426; readonly reason: Reason };

/** Why a request is refused. */
export type Reason = "not-loopback" | "wrong-host" | "wrong-origin" | "no-token" | "wrong-token" | "no-upgrade";

/** The sentence for each reason, which says what to do. */
export const REASONS: Readonly<Record<Reason, string>> = {
  "not-loopback": "The pages of a log are shown on its own machine only. Open them there.",
  "wrong-host":
    "The pages of a log are shown at 127.0.0.1 and localhost only. Open the address that mnema serve printed.",
  "wrong-origin": "This request was made by a page of another site. Open the address that mnema serve printed.",
  "no-token": "The pages of a log are for its owner. Open the whole address that mnema serve printed, with its token.",
  "wrong-token":
    "The token in this address is not that of this server, which has a new one each time it starts. Open the address that it printed last.",
  "no-upgrade": "There is no WebSocket at this address.",
};

const TOKEN_BYTES = 32;
const LOOPBACK_ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/;

/** The headers of every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Where the server listens. */
export interface Address {
  /** The IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
  /** Whether it speaks TLS. */
  readonly isSecure?: boolean;
}

/** A random token: 32 bytes in base64url. */
export function newToken(): string {
  return crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Whether an address is of this machine alone. */
function isLoopback(hostname: string): boolean {
  return LOOPBACK_ADDRESS.test(hostname);
}

/** Checks requests. */
export class Guard {
  /** The token of the address. */
  readonly token: string;
  /** The token of forms. */
  readonly formToken: string = newToken();
  #address?: Address;
  /** The values of `Host` that are this server's. */
  #hosts: ReadonlySet<string> = new Set();

  /** @param token The token of the address; a random one by default. */
  constructor(token: string = newToken()) {
    this.token = token;
  }

  /** The address to open, with the token. From now on its port is the one that `Host` must name. */
  listensAt(address: Address): string {
    const { hostname, port, isSecure = false } = address;
    const own = hostname.includes(":") ? "[::1]" : isLoopback(hostname) ? hostname : "127.0.0.1";
    const names = new Set([own, "127.0.0.1", "localhost", "[::1]"]);
    const isDefaultPort = port === (isSecure ? 443 : 80);
    this.#address = address;
    this.#hosts = new Set([...names].flatMap((name) => [`${name}:${port}`, ...isDefaultPort ? [name] : []]));
    return `${isSecure ? "https" : "http"}://${own}:${port}/?token=${encodeURIComponent(this.token)}`;
  }

  /** Whether a request comes from this machine, for this server, and from no other site. */
  checkOrigin(request: Request, peer: string): Access {
    if (!isLoopback(peer)) return refused(403, "not-loopback");
    const host = request.headers.get("host") ?? "";
    if (!this.#hosts.has(host)) return refused(403, "wrong-host");
    if (request.headers.has("upgrade")) return refused(426, "no-upgrade");
    const { isForeign, isOwn } = originOf(request, `${this.#address?.isSecure ? "https" : "http"}://${host}`);
    if (isForeign) return refused(403, "wrong-origin");
    const isRead = request.method === "GET" || request.method === "HEAD";
    // A program that sends the token itself is no browser that was tricked.
    if (!isRead && !isOwn && bearerOf(request) === undefined) return refused(403, "wrong-origin");
    return { is: "granted" };
  }

  /** Whether a request has the token. {@linkcode checkOrigin} comes before it. */
  checkToken(request: Request): Access {
    const url = new URL(request.url);
    const given = url.searchParams.get("token");
    if (given !== null && request.method === "GET") {
      if (!this.#isToken(given)) return refused(403, "wrong-token");
      url.searchParams.delete("token");
      const cookie = `${this.#cookieName}=${this.token}; Path=/; HttpOnly; SameSite=Strict${
        this.#address?.isSecure ? "; Secure" : ""
      }`;
      const path = url.pathname.replace(/^\/+/, "/"); // two slashes would lead to another host
      return { is: "exchange", cookie, location: path + url.search };
    }
    const presented = bearerOf(request) ?? cookieOf(request, this.#cookieName);
    if (presented === undefined) return refused(403, "no-token");
    return this.#isToken(presented) ? { is: "granted" } : refused(403, "wrong-token");
  }

  /** Whether a form has the token of forms. */
  isFormToken(given: string): boolean {
    return equalTexts(given, this.formToken);
  }

  #isToken(given: string): boolean {
    return equalTexts(given, this.token);
  }

  /** Cookies are shared by all ports of a host: each server has a name of its own. */
  get #cookieName(): string {
    return `mnema-${this.#address?.port}`;
  }
}

function refused(status: 400 | 403 | 426, reason: Reason): Access {
  return { is: "refused", status, reason };
}

/**
 * What a browser says about who made the request. With `Referrer-Policy: no-referrer`, it sends `Origin: null` for the
 * page's own forms, too: then `Sec-Fetch-Site` decides.
 */
function originOf(request: Request, own: string): { isForeign: boolean; isOwn: boolean } {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  const hasOwnOrigin = origin === own;
  const isTyped = site === "none"; // by the user, or in a bookmark
  const isForeign = (origin !== null && origin !== "null" && !hasOwnOrigin) ||
    (site !== null && site !== "same-origin" && !isTyped && !isNavigation(request));
  return { isForeign, isOwn: !isForeign && (site === null ? hasOwnOrigin : site === "same-origin") };
}

/** Whether a link was followed: from another site it shows a page, without the cookie, and does nothing. */
function isNavigation(request: Request): boolean {
  return request.method === "GET" && request.headers.get("sec-fetch-mode") === "navigate" &&
    request.headers.get("sec-fetch-dest") === "document";
}

function bearerOf(request: Request): string | undefined {
  return request.headers.get("authorization")?.match(/^Bearer (\S+)$/)?.[1];
}

function cookieOf(request: Request, name: string): string | undefined {
  const cookies = (request.headers.get("cookie") ?? "").split(";").map((cookie) => cookie.trim());
  return cookies.find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Compares a secret in a time that does not tell how much of it was right. */
function equalTexts(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(left, right);
}
