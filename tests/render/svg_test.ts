import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { limitNodes } from "../../src/render/format.ts";
import { graphOf } from "../../src/render/graph.ts";
import { rowPositions } from "../../src/render/rows.ts";
import { drawSvg, SVG_STYLE, type SvgOptions } from "../../src/render/svg.ts";
import type { Explanation } from "../../src/claims/claim.ts";
import { anyExplanation, claim, evidence, explained, id, invalidated, nasty, nodeOf } from "./explanations.ts";
import "../runs.ts";

function draw(explanation: Explanation, options: SvgOptions = {}): string {
  const graph = graphOf(explanation);
  return drawSvg(graph, rowPositions(graph), { style: false, ...options });
}

const TAGS = new Set(["svg", "title", "path", "text", "g", "a"]);

/** Asserts that a text is one well-formed XML element without anything that could run or load something. */
function assertHarmless(svg: string): void {
  const open: string[] = [];
  let end = 0;
  for (const { 0: tag, 1: close, 2: name, 3: attributes, index } of svg.matchAll(/<(\/?)(\w+)([^<>]*)>/g)) {
    const text = svg.slice(end, index);
    assert(!/[<>]|&(?!(amp|lt|gt|quot);)/.test(text), text);
    assert(TAGS.has(name), tag);
    if (close === "/") assertEquals(open.pop(), name);
    else {
      assertMatch(attributes, /^( [a-zA-Z-]+="(&(amp|lt|gt|quot);|[^"&<>])*")*$/);
      assert(!/ (on\w+|style|id|xlink:href)=/i.test(attributes.replaceAll(/"[^"]*"/g, "")), attributes);
      open.push(name);
    }
    end = index + tag.length;
  }
  assertEquals([open, end], [[], svg.length]);
  // No control, bidirectional or invisible characters, nor what XML forbids.
  assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]/v.test(svg), JSON.stringify(svg));
  assert(!svg.includes("NaN"));
}

Deno.test("whatever an explanation has in it, its picture is well-formed and has only text", () => {
  fc.assert(fc.property(anyExplanation(), fc.boolean(), (explanation, isLinked) => {
    assertHarmless(draw(explanation, isLinked ? { href: (opId) => `/op/${opId}?a=1&b="<x>` } : {}));
  }));
});

Deno.test("markup, control and bidirectional characters and very long texts in operations are shown as text", () => {
  const attacks = [
    nasty,
    "</text><script>alert(1)</script>",
    `"onload="alert(1)`,
    "]]><!--<style>*{}</style>",
    "\u202egnp.exe\u2066",
    "\0\x07\x1b]0;title\x07\ufffe\uffff\ud800",
    "x".repeat(1_000_000),
    "e" + "\u0301".repeat(100_000),
    "&lt;&#x3c;",
  ];
  for (const attack of attacks) {
    const key = attack.toWellFormed();
    const svg = draw(explained([claim(1, key, key, [2])], [nodeOf(evidence(2, { source: attack, kind: attack }))]));
    assertHarmless(svg);
    assert(svg.length < 20_000, "a long text is shortened");
  }
});

Deno.test("nodes are links to the addresses of their operations, and only they", () => {
  const svg = draw(invalidated(), { href: (opId) => opId === id(1) ? undefined : `/op/${opId}` });
  assertEquals(svg.match(/<a /g)?.length, 5);
  assertStringIncludes(svg, `href="/op/${id(0xff)}"`);
  assert(!svg.includes(`/op/${id(1)}"`));
  assertMatch(svg, /^<svg [^>]*role="group"/);
  const plain = draw(invalidated());
  assert(!plain.includes("href"));
  assertMatch(plain, /^<svg [^>]*role="img"/);
});

Deno.test("a node says its status in words, for the eye and for a screen reader, and has a shape for it", () => {
  const shapes = (["active", "superseded", "pending", "invalidated", "corrected", "refuted"] as const).map((status) => {
    const svg = draw(explained([claim(1, "drink", "tea", [], { status })]));
    assertMatch(svg, new RegExp(`aria-label="[^"]*, ${status}, `));
    assertMatch(svg, new RegExp(`<text [^>]*>82 % sure, ${status}</text>`));
    // Without colours, sizes and places: the outline alone.
    return svg.match(/<path d="([^"]*)"([^>]*)>/)!.slice(1, 3).join().replaceAll(/[\d.]{3,}/g, "n");
  });
  assertEquals(new Set(shapes).size, 6);
});

Deno.test("the path of a fall and its cause are marked", () => {
  const svg = draw(invalidated());
  assertEquals(svg.match(/class="edge (?:input|against) on-path"/g)?.length, 3);
  assertStringIncludes(svg, 'class="node verdict on-path"');
  assertStringIncludes(svg, 'class="node invalidated root on-path"');
});

Deno.test("a claim whose inputs are not drawn says how many", () => {
  const whole = explained([claim(1, "a", 1, [2, 3]), claim(2, "b", 1, [4, 5])], [
    nodeOf(evidence(4)),
    nodeOf(evidence(5)),
  ]);
  const svg = draw(limitNodes(whole, 2));
  assertStringIncludes(svg, ">1 more below</text>");
  assertStringIncludes(svg, ">2 more below</text>");
  assert(!draw(explained([claim(1, "a", 1, [4])], [nodeOf(evidence(4))])).includes("more below"));
});

Deno.test("a path with a gap is drawn over it", () => {
  const explanation = invalidated();
  const svg = draw(limitNodes(explanation, 2));
  assertStringIncludes(svg, "edge gap on-path");
});

Deno.test("the style is for light and dark, and is left out on request", () => {
  assertStringIncludes(SVG_STYLE, "@media (prefers-color-scheme:dark)");
  assertStringIncludes(draw(invalidated(), { style: true }), `<style>${SVG_STYLE}</style>`);
  assert(!draw(invalidated()).includes("<style"));
  assert(!/[<>&]|url\(|@import/.test(SVG_STYLE));
});
