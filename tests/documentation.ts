/**
 * The documentation that is published: the README and what is below `docs/`.
 *
 * @module
 */

const project = new URL("../", import.meta.url);

/** The paths of its files, the README first. */
export const DOCUMENTS: readonly string[] = [
  "README.md",
  ...[...Deno.readDirSync(new URL("docs", project))].map(({ name }) => `docs/${name}`).sort(),
];

/** Its texts, in the order of {@linkcode DOCUMENTS}. */
export const TEXTS: readonly string[] = DOCUMENTS.map((path) => Deno.readTextFileSync(new URL(path, project)));

/** All of it. */
export const DOCUMENTATION: string = TEXTS.join("\n");

/** The blocks of code in a language. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(([, code]) => code);
}

/** A command that begins a line, with the lines it goes on in; as often as it is there. */
export function commands(start: string): string[] {
  return [...DOCUMENTATION.matchAll(new RegExp(`^${start} (?:.*\\\\\\n)*.*`, "gm"))].map(([command]) => command);
}
