/**
 * `mnema stream`.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import type { LogStream } from "../stream/stream.ts";
import type { StreamOptions, TlsFiles } from "../stream/options.ts";
import type { StreamStatus } from "../stream/status.ts";
import { counted } from "../text.ts";
import { type Command, type Input, UsageError } from "./command.ts";
import { openToAppend, withAdvice } from "./open.ts";
import type { Output } from "./output.ts";
import { requireGranted } from "./permissions.ts";
import { reportJson } from "../render/report.ts";
import { forCommandLine } from "./sentence.ts";
import { EXIT_INTERRUPTED, onInterrupt } from "./signals.ts";

/** The options that name files for TLS. */
const TLS_FILES: Readonly<Record<string, keyof TlsFiles>> = {
  "tls-ca": "caFile",
  "tls-cert": "certFile",
  "tls-key": "keyFile",
};
/** Limit of the operations that are reported as not publishable, each on a line; the rest are counted. */
const MAX_SHOWN = 20;

/** Connects the log to a stream. */
export const streamLog: Command = {
  args: "URL",
  summary: "Exchanges operations with a stream of NATS JetStream.",
  details:
    `Publishes what the log has and the stream lacks, and appends what the stream has and the log lacks, until it is
interrupted. URL is nats://HOST:PORT, or several, separated by commas: name every server of a cluster.

A lost connection is opened again. A stream that lost messages, or was deleted and created again, is read from its first
message and gets what it lacks. What endangers operations, such as a single replica, is written to standard error.

An operation that is larger than the server takes stays local, and so do those that follow it: it is reported, and with
--once the exit code is 1.`,
  options: {
    stream: { value: "NAME", help: "the name of the stream: A-Z a-z 0-9 _ -" },
    create: { help: "create the stream where there is none" },
    replicas: { value: "N", help: "replicas of a stream that is created (default: 3, which needs three servers)" },
    once: { help: "end when both have the same operations" },
    creds: { value: "FILE", help: "a file with credentials" },
    "tls-ca": { value: "FILE", help: "certificates of authorities, in PEM; TLS is required then" },
    "tls-cert": { value: "FILE", help: "the certificate of this node, in PEM" },
    "tls-key": { value: "FILE", help: "the private key for it, in PEM" },
    listen: { value: "HOST:PORT", help: "serve /health and /metrics, for Prometheus" },
  },
  example: "stream nats://127.0.0.1:4222 --stream team --create --replicas 1 --once",
  async run(input: Input, output: Output): Promise<number> {
    input.requireArgs(1, 1);
    const options = optionsOf(input);
    const listen = listenerOf(input.value("listen"));
    const { readOptions } = await import("../stream/options.ts");
    const { servers } = asUsage(() => readOptions(options));
    requireGranted("net", ...servers, ...listen === undefined ? [] : [listen.address]);
    const files = [options.credsFile, ...Object.values(options.tls ?? {})].filter((path) => path !== undefined);
    requireGranted("read", ...files);
    using log = await openToAppend(input);
    const { stream } = await import("../stream/stream.ts");
    using _console = silenceConsole();
    const stop = new AbortController();
    using _ = onInterrupt(() => stop.abort());
    const notes = new Notes(output);
    const once = input.flag("once");
    let node: LogStream;
    try {
      node = await stream(log, {
        ...options,
        signal: stop.signal,
        onStatus: (status) => {
          notes.tell(status);
          if (output.json && !once) {
            output.data(reportJson(status));
            output.flush();
          }
        },
      });
    } catch (error) {
      throw withAdvice(error, { "no-stream": "create it with: --create" });
    }
    await using _node = node;
    await using _server = listen && serve(listen, node, output);
    if (once) {
      const interrupted = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
      await Promise.race([node.settled(), interrupted]);
    } else await node.finished;
    const status = node.status();
    await node.close();
    if (output.json && once) output.data(reportJson(status));
    if (!output.json) output.line(totalsOf(status));
    notes.end(status);
    if (stop.signal.aborted) return EXIT_INTERRUPTED;
    return status.unpublishable.length > 0 ? 1 : 0;
  },
};

function optionsOf(input: Input): StreamOptions {
  const stream = input.value("stream");
  if (stream === undefined) throw new UsageError("--stream NAME is missing: it names the stream");
  const tls: TlsFiles = {};
  for (const [option, field] of Object.entries(TLS_FILES)) {
    const path = input.value(option);
    if (path !== undefined) tls[field] = path;
  }
  return {
    servers: input.args[0].split(",").map((url) => url.trim()),
    stream,
    create: input.flag("create"),
    replicas: input.integer("replicas", 1),
    credsFile: input.value("creds"),
    tls: Object.keys(tls).length > 0 ? tls : undefined,
  };
}

/** Runs a check of arguments, whose errors are wrong usage. */
function asUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof LogError && error.code === "invalid-argument" ? new UsageError(error.message) : error;
  }
}

interface Listener {
  address: string;
  hostname: string;
  port: number;
}

function listenerOf(address: string | undefined): Listener | undefined {
  if (address === undefined) return undefined;
  const [, hostname, port] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
  if (hostname === undefined || Number(port) > 65535) {
    throw new UsageError(`--listen takes HOST:PORT, such as 127.0.0.1:9464, not ${JSON.stringify(address)}`);
  }
  return { address, hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

/** Serves the status of a stream. */
function serve({ hostname, port, address }: Listener, node: LogStream, output: Output): AsyncDisposable {
  const onListen = ({ hostname, port }: Deno.NetAddr) =>
    output.note(`mnema: metrics on http://${hostname}:${port}/metrics`);
  try {
    return Deno.serve({ hostname, port, onListen }, async ({ method, url }) => {
      const { pathname } = new URL(url);
      if (method !== "GET" && method !== "HEAD") return new Response("only GET\n", { status: 405 });
      const status = node.status();
      if (pathname === "/health") {
        const isHealthy = status.phase === "following" || status.phase === "reading";
        return new Response(`${status.phase}\n`, { status: isHealthy ? 200 : 503 });
      }
      if (pathname !== "/metrics") return new Response("there is /health and /metrics\n", { status: 404 });
      const { formatStreamMetrics } = await import("../stream/metrics.ts");
      return new Response(formatStreamMetrics(status), { headers: { "content-type": "text/plain; version=0.0.4" } });
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse) && !(error instanceof Deno.errors.AddrNotAvailable)) throw error;
    throw new LogError("io", `${address} cannot be listened on: ${error.message}; choose another`, { cause: error });
  }
}

/** Drops what is logged on the console: the client logs what a server has sent, which could control the terminal. */
function silenceConsole(): Disposable {
  const { log } = console;
  console.log = () => {};
  return { [Symbol.dispose]: () => void (console.log = log) };
}

function totalsOf(status: StreamStatus): string {
  const { received, known, refused, published, pending, unpublished } = status;
  const left = unpublished > 0 ? `, ${unpublished} not in the stream` : "";
  const waiting = pending > 0 ? `, ${pending} pending` : "";
  return `received ${received}, known ${known}, refused ${refused}${waiting}; published ${published}${left}`;
}

/** Writes what a person wants to know to standard error, each once. */
class Notes {
  readonly #output: Output;
  #warned = false;
  #phase?: string;
  #losses = 0;
  #shown = 0;
  #error?: string;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Tells what has changed. */
  tell(status: StreamStatus): void {
    const { phase, server, stream, warnings, losses, lastLoss, unpublishable, error } = status;
    const note = (text: string) => this.#output.note(`mnema: ${text}`);
    if (!this.#warned && warnings.length > 0) {
      for (const { message } of warnings) note(`warning: ${message}`);
      this.#warned = true;
    }
    if (losses > this.#losses) note(`the stream ${stream} has lost messages (${lastLoss}): it is read again`);
    this.#losses = losses;
    if (phase !== this.#phase && phase === "following") note(`following ${stream} on ${server}`);
    this.#phase = phase;
    if (error !== undefined && error.message !== this.#error) note(forCommandLine(error.code, error.message));
    this.#error = error?.message;
    for (const { opId, bytes } of unpublishable.slice(this.#shown, MAX_SHOWN)) {
      note(`${opId} is not publishable: with its header it has ${bytes} bytes, more than the server takes`);
    }
    this.#shown = Math.max(this.#shown, Math.min(unpublishable.length, MAX_SHOWN));
  }

  /** Tells what was left out. */
  end({ unpublishable, heldBack }: StreamStatus): void {
    const more = unpublishable.length - MAX_SHOWN;
    if (more > 0) this.#output.note(`mnema: and ${more} more are not publishable`);
    if (heldBack > 0) this.#output.note(`mnema: ${counted(heldBack, "operation")} held back, as they follow these`);
  }
}
