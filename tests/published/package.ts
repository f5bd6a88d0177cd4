/**
 * The package in a folder of its own, as it is published from: without the substitutes for `jsr:` packages, which Deno
 * would take for modules of the package because they are below its folder.
 *
 * @module
 */

const project = new URL("../../", import.meta.url);

/** The published files besides `deno.json`. */
const FILES = [
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "docs",
  "cli.ts",
  "mod.ts",
  "proof.ts",
  "src",
  "stream.ts",
  "sync.ts",
];

/** The published fields of `deno.json`. */
const FIELDS = ["name", "version", "license", "exports", "imports"];

interface Config {
  name: string;
  version: string;
  imports: Record<string, string>;
  links: string[];
  [field: string]: unknown;
}

/** The project's `deno.json`. */
export function readConfig(): Config {
  return JSON.parse(Deno.readTextFileSync(new URL("deno.json", project)));
}

/**
 * Writes the package to `package/` in a folder, which becomes a workspace that has the substitutes.
 *
 * @param folder An empty folder.
 * @returns The folder of the package.
 */
export function writePackage(folder: string): string {
  const config = readConfig();
  Deno.writeTextFileSync(`${folder}/deno.json`, JSON.stringify({ workspace: ["./package"], links: config.links }));
  for (const link of config.links) copyIn(link, folder);
  for (const name of FILES) copyIn(name, `${folder}/package`);
  const published = Object.fromEntries(FIELDS.map((field) => [field, config[field]]));
  Deno.writeTextFileSync(`${folder}/package/deno.json`, JSON.stringify(published, null, 2) + "\n");
  return `${folder}/package`;
}

/** Copies a file or a folder of the project to the same path below another folder. */
export function copyIn(path: string, folder: string, except: readonly string[] = []): void {
  const from = new URL(path, project);
  if (except.includes(path)) return;
  if (Deno.statSync(from).isDirectory) {
    for (const { name } of Deno.readDirSync(from)) copyIn(`${path}/${name}`, folder, except);
  } else {
    Deno.mkdirSync(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.copyFileSync(from, `${folder}/${path}`);
  }
}

/**
 * Runs `deno publish` on the package. Deno exits with 0 after warnings; they fail this.
 *
 * @param folder The folder of the package.
 * @param args More arguments for `deno publish`.
 * @param env More of the environment: `JSR_URL` names another registry than jsr.io.
 * @throws {Error} With all that Deno wrote, when it failed or warned.
 */
export async function publish(folder: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", ...args],
    cwd: folder,
    env: { ...env, NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success || /\bwarning\b/i.test(said)) throw new Error(`deno publish failed or warned:\n${said}`);
}
