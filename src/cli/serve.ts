/**
 * `mnema serve`.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { openToAppend, openToDerive } from "./open.ts";
import type { Output } from "./output.ts";
import { makePages, openPages, PAGE_OPTIONS, requirePagePermissions } from "./page.ts";
import { requireGranted } from "./permissions.ts";
import { onInterrupt } from "./signals.ts";

const DEFAULT_ADDRESS = "127.0.0.1:8420";

/** Shows the log in a browser. */
export const serve: Command = {
  args: "",
  summary: "Shows the log in a browser: what is believed, and why.",
  details: `Prints the address to open, with a random token; it is for this machine alone. It runs until it is
interrupted; the exit code is then 0.`,
  options: {
    listen: {
      value: "HOST:PORT",
      help: `where to listen, on loopback (default: ${DEFAULT_ADDRESS}; port 0: a free one)`,
    },
    ...PAGE_OPTIONS,
  },
  example: "serve --open",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const { hostname, port } = parseListen(input.value("listen") ?? DEFAULT_ADDRESS);
    requireGranted("net", `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`);
    requirePagePermissions(input);
    using log = await (input.flag("edit") ? openToAppend(input) : openToDerive(input));
    const site = await makePages(log, input);
    const interrupted = Promise.withResolvers<void>();
    using _ = onInterrupt(() => interrupted.resolve());
    try {
      const server = listen(hostname, port, site.fetch);
      const link = site.listensAt(server.addr);
      if (output.json) output.data(JSON.stringify({ page: link }));
      else output.line(link);
      output.flush();
      openPages(link, input, output);
      await interrupted.promise;
      await Promise.all([server.shutdown(), site.close()]); // the streams of open pages end with the site
    } finally {
      await site.close();
    }
  },
};

function listen(
  hostname: string,
  port: number,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen: () => {} }, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    const message = `${hostname}:${port} is in use; listen elsewhere, such as with --listen 127.0.0.1:0 on a free port`;
    throw new LogError("io", message, { cause: error });
  }
}

/** The address of `HOST:PORT`, which must be loopback's. */
function parseListen(text: string): { hostname: string; port: number } {
  const [, host, port] = text.match(/^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/) ?? [];
  if (host !== undefined && Number(port) <= 65_535) {
    return { hostname: host.replaceAll(/[[\]]/g, ""), port: Number(port) };
  }
  throw new UsageError(`--listen takes a loopback address and a port, such as ${DEFAULT_ADDRESS}, not ${text}`);
}
