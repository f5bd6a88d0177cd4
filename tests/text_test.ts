import { assert, assertEquals } from "@std/assert";
import { counted, formatTime, visible, visibleLine } from "../src/text.ts";

/** Unsafe code points: inclusive ranges, from the chapters of Unicode that define them. */
const UNSAFE: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f], // C0
  [0x7f, 0x9f], // delete, C1
  [0xad, 0xad], // soft hyphen
  [0x034f, 0x034f], // combining grapheme joiner
  [0x061c, 0x061c], // Arabic letter mark
  [0x115f, 0x1160], // fillers
  [0x17b4, 0x17b5], // inherent vowels, which are invisible
  [0x180b, 0x180f], // Mongolian variation selectors and vowel separator
  [0x200b, 0x200f], // zero width, directional marks
  [0x2028, 0x202e], // separators, directional embeddings and overrides
  [0x2060, 0x206f], // word joiner, invisible operators, directional isolates, deprecated
  [0x3164, 0x3164], // filler
  [0xd800, 0xdfff], // surrogates
  [0xfe00, 0xfe0f], // variation selectors
  [0xfeff, 0xfeff], // zero width no-break space
  [0xffa0, 0xffa0], // filler
  [0xfff0, 0xfffb], // interlinear annotations, and reserved code points beside them
  [0x1bca0, 0x1bca3], // shorthand format controls
  [0x1d173, 0x1d17a], // musical format controls
  [0xe0000, 0xe0fff], // tags, variation selectors, and reserved code points beside them
];

/** Every code point, surrogates included, as a text. */
function* everyCharacter(): Generator<[codePoint: number, text: string]> {
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) yield [codePoint, String.fromCodePoint(codePoint)];
}

Deno.test("code points that control a terminal, reorder or are invisible are escaped", () => {
  for (const [first, last] of UNSAFE) {
    for (let codePoint = first; codePoint <= last; codePoint++) {
      const text = String.fromCodePoint(codePoint);
      for (const shown of [visibleLine(text), visibleLine(`a${text}b`), visibleLine(text + text)]) {
        assert(/^[\x20-\x7e]+$/.test(shown), `U+${codePoint.toString(16)}: ${JSON.stringify(shown)}`);
      }
      if (text !== "\n") assertEquals(visible(text), visibleLine(text));
    }
  }
  assertEquals([visible("a\nb"), visibleLine("a\nb")], ["a\nb", "a\\nb"]);
});

Deno.test("letters, marks, numbers, punctuation and emoji of every script are unchanged", () => {
  for (const [codePoint, text] of everyCharacter()) {
    if (UNSAFE.some(([first, last]) => codePoint >= first && codePoint <= last)) continue;
    // Signs that enclose digits, such as U+0600, are format characters, too.
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u.test(text)) assertEquals(visibleLine(text), text);
  }
});

Deno.test("escaped JSON is JSON with the same value, for any code point", () => {
  let all = "";
  for (const [codePoint, text] of everyCharacter()) {
    all += text;
    if (codePoint % 0x1000 !== 0xfff) continue;
    const json = JSON.stringify({ [all]: all });
    const shown = visible(json);
    assertEquals(JSON.parse(shown), { [all]: all });
    assertEquals(visible(shown), shown);
    all = "";
  }
  const escaped = JSON.stringify("\\\u202e\\u202e\\\\\u{e0041}");
  assertEquals(JSON.parse(visible(escaped)), JSON.parse(escaped));
});

Deno.test("an escape is \\uXXXX for each UTF-16 unit", () => {
  assertEquals(visible("a\x1b[31mb"), "a\\u001b[31mb");
  assertEquals(visible("\u{e0041}"), "\\udb40\\udc41");
  assertEquals(visible("\ud800"), "\\ud800");
  assertEquals(visibleLine("one\ntwo\r\n"), "one\\ntwo\\u000d\\n");
});

Deno.test("a time is formatted in UTC to the second, and in milliseconds beyond the range of a date", () => {
  assertEquals(formatTime(0), "1970-01-01T00:00:00Z");
  assertEquals(formatTime(1_767_225_599_999), "2025-12-31T23:59:59Z");
  assertEquals(formatTime(253_402_300_800_000), "+010000-01-01T00:00:00Z");
  assertEquals(formatTime(8_640_000_000_000_000), "+275760-09-13T00:00:00Z");
  assertEquals(formatTime(8_640_000_000_000_001), "8640000000000001 ms");
  assertEquals(formatTime(Number.MAX_SAFE_INTEGER), "9007199254740991 ms");
});

Deno.test("a count has its noun in the plural, except for one", () => {
  assertEquals([0, 1, 2].map((count) => counted(count, "claim")), ["0 claims", "1 claim", "2 claims"]);
});
