import { assert, assertEquals } from "@std/assert";
import { visible, visibleLine } from "../../src/text.ts";

/** What must never be shown as it is: inclusive ranges, from the chapters of Unicode that define them. */
const UNSAFE: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f], // C0
  [0x7f, 0x9f], // delete, C1
  [0xad, 0xad], // soft hyphen
  [0x034f, 0x034f], // combining grapheme joiner
  [0x061c, 0x061c], // Arabic letter mark
  [0x115f, 0x1160], // fillers
  [0x17b4, 0x17b5], // inherent vowels, which are shown as nothing
  [0x180b, 0x180f], // Mongolian variation selectors and vowel separator
  [0x200b, 0x200f], // zero width, directional marks
  [0x2028, 0x202e], // separators, directional embeddings and overrides
  [0x2060, 0x206f], // word joiner, invisible operators, directional isolates, deprecated
  [0x3164, 0x3164], // filler
  [0xd800, 0xdfff], // surrogates
  [0xfe00, 0xfe0f], // variation selectors
  [0xfeff, 0xfeff], // zero width no-break space
  [0xffa0, 0xffa0], // filler
  [0xfff0, 0xfffb], // interlinear annotations, and what is reserved beside them
  [0x1bca0, 0x1bca3], // shorthand format controls
  [0x1d173, 0x1d17a], // musical format controls
  [0xe0000, 0xe0fff], // tags, variation selectors, and what is reserved beside them
];

/** Every code point, the surrogates included, each as a text of its own. */
function* everyCharacter(): Generator<[codePoint: number, text: string]> {
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) yield [codePoint, String.fromCodePoint(codePoint)];
}

Deno.test("no code point that steers, reorders or hides is shown as it is, alone or among others", () => {
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

Deno.test("letters, marks, numbers, punctuation and emoji of every script are shown as they are", () => {
  for (const [codePoint, text] of everyCharacter()) {
    if (UNSAFE.some(([first, last]) => codePoint >= first && codePoint <= last)) continue;
    // Signs that enclose digits, such as U+0600, are format characters as well.
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u.test(text)) assertEquals(visibleLine(text), text);
  }
});

Deno.test("JSON with any code point in it is the same JSON when it is made safe to show", () => {
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
