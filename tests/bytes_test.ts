import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromBase64, fromHex, toBase64, toHex } from "../src/bytes.ts";
import "./runs.ts";

Deno.test("hex and base64 of bytes equal the runtime's and decode to the same bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assertEquals([toHex(bytes), toBase64(bytes)], [bytes.toHex(), bytes.toBase64()]);
    assertEquals([fromHex(toHex(bytes)), fromBase64(toBase64(bytes))], [bytes, bytes]);
  }));
});

Deno.test("base64 that is not canonical is refused", () => {
  for (const text of ["AA", "AA=", "AB==", "AA==\n", " AA==", "AA==AA==", "A", "-_8=", "AAé=", "AA==="]) {
    assertEquals(fromBase64(text), undefined, text);
  }
});
