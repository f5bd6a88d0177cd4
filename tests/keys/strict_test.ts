import { assertEquals } from "@std/assert";
import { isBelowGroupOrder, isStrictPoint } from "../../src/keys/strict.ts";

/** Little-endian hex of 32 bytes. */
const hex = (integer: bigint) => Uint8Array.fromHex(integer.toString(16).padStart(64, "0")).toReversed().toHex();

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;

Deno.test("scalars are below the group order", () => {
  for (const scalar of [0n, 1n, 2n ** 252n, L - 1n]) assertEquals(isBelowGroupOrder(hex(scalar)), true);
  for (const scalar of [L, L + 1n, 2n ** 253n, 2n ** 256n - 1n]) assertEquals(isBelowGroupOrder(hex(scalar)), false);
});

Deno.test("points have y below p, with either sign, and no small order", () => {
  const sign = 2n ** 255n;
  for (const y of [2n, 3n, 4n, P - 2n, P - 3n, 2n ** 254n]) {
    for (const point of [y, y + sign]) assertEquals(isStrictPoint(hex(point)), true, hex(point));
  }
  for (const y of [0n, 1n, P - 1n, P, P + 1n, P + 18n]) { // y of 0, 1 and p - 1 is of order 4, 1 and 2
    for (const point of [y, y + sign]) assertEquals(isStrictPoint(hex(point)), false, hex(point));
  }
});
