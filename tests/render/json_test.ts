import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { formatJson } from "../../src/render/format.ts";
import { parseCanonical } from "../../src/wire/canonical.ts";
import type { CanonicalValue } from "../../src/wire/value.ts";
import { claim, evidence, explained, id, nasty, nodeOf } from "./explanations.ts";

Deno.test("JSON is one line with every field, and integers have all their digits", () => {
  const big = explained([claim(1, nasty, { n: 9223372036854775807n, a: [nasty] }, [2], { deriver: undefined })]);
  const text = formatJson(big);
  assertStringIncludes(text, '{"a":[');
  assertStringIncludes(text, '"n":9223372036854775807}');
  assertFalse(text.includes("\n") || text.includes("undefined") || text.includes('"fall"'));
  const { deriver: _, opId, confidencePpm, ...rest } = big.claim;
  const parsed = { ...rest, op_id: opId, confidence_ppm: confidencePpm };
  assertEquals(parseCanonical(text), { claim: parsed, nodes: [{ is: "claim", op_id: id(1), claim: parsed }] });
  assertEquals(
    formatJson(claim(1, "k", 1, [])),
    formatJson(explained([claim(1, "k", 1, [])])).match(/^.{9}(.*?),"no/)![1],
  );
});

Deno.test("JSON has the names of the wire format, except in values and contents", () => {
  const value = { opId: 1, confidencePpm: { supersededBy: [{ "camelCase": true }] } };
  const later = claim(2, "k", 2, []);
  const explanation = {
    ...explained([claim(1, "k", value, [3])], [nodeOf(evidence(3, { content: value }))]),
    supersededBy: later,
  };
  const { claim: root, nodes, superseded_by, ...rest } = JSON.parse(formatJson(explanation));
  assertEquals([rest, root.value, nodes[1].evidence.content], [{}, value, value]);
  assertEquals(superseded_by.op_id, later.opId);
  const names = new Set<string>();
  JSON.stringify({ root, nodes, superseded_by }, (name, member) => {
    names.add(name);
    return name === "value" || name === "content" ? null : member;
  });
  assertEquals([...names].filter((name) => /[A-Z]/.test(name)), []);
  assert(names.has("confidence_ppm") && names.has("op_id"));
});

Deno.test("JSON encodes values of the maximum depth", () => {
  let value: CanonicalValue = "deep";
  for (let depth = 0; depth < 64; depth++) value = [value];
  const text = formatJson(explained([claim(1, "deep", value, [])]));
  assertEquals(JSON.parse(text).claim.value, value);
});
