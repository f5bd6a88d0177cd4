import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as portable from "../../src/tlog/merkle.ts";
import { nodeHash } from "../../src/tlog/node_hash.ts";
import { leafHash } from "../../src/tlog/leaf.ts";
import "../runs.ts";

Deno.test("the fast hashes of leaves and nodes equal the portable ones", () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 10_000 }), hash, hash, (leaf, left, right) => {
    assertEquals(leafHash(leaf), portable.leafHash(leaf));
    assertEquals(nodeHash(left, right), portable.nodeHash(left, right));
  }));
});
