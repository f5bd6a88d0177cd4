/**
 * The JSON parsers: `parseCanonical` accepts exactly what `encodeCanonical` writes, `parseJson` nothing that `JSON.parse`
 * refuses, and each names a place in the text where it refuses.
 *
 * @module
 */

import { encodeCanonical, parseCanonical, parseJson } from "../../../../mod.ts";
import { CanonicalError } from "../../../../src/errors.ts";
import { readVectorText } from "../../../vectors.ts";
import { vectorLines } from "../../../operations.ts";
import { attempt, bytesOf, HIGH_SURROGATE, LOW_SURROGATE, require, type Target, textOf } from "../target.ts";

/** Why `parseJson` refuses a text that is JSON. */
const STRICTER = ["depth", "duplicate", "float", "range", "surrogate"];

const EXAMPLES = [
  "null",
  "-9223372036854775808",
  '"\\u0000\\u001f\\b\\f\\n\\r\\t\\"\\\\é東😀"',
  '{"":0,"a":[1,-1,9007199254740993],"b":{"c":true,"d":false,"e":null},"｡":"x","😀":{}}',
  `${"[".repeat(64)}1${"]".repeat(64)}`,
  ' { "b" : 1.5e3 , "a" : "\\/\\u00e9\\ud83d\\ude00" } ',
  `"${HIGH_SURROGATE}${LOW_SURROGATE}"`,
];

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export const target: Target = {
  start: () => ({
    seeds: [...EXAMPLES, ...vectorLines().slice(0, 6), readVectorText("canonical.json").slice(0, 4000)].map(bytesOf),
    tokens: ['{"a":', "[[[[[[[[", "]]]]]]]]", '"\\ud83d\\ude00"', "\\/", "e+1", ".0", '"a":1,"a":2'],
    run(input) {
      const text = textOf(input);
      const canonical = attempt(() => parseCanonical(text), "bad-encoding");
      const parsed = attempt(() => parseJson(text), "bad-encoding");
      if (parsed.error !== undefined) {
        require(parsed.error instanceof CanonicalError, "an error of a parser is a CanonicalError");
        const { offset = -1, rule } = parsed.error;
        require(offset >= 0 && offset <= text.length, `the offset ${offset} is in the text`);
        require(!isJson(text) || STRICTER.includes(rule), `JSON is refused for a reason, not for ${rule}`);
        require(canonical.error !== undefined, "what parseJson refuses, parseCanonical refuses");
        return;
      }
      require(isJson(text), "parseJson accepts only JSON");
      const encoded = encodeCanonical(parsed.value);
      require(encodeCanonical(parseCanonical(encoded)) === encoded, "encoding and parsing gives the same text");
      require((canonical.error === undefined) === (encoded === text), "exactly the canonical text is accepted");
      if (canonical.error === undefined) require(encodeCanonical(canonical.value) === text, "what is read is the text");
      else require(canonical.error instanceof CanonicalError, "an error of a parser is a CanonicalError");
    },
  }),
};
