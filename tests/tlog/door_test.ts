import { assert, assertEquals } from "@std/assert";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { formatConsistencyProof } from "../../src/tlog/consistency.ts";
import { formatInclusionProof } from "../../src/tlog/inclusion.ts";
import { leafHash, nodeHash } from "../../src/tlog/merkle.ts";
import { withFolder } from "../folder.ts";
import { alice, note } from "../operations.ts";

const project = new URL("../../", import.meta.url);

interface Module {
  specifier: string;
  local?: string;
  dependencies?: { specifier: string; code?: { specifier: string } }[];
}

/** The modules that run when this one is imported: those that only types are taken from do not. */
function modulesOf(entry: string): Module[] {
  const { success, stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry], cwd: project })
    .outputSync();
  assert(success);
  const { roots, redirects, modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    roots: string[];
    redirects: Record<string, string>;
    modules: Module[];
  };
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const reached = new Set(roots);
  for (const name of reached) {
    for (const { code } of byName.get(name)?.dependencies ?? []) {
      if (code !== undefined) reached.add(redirects[code.specifier] ?? code.specifier);
    }
  }
  return [...reached].map((specifier) => byName.get(specifier) ?? { specifier });
}

Deno.test("proof.ts imports only modules that run in browsers", () => {
  const modules = modulesOf("proof.ts");
  const outside = modules.map(({ specifier }) => specifier).filter((name) => !name.startsWith(project.href));
  const packages = outside.map((name) => name.replace(/^npm:\/?/, "").replace(/@[^@]*$/, ""));
  assertEquals(new Set(packages), new Set(["@noble/ed25519", "@noble/hashes"]), "and no other packages");
  for (const { specifier, local } of modules) {
    if (!specifier.startsWith(project.href)) continue;
    const path = specifier.slice(project.href.length);
    assert(!/^(?:src\/(?:log|replay|cli)|offline)\//.test(path), path);
    // errors.ts speaks of Deno's own errors, where there is a file.
    if (path !== "src/errors.ts") assert(!/\bDeno\./.test(Deno.readTextFileSync(local!)), path);
  }
});

Deno.test("the import check works: mod.ts imports files, FFI and Node", () => {
  const names = modulesOf("mod.ts").map(({ specifier }) => specifier);
  assert(names.some((name) => name === "node:crypto"));
  assert(names.some((name) => name.includes("sqlite")));
});

Deno.test("proofs verify without permissions, Deno, Node, WebAssembly or methods newer than 2023", () => {
  const ops = [note("one"), note("two")];
  const hashes = ops.map(({ wire }) => leafHash(new TextEncoder().encode(wire)));
  const origin = "example.org/log";
  const old = signCheckpoint({ size: 1, root: hashes[0] }, alice, origin);
  const checkpoint = signCheckpoint({ size: 2, root: nodeHash(hashes[0], hashes[1]) }, alice, origin);
  const given = {
    author: alice.author,
    origin,
    wire: ops[1].wire,
    checkpoint,
    inclusion: formatInclusionProof({ index: 1, hashes: [hashes[0]], checkpoint }),
    consistency: formatConsistencyProof({ old, new: checkpoint, hashes: [hashes[1]] }),
  };
  const script = `
    const print = console.log;
    for (const name of ["Deno", "process", "Buffer", "global", "WebAssembly"]) delete globalThis[name];
    for (const name of ["fromBase64", "fromHex"]) delete Uint8Array[name];
    for (const name of ["toBase64", "toHex", "setFromBase64", "setFromHex"]) delete Uint8Array.prototype[name];
    const proof = await import("${project}proof.ts");
    const { author, origin, wire, checkpoint, inclusion, consistency } = ${JSON.stringify(given)};
    const vkey = proof.verifierKey(author, origin);
    const shown = proof.verifyConsistency(consistency, vkey);
    const refusal = (() => {
      try {
        proof.verifyInclusion(inclusion, wire + " ", vkey);
      } catch (error) {
        return error instanceof proof.ProofError ? error.code : error.message;
      }
    })();
    print(JSON.stringify([
      typeof Deno,
      typeof process,
      proof.verifyCheckpoint(checkpoint, vkey).size,
      proof.verifyInclusion(inclusion, wire, vkey).index,
      shown.old.size,
      shown.new.size,
      refusal,
    ]));`;
  const { code, stdout, stderr } = runAlone(script);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(JSON.parse(stdout), ["undefined", "undefined", 2, 1, 1, 2, "bad-proof"]);
});

/** Runs a script in a process of its own that is allowed nothing. */
function runAlone(script: string): { code: number; stdout: string; stderr: string } {
  return withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/script.js`, script);
    const args = ["run", "--quiet", "--no-prompt", "--config", "deno.json", `${folder}/script.js`];
    const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), { args, cwd: project }).outputSync();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  });
}
