/**
 * The published documentation: the README, `SECURITY.md` and `docs/`.
 *
 * @module
 */

const project = new URL("../", import.meta.url);

/** The paths of the files, the README first. */
export const DOCUMENTS: readonly string[] = [
  "README.md",
  "SECURITY.md",
  ...[...Deno.readDirSync(new URL("docs", project))].map(({ name }) => `docs/${name}`).sort(),
];

/** The texts, in the order of {@linkcode DOCUMENTS}. */
export const TEXTS: readonly string[] = DOCUMENTS.map((path) => Deno.readTextFileSync(new URL(path, project)));

/** The whole documentation as one text. */
export const DOCUMENTATION: string = TEXTS.join("\n");

/** The code blocks in a language. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(([, code]) => code);
}

/** Every command at the start of a line that begins with `start`, with its continuation lines. */
export function commands(start: string): string[] {
  return [...DOCUMENTATION.matchAll(new RegExp(`^${start} (?:.*\\\\\\n)*.*`, "gm"))].map(([command]) => command);
}
