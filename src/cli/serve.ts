/**
 * `mnema serve`.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { OpLog } from "../oplog.ts";
import type { ServeOptions, SyncServer } from "../sync/serve.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { loadIdentity, loadLog, openToAppend, openToDerive } from "./open.ts";
import type { Output } from "./output.ts";
import { makePages, openPages, PAGE_OPTIONS, requirePagePermissions } from "./page.ts";
import { PEER_OPTIONS, readPeerOptions, readPem } from "./peers.ts";
import { requireWebSocket } from "./permissions.ts";
import { replaceAdvice } from "./sentence.ts";
import { onInterrupt } from "./signals.ts";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8420;

/** Serves the log. */
export const serve: Command = {
  args: "",
  summary: "Shows the log in a browser, and lets other nodes synchronize with it, until it is interrupted.",
  details: `Prints the address to open in a browser on this machine, with a random token, and that for mnema sync: \
ws://HOST:PORT/sync, or wss:// with a certificate. /health answers "ok", /metrics has counts for Prometheus.

An address beyond this machine needs --allow: the author ids of the peers that are admitted, as mnema id prints them \
there. ws:// proves who a peer is, but hides nothing: beyond a trusted network, use a certificate, or mnema sync over \
ssh://, which needs no server.

With --pull the server only receives operations, with --push it only sends them. The exit code after an interrupt is 0.`,
  options: {
    listen: {
      value: "HOST:PORT",
      help: `where to listen (default: ${DEFAULT_HOST}:${DEFAULT_PORT}; port 0: a free one)`,
    },
    ...PAGE_OPTIONS,
    ...PEER_OPTIONS,
    "tls-cert": { value: "FILE", help: "speak TLS with this certificate (PEM)" },
    "tls-key": { value: "FILE", help: "its private key (PEM)" },
    "max-sessions": { value: "N", help: "limit of sessions at a time (default: 256)" },
  },
  example: "serve --open",
  async run(input: Input, output: Output): Promise<void> {
    input.requireArgs(0, 0);
    const options = readServeOptions(input);
    const isLocal = isOnThisMachine(options.hostname);
    requirePagePermissions(input);
    const signer = await loadIdentity(input);
    using log = await (input.flag("edit") ? openToAppend(input) : openToDerive(input));
    if (await isReadonly(log)) {
      if (options.direction === "pull") {
        throw new LogError("read-only", `${input.logPath} cannot be written: it receives nothing`);
      }
      options.direction = "push";
      output.note(`mnema: ${input.logPath} cannot be written: peers only receive from it`);
    }
    const tls = { cert: await readPem(input, "tls-cert"), key: await readPem(input, "tls-key") };
    const interrupted = Promise.withResolvers<void>();
    using _ = onInterrupt(() => interrupted.resolve());
    await using site = isLocal ? await makePages(log, input, signer) : undefined;
    await using server = await start(log, { ...options, ...tls, signer, fetch: site?.fetch });
    const page = site?.listensAt({ ...server.address, isSecure: tls.cert !== undefined });
    if (output.json) output.data(JSON.stringify({ page, url: server.url, author: signer.author }));
    else {
      if (page !== undefined) output.line(page);
      output.line(server.url);
    }
    output.flush();
    if (page !== undefined) openPages(page, input, output);
    await interrupted.promise;
    await site?.close(); // the streams of open pages end before the server waits for them
  },
};

async function isReadonly(log: OpLog): Promise<boolean> {
  const { internalsOf } = await loadLog();
  return internalsOf(log).connection.readonly;
}

/** Whether a browser on this machine reaches a server at a loopback address: this one, or one that is on all addresses. */
function isOnThisMachine(hostname: string): boolean {
  return /^(?:127(?:\.\d{1,3}){3}|localhost|::1|0\.0\.0\.0|::)$/.test(hostname);
}

/** What the options say, apart from the key and the certificate. */
function readServeOptions(input: Input): Omit<ServeOptions, "signer"> & { hostname: string } {
  if ((input.value("tls-cert") === undefined) !== (input.value("tls-key") === undefined)) {
    throw new UsageError("--tls-cert and --tls-key are given together");
  }
  return {
    ...parseListen(input.value("listen")),
    ...readPeerOptions(input),
    maxSessions: input.integer("max-sessions", 1),
  };
}

/** The host and port in `HOST:PORT`; `[…]` around an IPv6 address. */
function parseListen(text: string | undefined): { hostname: string; port: number } {
  if (text === undefined) return { hostname: DEFAULT_HOST, port: DEFAULT_PORT };
  const [, ipv6, host, digits] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new UsageError(`--listen takes a host and a port, such as ${DEFAULT_HOST}:${DEFAULT_PORT}, not ${text}`);
  }
  return { hostname: ipv6 ?? host, port };
}

async function start(log: OpLog, options: ServeOptions): Promise<SyncServer> {
  const { hostname = DEFAULT_HOST, port } = options;
  requireWebSocket(`${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`);
  const { serve } = await import("../sync/serve.ts");
  try {
    return await serve(log, options);
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== "not-allowed") throw error;
    const advice = `name the peers that it admits with --allow AUTHOR, or listen on ${DEFAULT_HOST}`;
    throw new LogError(error.code, replaceAdvice(error.message, advice), { cause: error });
  }
}
