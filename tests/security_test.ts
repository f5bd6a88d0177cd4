import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Operation, OpLog } from "../mod.ts";
import { audit } from "../src/audit/audit.ts";
import { chain, makeFile } from "./audit/tamper.ts";
import { withFolder } from "./folder.ts";
import { alice, note } from "./operations.ts";

const SECURITY = Deno.readTextFileSync(new URL("../SECURITY.md", import.meta.url));

/** The tests that SECURITY.md names, and their files in `tests/`. */
function namedTests(): { file: string; name: string }[] {
  const items = SECURITY.replaceAll(/\n {2}(?=\S)/g, " ").matchAll(/^- `(\S+_test\.ts)`: (.+)$/gm);
  return [...items].map(([, file, name]) => ({ file, name }));
}

/** The names of the tests of a file; what a template puts into a name is `…`. */
function testsIn(file: string): string[] {
  const code = Deno.readTextFileSync(new URL(file, import.meta.url));
  const names = code.matchAll(/Deno\.test\(\s*(?:\{\s*name:\s*)?(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g);
  return [...names].map(([, plain, template]) => plain ?? template.replaceAll(/\$\{[^}]*\}/g, "…"));
}

Deno.test("SECURITY.md names tests that exist, and at least one for each thing that an attacker cannot do", () => {
  const named = namedTests();
  assert(named.length > 40);
  for (const { file, name } of named) {
    const tests = testsIn(file).map((test) => test.replace(/^torture, ….*/, "torture, …"));
    assert(tests.includes(name), `${file} has no test: ${name}`);
  }
  const statements = SECURITY.split("\n**").slice(1).filter((text) => text.startsWith("Cannot"));
  assert(statements.length > 15);
  for (const statement of statements) assertMatch(statement, /\n- `\S+_test\.ts`: |the same test/);
});

Deno.test("a copy of the file is read whole, without a key", () => {
  withFolder((folder) => {
    const ops = chain(20);
    makeFile(`${folder}/log.db`, ops);
    Deno.copyFileSync(`${folder}/log.db`, `${folder}/stolen.db`);
    using stolen = OpLog.open(`${folder}/stolen.db`, { readonly: true });
    assertEquals([...stolen.entries()].map(({ op }) => op.body), ops.map(({ body }) => body));
  });
});

/** Signs a checkpoint of a log, whose file is then replaced; returns what audits find without it and with it. */
async function auditsAfter(replace: (ops: readonly Operation[]) => readonly Operation[]): Promise<string[][]> {
  return await withFolder(async (folder) => {
    const ops = Array.from({ length: 10 }, (_, n) => note(`${n}`));
    let checkpoint: string;
    {
      using log = OpLog.open(`${folder}/log.db`);
      log.appendAll(ops);
      checkpoint = log.proofs.checkpoint(alice);
    }
    makeFile(`${folder}/other.db`, replace(ops));
    const without = await audit(`${folder}/other.db`, { workers: 0 });
    const withIt = await audit(`${folder}/other.db`, { workers: 0, checkpoints: [checkpoint] });
    return [without, withIt].map(({ findings }) => findings.map(({ kind }) => kind));
  });
}

Deno.test("the newest operations can be removed without a trace in the file, and a checkpoint held elsewhere shows it", async () => {
  assertEquals(await auditsAfter((ops) => ops.slice(0, 9)), [[], ["checkpoint"]]);
});

Deno.test("whoever has the key can rewrite a log so that an audit finds nothing, and a checkpoint held elsewhere shows it", async () => {
  const rewritten = (ops: readonly Operation[]) => ops.map((op, n) => n === 3 ? note("rewritten") : op);
  assertEquals(await auditsAfter(rewritten), [[], ["checkpoint"]]);
});
