/**
 * A substitute for JSR on the loopback interface: takes what `deno publish` uploads, and serves packages as JSR serves
 * them, to every Deno whose `JSR_URL` names it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { copyIn, publish, readConfig, writePackage } from "./package.ts";

const TYPES: Record<string, string> = { ts: "text/typescript", json: "application/json" };

interface PackageConfig {
  name: string;
  version: string;
  exports: string | Record<string, string>;
}

/** The registry. It stores packages as folders: `@scope/name/version/`. */
export class Registry implements AsyncDisposable {
  /** The path of each request, in order. */
  readonly requests: string[] = [];
  readonly #folder: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor() {
    this.#folder = Deno.makeTempDirSync({ prefix: "mnema-registry-" });
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => this.#answer(request));
  }

  /** Starts a registry with this project's package, as `deno publish` uploads it, and its imports from JSR. */
  static async withPackage(): Promise<Registry> {
    const registry = new Registry();
    const staging = Deno.makeTempDirSync({ prefix: "mnema-publish-" });
    try {
      for (const link of readConfig().links) registry.#addStandIn(link);
      await publish(writePackage(staging), ["--token", "none"], { JSR_URL: registry.url });
      return registry;
    } catch (error) {
      await registry[Symbol.asyncDispose]();
      throw error;
    } finally {
      Deno.removeSync(staging, { recursive: true });
    }
  }

  /** The value for `JSR_URL`. */
  get url(): string {
    return `http://${this.host}/`;
  }

  /** The host and the port, for `--allow-import`. */
  get host(): string {
    const { hostname, port } = this.#server.addr;
    return `${hostname}:${port}`;
  }

  /** The folder with the files of a package. */
  folderOf(name: string, version: string): string {
    return `${this.#folder}/${name}/${version}`;
  }

  /** Stops the registry and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    Deno.removeSync(this.#folder, { recursive: true });
  }

  #addStandIn(link: string): void {
    const staging = Deno.makeTempDirSync({ dir: this.#folder });
    copyIn(link, staging);
    const { name, version } = configOf(`${staging}/${link}`);
    Deno.mkdirSync(`${this.#folder}/${name}`, { recursive: true });
    Deno.renameSync(`${staging}/${link}`, this.folderOf(name, version));
    Deno.removeSync(staging, { recursive: true });
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    this.requests.push(pathname);
    const upload = /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)\/versions\/([^/]+)$/.exec(pathname);
    if (upload !== null && request.method === "POST") {
      const [, scope, name, version] = upload;
      await unpack(request.body!, this.folderOf(`@${scope}/${name}`, version));
      return Response.json({ id: "task", status: "pending" });
    }
    if (pathname === "/api/publish_status/task") return Response.json({ id: "task", status: "success" });
    if (/^\/api\/scopes\/[^/]+\/packages\/[^/]+$/.test(pathname)) return Response.json({}); // creates any package
    return this.#serve(decodeURIComponent(pathname)) ?? Response.json({ code: "notFound" }, { status: 404 });
  }

  #serve(path: string): Response | undefined {
    const [, name, rest = ""] = /^\/(@[^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
    if (name === undefined || !exists(`${this.#folder}/${name}`)) return undefined;
    if (rest === "meta.json") {
      const versions = [...Deno.readDirSync(`${this.#folder}/${name}`)].map(({ name }) => [name, {}]);
      return Response.json({ latest: versions.at(-1)![0], versions: Object.fromEntries(versions) });
    }
    const version = /^([^/]+)_meta\.json$/.exec(rest)?.[1];
    if (version !== undefined) return exists(this.folderOf(name, version)) ? this.#describe(name, version) : undefined;
    const file = `${this.#folder}/${name}/${rest}`;
    if (!exists(file)) return undefined;
    return new Response(Deno.readFileSync(file), {
      headers: { "content-type": TYPES[file.slice(file.lastIndexOf(".") + 1)] ?? "text/plain" },
    });
  }

  #describe(name: string, version: string): Response {
    const folder = this.folderOf(name, version);
    const { exports } = configOf(folder);
    return Response.json({
      exports: typeof exports === "string" ? { ".": exports } : exports,
      manifest: Object.fromEntries(
        filesIn(folder).map((path) => {
          const bytes = Deno.readFileSync(folder + path);
          return [path, { size: bytes.length, checksum: `sha256-${createHash("sha256").update(bytes).digest("hex")}` }];
        }),
      ),
    });
  }
}

/** The files below a folder, each as `/path`, in order. */
export function filesIn(folder: string, path = ""): string[] {
  return [...Deno.readDirSync(folder + path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(folder, `${path}/${name}`) : [`${path}/${name}`]
  ).sort();
}

function configOf(folder: string): PackageConfig {
  return JSON.parse(Deno.readTextFileSync(`${folder}/deno.json`));
}

async function unpack(archive: ReadableStream<Uint8Array<ArrayBuffer>>, folder: string): Promise<void> {
  Deno.mkdirSync(folder, { recursive: true });
  const tar = new Deno.Command("tar", { args: ["-xzf", "-", "-C", folder], stdin: "piped" }).spawn();
  await archive.pipeTo(tar.stdin);
  if (!(await tar.status).success) throw new Error("the archive that was uploaded cannot be unpacked");
  for (const path of filesIn(folder)) Deno.chmodSync(folder + path, 0o644); // the archive has no file modes
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
