import { assertEquals, assertThrows } from "@std/assert";
import { parseConfidence, parseTime, parseValue, splitDeriver } from "../../src/render/parse.ts";

Deno.test("a value is JSON, and what is not JSON is text", () => {
  const cases: [string, unknown][] = [
    ["tea", "tea"],
    ['"tea"', "tea"],
    ["42", 42],
    ["9007199254740993", 9007199254740993n],
    ['{"cups":[1]}', { cups: [1] }],
    ["{cups", "{cups"],
    ["", ""],
  ];
  for (const [text, value] of cases) assertEquals(parseValue(text), value);
});

Deno.test("JSON that the log cannot hold is refused", () => {
  for (const text of ["0.5", '{"a":1,"a":2}', "99999999999999999999"]) {
    assertThrows(() => parseValue(text), Error, "the value: ");
  }
});

Deno.test("a time is in UTC unless it names an offset", () => {
  assertEquals(parseTime("2026-11-25"), Date.UTC(2026, 10, 25));
  assertEquals(parseTime("2026-11-25T14:30"), Date.UTC(2026, 10, 25, 14, 30));
  assertEquals(parseTime("2026-11-25T14:30:01.5+01:00"), Date.UTC(2026, 10, 25, 13, 30, 1, 500));
  for (const text of ["", "yesterday", "2026-02-30", "2026-13-01", "2026-11-25 14:30", "1"]) {
    assertEquals(parseTime(text), undefined, text);
  }
});

Deno.test("a confidence is a decimal from 0 to 1, in parts per million", () => {
  const cases: [string, number][] = [["0.82", 820_000], ["1", 1_000_000], ["0", 0], [".000001", 1], ["1.0", 1_000_000]];
  for (const [text, ppm] of cases) assertEquals(parseConfidence(text), ppm);
  for (const text of ["", "1.1", "2", "-0", "0.0000001", "82 %", "1e-1"]) {
    assertEquals(parseConfidence(text), undefined, text);
  }
});

Deno.test("the version of a deriver is behind its last @", () => {
  assertEquals(splitDeriver("habits@1.2"), { id: "habits", version: "1.2" });
  assertEquals(splitDeriver("a@b@1"), { id: "a@b", version: "1" });
  for (const id of ["habits", "@1", "habits@"]) assertEquals(splitDeriver(id), { id });
});
