/**
 * `mnema serve`.
 *
 * @module
 */

import type { Identity } from "../keys/identity.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { loadIdentity, openToAppend, openToDerive } from "./open.ts";
import type { Output } from "./output.ts";
import { requireListen, requireRun } from "./permissions.ts";
import { onInterrupt } from "./signals.ts";

const DEFAULT_ADDRESS = "127.0.0.1:0";
/** The command that opens an address, by system. */
const OPENERS: Partial<Record<typeof Deno.build.os, readonly string[]>> = {
  darwin: ["open"],
  windows: ["explorer"],
};
const DEFAULT_OPENER = ["xdg-open"];

/** Shows the log in a browser. */
export const serve: Command = {
  args: "",
  summary: "Shows the log in a browser: what is believed, and why.",
  details: `Prints the address to open, which has a random token; it is for this machine alone. With --edit, claims can
be asserted, refuted and corrected there, signed by your key. It runs until it is interrupted.`,
  options: {
    listen: { value: "HOST:PORT", help: "the loopback address and the port (default: 127.0.0.1 and any free port)" },
    open: { help: "also open the address in the browser" },
    edit: { help: "allow to assert, refute and correct, signed by the key" },
  },
  example: "serve --open",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const address = parseListen(input.value("listen") ?? DEFAULT_ADDRESS);
    requireListen(address);
    const opener = OPENERS[Deno.build.os] ?? DEFAULT_OPENER;
    if (input.flag("open")) requireRun(opener[0]);
    const signer: Identity | undefined = input.flag("edit") ? await loadIdentity(input) : undefined;
    using log = await (signer === undefined ? openToDerive(input) : openToAppend(input));
    const { pages } = await import("../web/pages.ts");
    const site = pages(log, { path: input.logPath, signer });
    const ends = new AbortController();
    using _ = onInterrupt(() => ends.abort());
    try {
      const server = Deno.serve({ ...address, signal: ends.signal, onListen: () => {} }, site.fetch);
      const link = site.listensAt(server.addr);
      if (output.json) output.data(JSON.stringify({ address: link }));
      else output.line(link);
      output.flush();
      if (input.flag("open")) open(opener, link, output);
      await server.finished;
    } finally {
      await site.close();
    }
  },
};

/** The address of `HOST:PORT`, which must be loopback's. */
function parseListen(text: string): { hostname: string; port: number } {
  const [, host, port] = text.match(/^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/) ?? [];
  if (host !== undefined && Number(port) <= 65_535) {
    return { hostname: host.replaceAll(/[[\]]/g, ""), port: Number(port) };
  }
  throw new UsageError(`--listen takes a loopback address and a port, such as 127.0.0.1:8000, not ${text}`);
}

/** Opens an address in the browser. The token in it is on the command line for a moment, which others can read. */
function open(opener: readonly string[], link: string, output: Output): void {
  try {
    const [command, ...args] = opener;
    new Deno.Command(command, { args: [...args, link], stdin: "null", stdout: "null", stderr: "null" }).spawn().unref();
  } catch (error) {
    output.note(`mnema: the browser cannot be opened: ${(error as Error).message}; open the address yourself`);
  }
}
