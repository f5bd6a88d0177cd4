import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import fc from "fast-check";
import { formatTree, treeLines } from "../../src/render/format.ts";
import { displayWidth } from "../../src/render/width.ts";
import type { Claim, Explanation, ExplanationNode, Fall } from "../../src/claims/claim.ts";
import {
  anyExplanation,
  author,
  chain,
  claim,
  diamonds,
  evidence,
  explained,
  id,
  invalidated,
  nodeOf,
  ts,
} from "./explanations.ts";
import "../runs.ts";

Deno.test("a tree shows confidence, status, origin and inputs of a claim", () => {
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

Deno.test("the tree of an invalidated claim shows the refute and its path", () => {
  assertEquals(
    formatTree(invalidated("I moved to Bergen in May, and whatever the mail says of Oslo is from before.")),
    [
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
    ],
  );
});

Deno.test("a tree shows what refuted, corrected or superseded a claim, and missing inputs", () => {
  const summary = (status: Claim["status"], more: Partial<Explanation>, others: ExplanationNode[] = []) => {
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
    summary("refuted", { fall }),
    `82 % sure. Refuted by op_00000009, which says: nothing that is claimed of drink is so${signed}`,
  );
  assertEquals(
    summary("corrected", { fall: { ...fall, type: "claim.correct", value: "coffee" } }),
    `82 % sure. Corrected by op_00000009, which says: drink = "coffee"${signed}`,
  );
  assertEquals(
    summary("superseded", { supersededBy: claim(8, "drink", "coffee", []) }),
    `82 % sure. Superseded by op_00000008, which says: drink = "coffee"${signed}`,
  );
  const missing = (count: number) =>
    Array.from({ length: count }, (_, i): ExplanationNode => ({ is: "missing", opId: id(i + 2) }));
  assertEquals(summary("pending", {}, missing(1)), "82 % sure. Pending: op_00000002 is not in the log yet.");
  assertEquals(
    summary("pending", {}, missing(2)),
    "82 % sure. Pending: op_00000002 and op_00000003 are not in the log yet.",
  );
  assertMatch(summary("pending", {}, missing(7)), /op_00000006 and 2 more are not in the log yet\.$/);
});

Deno.test("a chain of any length is drawn without indentation", () => {
  const lines = formatTree(chain(10_000));
  const heads = lines.filter((line) => /^● op_/.test(line));
  assertEquals([heads.length, heads[9_999]], [10_000, "● op_0000270f  step9999 = 9999"]);
  assertEquals(lines.slice(-3)[0], "○ op_00002710  message from mail");
});

Deno.test("branches that exceed the columns continue below, and every edge is drawn once", () => {
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

Deno.test("no line exceeds the columns or contains control characters, for any data", () => {
  fc.assert(fc.property(anyExplanation(), fc.integer({ min: 1, max: 130 }), (explanation, columns) => {
    for (const line of formatTree(explanation, { columns })) {
      assert(displayWidth(line) <= columns, JSON.stringify(line));
      assertFalse(/[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(line), JSON.stringify(line));
    }
  }));
});

Deno.test("styles change no text, and end within the line", () => {
  fc.assert(fc.property(anyExplanation(), (explanation) => {
    const styled = formatTree(explanation, { style: (text) => `\x1b${text}\x1b` });
    assertEquals(styled.map((line) => line.replaceAll("\x1b", "")), formatTree(explanation));
    for (const line of styled) assertEquals(line.split("\x1b").length % 2, 1);
  }));
});

Deno.test("treeLines has the same text as formatTree", () => {
  fc.assert(fc.property(anyExplanation(), fc.integer({ min: 20, max: 120 }), (explanation, columns) => {
    const lines = treeLines(explanation, columns).map((spans) => spans.map(([text]) => text).join(""));
    assertEquals(lines, formatTree(explanation, { columns }));
  }));
});
