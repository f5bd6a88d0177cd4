/**
 * Serves the pages of a log for `page.ts`, and says its memory at `/memory`.
 *
 * @module
 */

import { OpLog } from "../mod.ts";
import { pages } from "../src/web/pages.ts";

const [path] = Deno.args;
const log = OpLog.open(path);
const site = pages(log, { path });
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request, info) => {
  if (new URL(request.url).pathname !== "/memory") return site.fetch(request, info);
  return new Response(String(Math.round(Deno.memoryUsage().rss / 1e6)));
});
console.log(site.listensAt(server.addr));
