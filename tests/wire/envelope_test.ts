import { assertEquals, assertThrows } from "@std/assert";
import { Operation, OperationError } from "../../mod.ts";
import { checkType, isType } from "../../src/wire/envelope.ts";
import { note } from "../operations.ts";

const { op_id, ...rest } = note("tea").toWire();
const id = "op_" + "0".repeat(64);

const FAULTS: [field: string, values: unknown[], path?: string][] = [
  ["author", [1, null, "", "mnk_", "mnk_" + "A".repeat(64), "mnk_" + "a".repeat(63), "mnk_" + "a".repeat(64) + "\n"]],
  ["body", [null, [], "{}", 1]],
  ["op_id", [1, null, "", "op_", id.slice(0, -1), id + "0", id.toUpperCase()]],
  ["prev", [null, {}, id, [id, id], Array.from({ length: 1025 }, (_, n) => "op_" + String(n).padStart(64, "0"))]],
  ["prev", [[1], ["op_"]], "$.prev[0]"],
  ["prev", [[id, id + "0"]], "$.prev[1]"],
  ["sig", [1, "", "0".repeat(127), "0".repeat(129), "A".repeat(128)]],
  ["ts", ["1", null, -1, 9007199254740992n, -9007199254740993n]],
  ["type", [1, "", "A", "a.", ".a", "a..b", "1a", "a b", "a".repeat(129)]],
  ["v", [0, 2, "1", null, true]],
  ["more", [1], "$.more"],
  ["__proto__", [1], "$.__proto__"],
  ["a b", [1], '$["a b"]'],
];

for (const [field, values, path = `$.${field}`] of FAULTS) {
  Deno.test(`an operation with an invalid ${field} is refused, with the path ${path}`, () => {
    for (const value of values) {
      const fields = Object.fromEntries([...Object.entries({ ...rest, op_id }), [field, value]]);
      const error = assertThrows(() => Operation.fromWire(fields), OperationError, path);
      assertEquals([error.code, error.path], ["bad-shape", path]);
      assertEquals(error.opId, field === "op_id" ? undefined : op_id);
    }
  });
}

Deno.test("an operation without one of its fields is refused, with the path of the field", () => {
  for (const field of ["author", "body", "op_id", "prev", "sig", "ts", "type", "v"]) {
    const fields = Object.fromEntries(Object.entries({ ...rest, op_id }).filter(([name]) => name !== field));
    const error = assertThrows(() => Operation.fromWire(fields), OperationError, `$.${field} is missing`);
    assertEquals([error.code, error.path], ["bad-shape", `$.${field}`]);
  }
  for (const value of [null, 1, "text", []]) {
    assertEquals(assertThrows(() => Operation.fromWire(value), OperationError).path, "$");
  }
});

Deno.test("types are lower-case words joined by dots, of at most 128 characters", () => {
  for (const type of ["a", "evidence.add", "a1.b_2", "a".repeat(128)]) {
    assertEquals(isType(type), true, type);
    checkType(type);
  }
  for (const type of ["", "A", "a.", "_a", "a-b", "é", "a\n", "a".repeat(129)]) {
    assertEquals(isType(type), false, type);
    assertEquals(assertThrows(() => checkType(type), OperationError).path, "$.type");
  }
});
