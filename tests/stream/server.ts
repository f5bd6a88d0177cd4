/**
 * Real servers of NATS, on loopback, each with a folder of its own.
 *
 * @module
 */

import { works } from "../processes.ts";
import { linesOf } from "../processes.ts";

/** Whether there is no `nats-server`; an error where one is required. */
export const noServer: boolean = !works("nats-server", "--version");
if (noServer) {
  if (Deno.env.get("MNEMA_TEST_NATS") === "required") {
    throw new Error("nats-server is missing: apt-get install nats-server");
  }
  console.error("the tests of the stream need a nats-server: apt-get install nats-server");
}

/** The settings of a server, beside those that each has. */
export interface ServerOptions {
  /** More lines of its configuration. */
  config?: string;
  /** Its place in a cluster: its name, and the ports of the routes of all servers, its own first. */
  cluster?: { name: string; routes: readonly number[] };
}

/** A server that can be killed and started again on the same ports. */
export class NatsServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: ServerOptions;
  #process?: Deno.ChildProcess;
  #output?: Promise<void>;
  #port = -1;

  private constructor(folder: string, options: ServerOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts a server that keeps its files in a folder. */
  static async start(folder: string, options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(folder, options);
    Deno.mkdirSync(folder, { recursive: true });
    await server.start();
    return server;
  }

  /** The URL for clients. */
  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  /** The port for clients. */
  get port(): number {
    return this.#port;
  }

  /** The folder of its streams. */
  get store(): string {
    return `${this.#folder}/store`;
  }

  /** Starts it, and waits until it is ready. */
  async start(): Promise<void> {
    const { config = "", cluster } = this.#options;
    const lines = [
      `listen: "127.0.0.1:${this.#port}"`,
      `server_name: "${cluster?.name ?? "single"}"`,
      `ports_file_dir: "${this.#folder}"`,
      `jetstream { store_dir: "${this.store}" }`,
      config,
    ];
    if (cluster !== undefined) {
      const [own, ...others] = cluster.routes.map((port) => `127.0.0.1:${port}`);
      const routes = others.map((host) => `"nats://${host}"`).join(", ");
      lines.push(`cluster { name: "test", listen: "${own}", routes: [${routes}] }`);
    }
    Deno.writeTextFileSync(`${this.#folder}/nats.conf`, lines.join("\n"));
    const args = ["-c", `${this.#folder}/nats.conf`];
    this.#process = new Deno.Command("nats-server", { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const ready = Promise.withResolvers<void>();
    this.#output = this.#read(this.#process, ready);
    await ready.promise;
    const { nats } = await this.#readPorts();
    this.#port = Number(new URL(nats[0]).port);
  }

  /** Ends it at once, as a power cut of the process does. */
  async kill(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    const ports = this.#portsFile(process);
    process.kill("SIGKILL");
    await Promise.all([process.status, this.#output]);
    try {
      Deno.removeSync(ports);
    } catch {
      // It had written none.
    }
  }

  /** Stops it without ending it, until {@linkcode NatsServer.resume}: connections stay open and nothing is answered. */
  suspend(): void {
    this.#process!.kill("SIGSTOP");
  }

  /** Lets it go on. */
  resume(): void {
    this.#process!.kill("SIGCONT");
  }

  /** Copies its streams to another folder. It must not run. */
  saveTo(folder: string): void {
    copyFolder(this.store, folder);
  }

  /** Puts its streams back to what they were, as a disk that lost its last writes. It must not run. */
  restoreFrom(folder: string): void {
    Deno.removeSync(this.store, { recursive: true });
    copyFolder(folder, this.store);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /** Reads the file of ports, which is written about when the server reports that it is ready. */
  async #readPorts(): Promise<{ nats: string[] }> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      try {
        return JSON.parse(Deno.readTextFileSync(this.#portsFile()));
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  #portsFile(process = this.#process!): string {
    return `${this.#folder}/nats-server_${process.pid}.ports`;
  }

  async #read({ stderr }: Deno.ChildProcess, ready: PromiseWithResolvers<void>): Promise<void> {
    const log: string[] = [];
    for await (const line of linesOf(stderr)) {
      log.push(line);
      if (line.includes("Server is ready")) ready.resolve();
    }
    ready.reject(new Error(`nats-server ended: ${log.join("\n")}`));
    ready.promise.catch(() => {}); // it was ready, and has ended later
  }
}

/** Ports that are free now. */
export function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}
