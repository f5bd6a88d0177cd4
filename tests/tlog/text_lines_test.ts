import { assertEquals } from "@std/assert";
import { decodeDecimal, decodeHash } from "../../src/tlog/text_lines.ts";

Deno.test("decimals are 0 to 2^53-1, with one encoding each", () => {
  assertEquals(["0", "1", "10", "9007199254740991"].map(decodeDecimal), [0, 1, 10, 2 ** 53 - 1]);
  const others = [
    "",
    "00",
    "01",
    "+1",
    "-0",
    "1.0",
    "1e3",
    "0x1",
    " 1",
    "1 ",
    "1\n",
    "٣",
    "9007199254740992",
    "9".repeat(40),
  ];
  for (const text of others) assertEquals(decodeDecimal(text), undefined, text);
});

Deno.test("hashes are 32 bytes in base64, with one encoding each", () => {
  const text = "mXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=";
  assertEquals(decodeHash(text), Uint8Array.fromBase64(text));
  const others = ["", text.slice(0, -1), text + "=", ` ${text}`, text.replace("M=", "N="), "AAAA", text.slice(4)];
  for (const other of others) assertEquals(decodeHash(other), undefined, other);
});
