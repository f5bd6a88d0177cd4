/**
 * Requests to the pages of a log, by its owner and by anybody else: each is answered with a status that is meant, nobody
 * else sees or changes anything, and nothing that is shown is markup.
 *
 * An input begins with a letter, `o` for the owner, then come a method, a path, headers and a body, as in HTTP. `{form}`
 * in a body stands for the token of forms.
 *
 * @module
 */

import { OpLog } from "../../../../mod.ts";
import { pages } from "../../../../src/web/pages.ts";
import { SECURITY_HEADERS } from "../../../../src/web/guard.ts";
import { alice } from "../../../operations.ts";
import { HOST, PORT } from "../../../web/site.ts";
import { bytesOf, require, type Target, textOf } from "../target.ts";

/** Is in the log, and in no page that the owner does not see. */
const SECRET = "a-secret-of-the-log";
/** Would be an element, if a page did not escape it. */
const MARKUP = "<x-planted";
const STATUSES = [200, 303, 400, 403, 404, 405, 409, 413, 426, 503];
const PEER = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 40_000 } } as const;

/** The request in a text; undefined when there can be none. */
function requestOf(text: string, cookie: string, formToken: string): Request | undefined {
  const [head, ...rest] = text.slice(1).split("\n\n");
  const [line, ...headerLines] = head.split("\n");
  const [method = "GET", path = "/"] = line.split(" ");
  const body = rest.join("\n\n").replaceAll("{form}", formToken);
  try {
    const headers = new Headers(headerLines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, Math.max(0, colon)), line.slice(colon + 1)];
    }));
    if (text.startsWith("o")) {
      if (!headers.has("host")) headers.set("host", HOST);
      headers.set("cookie", cookie);
    }
    const hasBody = body !== "" && method !== "GET" && method !== "HEAD";
    return new Request(`http://${HOST}${path}`, { redirect: "manual", method, headers, body: hasBody ? body : null });
  } catch {
    return undefined; // no HTTP server would pass it on
  }
}

const OWN = "\nsec-fetch-site: same-origin";
const FORM = `\norigin: http://${HOST}\ncontent-type: application/x-www-form-urlencoded`;

export const target: Target = {
  async start() {
    const log = OpLog.open();
    const evidence = log.record(alice, "evidence.add", { source: "s", kind: "k", content: { [MARKUP]: SECRET } });
    const claim = log.claims.assert(alice, { key: "drink", value: `${MARKUP}>${SECRET}`, inputs: [evidence.opId] });
    log.claims.correct(alice, `${MARKUP} onload=x>`, { text: SECRET });
    log.proofs.checkpoint(alice);
    const token = "t".repeat(43);
    const site = pages(log, { path: ":memory:", signer: alice, token });
    site.listensAt({ hostname: "127.0.0.1", port: PORT });
    const entered = await site.fetch(new Request(`http://${HOST}/?token=${token}`, { headers: { host: HOST } }), PEER);
    const cookie = entered.headers.get("set-cookie")!.split(";")[0];
    const asOwner = (path: string) => new Request(`http://${HOST}${path}`, { headers: { host: HOST, cookie } });
    const audit = await (await site.fetch(asOwner("/assert"), PEER)).text();
    const formToken = audit.match(/name="form-token"\s+value="([^"]+)"/)![1];
    const paths = [
      "/",
      "/overview.json",
      "/claims?key=drink&value=x&status=active&author=mnk_8&deriver=a%2Fb&sort=ts&after=x",
      `/claims/${claim.opId}`,
      `/claims/${claim.opId}.json?depth=3`,
      "/log?type=note&author=mnk_&from=2026-01-01&until=2026-12-31&before=3",
      `/operations/${evidence.opId}`,
      `/operations/${evidence.opId}/wire`,
      `/operations/${evidence.opId}/proof`,
      "/audit",
      "/assert",
      "/events",
      `/refute?id=${claim.opId}`,
      `/?token=${token}`,
      "/style.css",
      "/%00%ff/../..//",
    ];
    return {
      seeds: [
        ...paths.map((path) => `oGET ${path}${OWN}\naccept: text/html`),
        ...paths.slice(0, 6).map((path) => `oGET ${path}\naccept: application/json`),
        ...paths.slice(0, 4).map((path) => `aGET ${path}\nhost: ${HOST}\nauthorization: Bearer ${"u".repeat(43)}`),
        `oPOST /assert${OWN}${FORM}\n\nform-token={form}&key=drink&value=tea&confidence=0.5`,
        `oPOST /refute${OWN}${FORM}\n\nform-token={form}&id=${claim.opId}&reason=no&confirm=1`,
        `oPOST /correct${OWN}${FORM}\n\nform-token={form}&key=drink&value=%22x%22`,
        `oPOST /audit${OWN}${FORM}\n\nform-token={form}`,
        `aPOST /assert\nhost: ${HOST}${FORM}\n\nform-token={form}&key=a&value=b`,
        `aGET /\nhost: evil.example\norigin: http://evil.example\nupgrade: websocket`,
      ].map(bytesOf),
      tokens: [
        ...[
          "oGET ",
          "oPOST ",
          "aGET ",
          "oHEAD ",
          "oPUT ",
          "oOPTIONS ",
          "form-token={form}&",
          "\n\n",
          "%3Cx-planted%3E",
        ],
        ...[
          "/claims",
          "/log",
          "/operations/",
          "/audit",
          "/events",
          ".json",
          "?",
          "&",
          "=",
          "%2F",
          "%00",
          "%FF",
          "//",
          "#",
        ],
        ...[
          "key=",
          "value=",
          "status=refuted",
          "type=",
          "author=",
          "after=",
          "before=",
          "depth=",
          "sort=",
          "confidence=",
        ],
        ...["accept: application/json\n", "host: ", "origin: ", "sec-fetch-site: cross-site\n", "cookie: ", token],
        ...[claim.opId, evidence.opId, alice.author, `${MARKUP}>`, "\r", "%0d%0aset-cookie:x"],
      ],
      async run(input) {
        const text = textOf(input);
        const request = requestOf(text, cookie, formToken);
        if (request === undefined) return;
        const before = log.size;
        const response = await site.fetch(request, PEER);
        const { status, headers } = response;
        require(STATUSES.includes(status), `${status} is a status of the pages`);
        for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
          require(headers.get(name) === value, `every answer has ${name}`);
        }
        const type = headers.get("content-type") ?? "";
        if (type.startsWith("text/event-stream")) return await response.body?.cancel();
        const answer = await response.text();
        if (type.startsWith("text/html")) {
          require(!answer.includes(MARKUP), "what is in a log or a request is no markup");
        }
        if (type.startsWith("application/json") && request.method !== "HEAD") JSON.parse(answer);
        const isOwner = text.startsWith("o") || text.includes(token);
        if (isOwner) return;
        require(!answer.includes(SECRET), "nobody but the owner sees what is in the log");
        require(log.size === before, "nobody but the owner changes the log");
      },
      async close() {
        await site.close();
        log.close();
      },
    };
  },
};
