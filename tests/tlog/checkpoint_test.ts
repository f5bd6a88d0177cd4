import { assertEquals, assertMatch } from "@std/assert";
import { verifierKey, verifyCheckpoint } from "../../proof.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { signNote } from "../../src/tlog/note.ts";
import { alice, bob } from "../operations.ts";
import { assertRefused, textFlips } from "./reference.ts";

const origin = "example.org/log";
const vkey = verifierKey(alice.author, origin);
const root = new Uint8Array(32).map((_, i) => 7 * i);
const ROOT = root.toBase64();

/** A checkpoint of any lines, signed by Alice. */
function signed(...lines: string[]): string {
  return signNote(lines.map((line) => line + "\n").join(""), origin, alice);
}

Deno.test("a checkpoint is three lines, an empty line, and the signature, byte for byte", () => {
  const text = signCheckpoint({ size: 20852163, root }, alice, origin);
  const [lines, signature] = text.split("\n\n");
  assertEquals(lines, `example.org/log\n20852163\n${ROOT}`);
  assertMatch(signature, /^— example\.org\/log [A-Za-z0-9+/]{91}=\n$/);
  const bytes = Uint8Array.fromBase64(signature.trim().split(" ")[2]);
  assertEquals(bytes.slice(0, 4).toHex(), vkey.split("+")[1]);
  assertEquals(bytes.slice(4), alice.sign(new TextEncoder().encode(lines + "\n")));
  assertEquals(verifyCheckpoint(text, vkey), { origin, size: 20852163, root, text });
});

Deno.test("every size up to 2^53-1 round-trips", () => {
  for (const size of [0, 1, 9, 10, 2 ** 32, 2 ** 53 - 1]) {
    assertEquals(verifyCheckpoint(signCheckpoint({ size, root }, alice, origin), vkey).size, size);
  }
});

Deno.test("checkpoints of the Go checksum database verify, with a key name other than the origin", () => {
  const GO = "go.sum database tree";
  const goKey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
  const checkpoints: [number, string, string][] = [
    [
      6476701,
      "mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=",
      "Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=",
    ],
    [
      30055305,
      "mXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=",
      "Az3grpgEild5qw7+5dtV13Kf1C2Xurm8q4fhdxvcsDHnqNTaxL2AFjBY+2TyGKevucFcAAlWFJJYle3EJlDCrQ+y3A8=",
    ],
  ];
  for (const [size, hash, signature] of checkpoints) {
    const text = `${GO}\n${size}\n${hash}\n\n— sum.golang.org ${signature}\n`;
    const checkpoint = verifyCheckpoint(text, goKey, GO);
    assertEquals([checkpoint.origin, checkpoint.size, checkpoint.root.toBase64()], [GO, size, hash]);
    assertRefused("bad-checkpoint", () => verifyCheckpoint(text, goKey));
    assertRefused("bad-checkpoint", () => verifyCheckpoint(text, goKey, "go.sum database"));
  }
});

Deno.test("a checkpoint of another log, or by another signer, is refused", () => {
  const text = signCheckpoint({ size: 1, root }, alice, origin);
  assertRefused("bad-checkpoint", () => verifyCheckpoint(text, verifierKey(alice.author, "example.org/log2")));
  assertRefused("bad-checkpoint", () => verifyCheckpoint(text, verifierKey(bob.author, origin)));
  assertRefused("bad-checkpoint", () => verifyCheckpoint(text, vkey, "example.org/log2"));
  const moved = signNote(`example.org/log2\n1\n${ROOT}\n`, origin, alice);
  assertRefused("bad-checkpoint", () => verifyCheckpoint(moved, vkey));
  assertRefused("bad-key", () => verifyCheckpoint(text, "example.org/log"));
});

Deno.test("a checkpoint with witness signatures verifies, and its text includes them", () => {
  const text = signCheckpoint({ size: 1, root }, alice, origin) +
    signCheckpoint({ size: 1, root }, bob, origin).split("\n\n")[1] +
    `— witness.example/w1 ${new Uint8Array(76).fill(5).toBase64()}\n`;
  assertEquals(verifyCheckpoint(text, vkey).text, text);
  assertEquals(verifyCheckpoint(text, verifierKey(bob.author, origin)).text, text);
});

Deno.test("extension lines are signed, and part of the text", () => {
  const text = signed(origin, "5", ROOT, "extension one", "two");
  assertEquals(verifyCheckpoint(text, vkey), { origin, size: 5, root, text });
  assertRefused("bad-checkpoint", () => verifyCheckpoint(text.replace("two\n", ""), vkey));
});

Deno.test("a malformed checkpoint is refused, even if it is signed", () => {
  const bad: string[][] = [
    [origin],
    [origin, "5"],
    ["", "5", ROOT],
    [origin, "", ROOT],
    [origin, "5", ""],
    [origin, "5", ROOT, ""],
    [origin, "5", ROOT, "", "extension"],
    ["", origin, "5", ROOT],
    ...["05", "00", "-0", "-5", "+5", "5.0", "5e0", "0x5", " 5", "5 ", "٥", "5_0", "NaN", "Infinity"].map((size) => [
      origin,
      size,
      ROOT,
    ]),
    ...[2n ** 53n, 2n ** 63n, 10n ** 15n * 99n, 10n ** 30n].map((size) => [origin, String(size), ROOT]),
    [origin, "5", ROOT.slice(0, -1)],
    [origin, "5", ROOT + "="],
    [origin, "5", ROOT + " "],
    [origin, "5", " " + ROOT],
    [origin, "5", root.toHex()],
    [origin, "5", root.toBase64({ alphabet: "base64url" }).replace("=", "") + "-"],
    [origin, "5", root.slice(1).toBase64()],
    [origin, "5", new Uint8Array(33).toBase64()],
    [origin, ROOT, "5"],
    ["5", ROOT, origin],
  ];
  for (const lines of bad) {
    assertRefused("bad-checkpoint", () => verifyCheckpoint(signed(...lines), vkey), lines.join("|"));
  }
});

Deno.test("a checkpoint without an origin is refused, even if the expected origin is empty", () => {
  assertRefused("bad-checkpoint", () => verifyCheckpoint(signed("", "5", ROOT), vkey, ""));
});

Deno.test("every flipped bit of a checkpoint, and every truncation, is refused", () => {
  const text = signCheckpoint({ size: 12, root }, alice, origin);
  for (const flip of textFlips(text)) {
    assertRefused("bad-checkpoint", () => verifyCheckpoint(flip, vkey), JSON.stringify(flip));
  }
  for (let end = 0; end < text.length; end++) {
    assertRefused("bad-checkpoint", () => verifyCheckpoint(text.slice(0, end), vkey));
    assertRefused("bad-checkpoint", () => verifyCheckpoint(text.slice(end + 1), vkey));
  }
  for (const more of ["\n", " ", "x", "\n\n", "\u0000"]) {
    assertRefused("bad-checkpoint", () => verifyCheckpoint(text + more, vkey));
    assertRefused("bad-checkpoint", () => verifyCheckpoint(more + text, vkey));
  }
});

Deno.test("verifierKey refuses a malformed author or origin", () => {
  assertRefused("bad-key", () => verifierKey("alice", origin));
  assertRefused("bad-key", () => verifierKey("mnk_" + "A".repeat(64), origin));
  assertRefused("bad-key", () => verifierKey(undefined as never, origin));
  for (const bad of ["", "my log", "a+b", "a\n5", undefined, null, 5, ["a"]]) {
    assertRefused("bad-key", () => verifierKey(alice.author, bad as string));
    assertRefused("bad-key", () => signCheckpoint({ size: 0, root }, alice, bad as string));
  }
});
