import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Claim, Evidence, Explanation, ExplanationNode, Fall } from "../../src/claims/claim.ts";
import { formatDot, formatJson, formatMermaid, formatTree, limitDepth, treeLines } from "../../src/render/format.ts";
import { visibleLine } from "../../src/text.ts";
import { displayWidth, padEnd, shorten, wrap } from "../../src/render/width.ts";
import { parseCanonical } from "../../src/wire/canonical.ts";
import type { CanonicalValue } from "../../src/wire/value.ts";
import { canonicalObject, canonicalValue } from "../arbitraries.ts";
import "../runs.ts";

const author = "mnk_" + "8a".repeat(32);
const ts = Date.UTC(2026, 6, 1, 10);
const nasty = '"]; <b>&amp;#35;`end` --> \\N {"x"}\n%%{init}%% 日本 👩‍👩‍👧 e\u0301 \u202e\x1b[31m 1. a:::b';

function id(n: number): string {
  return "op_" + n.toString(16).padStart(8, "0") + "0".repeat(56);
}

function claim(n: number, key: string, value: CanonicalValue, inputs: number[], more: Partial<Claim> = {}): Claim {
  return {
    opId: id(n),
    kind: "assert",
    key,
    value,
    confidencePpm: 820_000,
    author,
    ts,
    depth: 0,
    deriver: { id: "habits", version: "1.2" },
    inputs: inputs.map(id),
    status: "active",
    ...more,
  };
}

function evidence(n: number, more: Partial<Evidence> = {}): Evidence {
  return { opId: id(n), author, ts, source: "mail", kind: "message", content: { text: "tea at four" }, ...more };
}

function nodeOf(it: Claim | Evidence): ExplanationNode {
  return "key" in it ? { is: "claim", opId: it.opId, claim: it } : { is: "evidence", opId: it.opId, evidence: it };
}

function explained(claims: Claim[], others: ExplanationNode[] = [], more: Partial<Explanation> = {}): Explanation {
  return { claim: claims[0], nodes: [...claims.map(nodeOf), ...others], ...more };
}

/** City and drink were derived from a home that the user refutes. */
function fallen(reason?: string): Explanation {
  const fell = { cause: id(0xff), status: "invalidated" } as const;
  const fall: Fall = {
    opId: id(0xff),
    type: "claim.refute",
    author,
    ts: ts + 60_000,
    key: "home",
    value: "Oslo",
    reason,
    path: [0xff, 3, 2, 1].map(id),
  };
  return explained(
    [
      claim(1, "drink", "tea", [2, 5], { ...fell, via: id(2) }),
      claim(2, "city", "Oslo", [3], { ...fell, via: id(3) }),
      claim(3, "home", "Oslo", [4], { cause: id(0xff), status: "refuted" }),
    ],
    [nodeOf(evidence(4, { ref: "<1@example.org>" })), nodeOf(evidence(5))],
    { fall },
  );
}

/** A claim, each of whose inputs has the next as its input, down to evidence. */
function chain(length: number): Explanation {
  const claims = Array.from({ length }, (_, n) => claim(n, `step${n}`, n, [n + 1]));
  return explained(claims, [nodeOf(evidence(length))]);
}

/** Layers of claims, each derived from every claim of the next. */
function diamonds(layers: number, width: number): Explanation {
  const inputs = (layer: number) => Array.from({ length: width }, (_, i) => 1 + layer * width + i);
  const claims = [claim(0, "top", 0, inputs(0))];
  for (let layer = 0; layer < layers; layer++) {
    const below = layer + 1 < layers ? inputs(layer + 1) : [0xffff];
    for (const n of inputs(layer)) claims.push(claim(n, `layer${layer}`, n, below));
  }
  return explained(claims, [nodeOf(evidence(0xffff))]);
}

/** Any graph without cycles, any texts. */
function anyExplanation(): fc.Arbitrary<Explanation> {
  const text = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom("日", "👩‍👩‍👧", "🇳🇴", "e\u0301", "\u0301", "\u200d", "\ufe0f", "\u0600", "한", "क्षि", " ", "1"),
    }),
    fc.constant(nasty),
  );
  return fc.array(
    fc.record({
      key: text,
      value: canonicalValue(),
      confidencePpm: fc.integer({ min: 0, max: 1_000_000 }),
      status: fc.constantFrom("active", "superseded", "pending", "invalidated", "corrected", "refuted"),
      deriver: fc.option(fc.record({ id: text, version: text }), { nil: undefined }),
      inputs: fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 4 }),
      is: fc.constantFrom("claim", "claim", "claim", "evidence", "other", "missing"),
      content: canonicalObject(),
    }),
    { minLength: 1, maxLength: 30 },
  ).chain((drafts) => {
    const nodes = drafts.map(({ key, value, inputs, content, is, ...more }, n): ExplanationNode => {
      if (n === 0 || is === "claim") return nodeOf(claim(n, key, value, inputs.map((step) => n + step), more));
      if (is === "evidence") return nodeOf(evidence(n, { source: key, content, ref: key }));
      return is === "missing" ? { is, opId: id(n) } : { is: "other", opId: id(n), type: "note", author, ts };
    });
    const root = (nodes[0] as ExplanationNode & { is: "claim" }).claim;
    const fall = fc.record({ reason: text, key: text, value: fc.option(canonicalValue(), { nil: undefined }) })
      .map((more): Fall => ({
        opId: id(0xff),
        type: "claim.refute",
        author,
        ts,
        path: [id(0xff), ...nodes.map(({ opId }) => opId)],
        ...more,
      }));
    return fc.record({
      claim: fc.constant(root),
      nodes: fc.constant(nodes),
      fall: fc.option(fall, { nil: undefined }),
      supersededBy: fc.constantFrom(undefined, root),
    });
  });
}

Deno.test("a tree answers why something is believed", () => {
  const tea = claim(1, "drink", "tea", [2, 5]);
  const morning = claim(2, "drink.morning", "tea", [3], { confidencePpm: 900_001 });
  const user = claim(5, "likes", ["tea", 9007199254740993n], [4, 3], {
    kind: "correct",
    confidencePpm: 1_000_000,
    deriver: undefined,
  });
  const other: ExplanationNode = { is: "other", opId: id(4), type: "note", author, ts };
  const mail = evidence(3, { ref: "<1@example.org>", content: { text: "tea at four\nor at five" } });
  assertEquals(formatTree(explained([tea, morning, user], [nodeOf(mail), other])), [
    '● op_00000001  drink = "tea"',
    "│ 82 % sure. Active: nothing speaks against it.",
    "│ Derived by habits 1.2; signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z.",
    '├─● op_00000002  drink.morning = "tea"',
    "│ │ 90.0001 % sure, active",
    "│ │ derived by habits 1.2; signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z",
    "│ ○ op_00000003  message from mail, <1@example.org>",
    '│   {"text":"tea at four\\nor at five"}',
    "│   signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z",
    '└─● op_00000005  likes = ["tea",9007199254740993]',
    "  │ 100 % sure, active",
    "  │ the user's own value; signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z",
    "  ├─· op_00000004  note: neither evidence nor a claim",
    "  │   signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z",
    "  └─○ op_00000003  shown above: message from mail, <1@example.org>",
  ]);
});

Deno.test("a tree says what felled a claim, and along which path", () => {
  assertEquals(formatTree(fallen("I moved to Bergen in May, and whatever the mail says of Oslo is from before.")), [
    '✗ op_00000001  drink = "tea"',
    '│ 82 % sure. Invalidated by op_000000ff, which says: home = "Oslo" is not so;',
    "│ signed by mnk_8a8a8a8a, 2026-07-01T10:01:00Z.",
    "│ Reason: I moved to Bergen in May, and whatever the mail says of Oslo is from",
    "│ before.",
    "│ How it came to fall:",
    '│     op_000000ff  home = "Oslo" is not so',
    '│   → op_00000003  home = "Oslo"',
    '│   → op_00000002  city = "Oslo"',
    '│   → op_00000001  drink = "tea"',
    "│ Derived by habits 1.2; signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z.",
    '├─✗ op_00000002  city = "Oslo"',
    "│ │ 82 % sure, invalidated by op_000000ff through op_00000003",
    "│ │ derived by habits 1.2; signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z",
    '│ ✗ op_00000003  home = "Oslo"',
    "│ │ 82 % sure, refuted by op_000000ff",
    "│ │ derived by habits 1.2; signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z",
    "│ ○ op_00000004  message from mail, <1@example.org>",
    '│   {"text":"tea at four"}',
    "│   signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z",
    "└─○ op_00000005  message from mail",
    '    {"text":"tea at four"}',
    "    signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z",
  ]);
});

Deno.test("a tree says what refuted, corrected or superseded a claim, and what it waits for", () => {
  const told = (status: Claim["status"], more: Partial<Explanation>, others: ExplanationNode[] = []) => {
    const inputs = others.map((_, i) => i + 2);
    return formatTree(explained([claim(1, "drink", "tea", inputs, { status })], others, more), { columns: 200 })[1]
      .slice(2);
  };
  const fall: Fall = {
    opId: id(9),
    type: "claim.refute",
    author,
    ts,
    key: "drink",
    path: [id(9), id(1)],
  };
  const signed = "; signed by mnk_8a8a8a8a, 2026-07-01T10:00:00Z.";
  assertEquals(
    told("refuted", { fall }),
    `82 % sure. Refuted by op_00000009, which says: nothing that is claimed of drink is so${signed}`,
  );
  assertEquals(
    told("corrected", { fall: { ...fall, type: "claim.correct", value: "coffee" } }),
    `82 % sure. Corrected by op_00000009, which says: drink = "coffee"${signed}`,
  );
  assertEquals(
    told("superseded", { supersededBy: claim(8, "drink", "coffee", []) }),
    `82 % sure. Superseded by op_00000008, which says: drink = "coffee"${signed}`,
  );
  const missing = (count: number) =>
    Array.from({ length: count }, (_, i): ExplanationNode => ({ is: "missing", opId: id(i + 2) }));
  assertEquals(told("pending", {}, missing(1)), "82 % sure. Pending: op_00000002 is not in the log yet.");
  assertEquals(
    told("pending", {}, missing(2)),
    "82 % sure. Pending: op_00000002 and op_00000003 are not in the log yet.",
  );
  assertMatch(told("pending", {}, missing(7)), /op_00000006 and 2 more are not in the log yet\.$/);
});

Deno.test("a chain runs straight down, however long", () => {
  const lines = formatTree(chain(10_000));
  const heads = lines.filter((line) => /^● op_/.test(line));
  assertEquals([heads.length, heads[9_999]], [10_000, "● op_0000270f  step9999 = 9999"]);
  assertEquals(lines.slice(-3)[0], "○ op_00002710  message from mail");
});

Deno.test("branches that run out of columns go on below, and every step between operations is drawn once", () => {
  const [layers, width] = [100, 10];
  const lines = formatTree(diamonds(layers, width));
  const edges = width + (layers - 1) * width ** 2 + width;
  const continued = lines.filter((line) => line.includes("  continued: ")).length;
  assertEquals(lines.filter((line) => / op_[0-9a-f]{8} /.test(line)).length, 1 + edges + continued);
  assertEquals(lines.filter((line) => line.endsWith("└ continued below")).length, continued);
  assert(continued > 0);
  for (const line of lines) assert(displayWidth(line) <= 80, line);
  const narrow = formatTree(diamonds(20, 2), { columns: 20 });
  for (const line of narrow) assert(displayWidth(line) <= 20, line);
});

Deno.test("no line is wider than the columns or steers the terminal, whatever is in the log", () => {
  fc.assert(fc.property(anyExplanation(), fc.integer({ min: 1, max: 130 }), (explanation, columns) => {
    for (const line of formatTree(explanation, { columns })) {
      assert(displayWidth(line) <= columns, JSON.stringify(line));
      assertFalse(/[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(line), JSON.stringify(line));
    }
  }));
});

Deno.test("styles change no text, and end before the line does", () => {
  fc.assert(fc.property(anyExplanation(), (explanation) => {
    const styled = formatTree(explanation, { style: (text) => `\x1b${text}\x1b` });
    assertEquals(styled.map((line) => line.replaceAll("\x1b", "")), formatTree(explanation));
    for (const line of styled) assertEquals(line.split("\x1b").length % 2, 1);
  }));
});

Deno.test("Mermaid draws inputs, what speaks against a claim, and a class for each", () => {
  assertEquals(formatMermaid(fallen()).split("\n").filter((line) => !line.includes("classDef")), [
    "flowchart TD",
    '  n0["drink #61; #34;tea#34;<br/>82 #37; sure#44; invalidated<br/>op#95;00000001"]',
    '  n1["city #61; #34;Oslo#34;<br/>82 #37; sure#44; invalidated<br/>op#95;00000002"]',
    '  n2["home #61; #34;Oslo#34;<br/>82 #37; sure#44; refuted<br/>op#95;00000003"]',
    '  n3["message from mail#44; #60;1#64;example#46;org#62;<br/>op#95;00000004"]',
    '  n4["message from mail<br/>op#95;00000005"]',
    '  n5["home #61; #34;Oslo#34; is not so<br/>op#95;000000ff by mnk#95;8a8a8a8a"]',
    "  n1 --> n0",
    "  n4 --> n0",
    "  n2 --> n1",
    "  n3 --> n2",
    "  n5 -.-> n2",
    "  class n0,n1 invalidated",
    "  class n2 refuted",
    "  class n3,n4 evidence",
    "  class n5 verdict",
    "",
  ]);
});

Deno.test("no text in the log is more than text to Mermaid", () => {
  fc.assert(fc.property(anyExplanation(), (explanation) => {
    for (const line of formatMermaid(explanation).trimEnd().split("\n")) {
      const label = line.match(/^ {2}n\d+\["(.*)"\]$/)?.[1];
      if (label !== undefined) assertMatch(label.replaceAll("<br/>", ""), /^(#\d+;|[\p{L}\p{M}\p{N} ])*$/u);
      else assertMatch(line, /^(flowchart TD| {2}n\d+ (-->|-\.->) n\d+| {2}class(Def)? [\w,]+ [\w#:, -]+)$/);
    }
  }));
});

Deno.test("DOT draws the same, and its labels are what they say", () => {
  const lines = formatDot(fallen()).split("\n");
  assertMatch(lines[2], /^ {2}n0 \[label="drink = \\"tea\\"\\n82 % sure, invalidated\\nop_00000001" fillcolor/);
  assertEquals(lines.filter((line) => line.includes("->")), [
    "  n1 -> n0",
    "  n4 -> n0",
    "  n2 -> n1",
    "  n3 -> n2",
    "  n5 -> n2 [style=dotted]",
  ]);
  fc.assert(fc.property(anyExplanation(), (explanation) => {
    for (const line of formatDot(explanation).trimEnd().split("\n").slice(2, -1)) {
      if (/^ {2}n\d+ -> n\d+( \[style=dotted\])?$/.test(line)) continue;
      // A backslash stands only before a quote, a backslash, or the n of a new line; an ampersand only for itself.
      assertMatch(line, /^ {2}n\d+ \[label="(\\["\\n]|&amp;|[^"\\&])*" ([a-z]+=(\w+|"[\w#,]+") ?)+\]$/);
    }
  }));
  const [label] = formatDot(explained([claim(1, '\\"', 0, [])])).match(/(?<=label=").*?(?=\\n82)/)!;
  assertEquals(label, '\\\\\\" = 0');
});

Deno.test("JSON has every field as it is, integers with all their digits, on one line", () => {
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

Deno.test("JSON has the names of the wire format, and leaves alone what was claimed", () => {
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

Deno.test("an explanation can be cut at a depth, and every format shows that something was left out or nothing of it", () => {
  // 1 <- 2 <- 3 <- 4, and 1 <- 4 as well
  const chain = [claim(1, "one", 1, [2, 4]), claim(2, "two", 2, [3]), claim(3, "three", 3, [5])];
  const whole = explained(chain, [evidence(4), evidence(5)].map(nodeOf));
  assertEquals(limitDepth(whole, 3), whole);
  const depths = [0, 1, 2].map((depth) => limitDepth(whole, depth));
  assertEquals(
    depths.map(({ nodes }) => nodes.map(({ opId }) => opId)),
    [[1], [1, 2, 4], [1, 2, 3, 4]].map((n) => n.map(id)),
  );
  assertEquals(formatTree(depths[0]).at(-1), "└ 2 inputs not shown");
  const tree = formatTree(depths[1]).join("\n");
  assertStringIncludes(tree, "two = 2");
  assertStringIncludes(tree, "└ 1 input not shown");
  assertFalse(tree.includes("three") || tree.includes("not in the log"));
  for (const format of [formatDot, formatMermaid]) {
    const text = format(depths[1]);
    assertEquals([text.includes("two"), text.includes("three"), text.includes("not in the log")], [true, false, false]);
  }
  assertEquals(JSON.parse(formatJson(depths[0])).claim.inputs, [id(2), id(4)]);
});

Deno.test("a tree in parts has the same text, whatever is in it", () => {
  fc.assert(fc.property(anyExplanation(), fc.integer({ min: 20, max: 120 }), (explanation, columns) => {
    const lines = treeLines(explanation, columns).map((spans) => spans.map(([text]) => text).join(""));
    assertEquals(lines, formatTree(explanation, { columns }));
  }));
});

Deno.test("JSON holds values as deep as the log does", () => {
  let value: CanonicalValue = "deep";
  for (let depth = 0; depth < 64; depth++) value = [value];
  const text = formatJson(explained([claim(1, "deep", value, [])]));
  assertEquals(JSON.parse(text).claim.value, value);
});

Deno.test("a text is measured, shortened, padded and wrapped by what is seen of it", () => {
  const cases: [text: string, width: number][] = [
    ["tea", 3],
    ["茶", 2],
    ["e\u0301", 1],
    ["👩‍👩‍👧", 2],
    ["🇳🇴", 2],
    ["\u200b\u0301", 0],
  ];
  for (const [text, width] of cases) assertEquals([text, displayWidth(text)], [text, width]);
  assertEquals(shorten("日本語", 6), "日本語");
  assertEquals(shorten("日本語", 5), "日本…");
  assertEquals(shorten("日本語", 4), "日…");
  assertEquals(shorten("👩‍👩‍👧👩‍👩‍👧", 3), "👩‍👩‍👧…");
  assertEquals(shorten("ne\u0301e\u0301e\u0301", 3), "ne\u0301…");
  assertEquals([shorten("tea", 1), shorten("tea", 0), shorten("", 0)], ["…", "", ""]);
  assertEquals(padEnd("茶", 4) + "|", "茶  |");
  assertEquals(visibleLine("a\nb\x1b"), "a\\nb\\u001b");
  assertEquals(wrap("tea at four", 6), ["tea at", "four"]);
  assertEquals(wrap("茶茶茶茶 tea", 5), ["茶茶", "茶茶", "tea"]);
  assertEquals(wrap("", 5), [""]);
});

Deno.test("a page of marks on one letter is shortened, and neither shortening nor wrapping costs more than is shown", () => {
  const marks = "e" + "\u0301".repeat(100_000);
  assert(shorten(marks, 80).length <= 80 * 16);
  for (const line of formatTree(explained([claim(1, marks, marks, [])]))) assert(line.length <= 80 * 17);
});
