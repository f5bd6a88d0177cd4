import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Identity } from "../../mod.ts";
import {
  formatVerifierKey,
  namedKey,
  parseVerifierKey,
  publicKeyOf,
  signNote,
  verifyNote,
} from "../../src/tlog/note.ts";
import { withFolder } from "../folder.ts";
import { alice, bob } from "../operations.ts";
import { works } from "../processes.ts";
import { assertRefused, textFlips } from "./reference.ts";

// From the documentation of golang.org/x/mod/sumdb/note.
const PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT = "If you think cryptography is the answer to your problem,\n" +
  "then you don't know what your problem is.\n";
const BY_PETER =
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const BY_ENOCH =
  "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
/** Go's seed of Peter's key, after the byte of its type. */
const PETER_SEED = Uint8Array.fromBase64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").slice(1);

const peter = parseVerifierKey(PETER);
const name = "example.org/log";
const key = namedKey(name, publicKeyOf(alice.author));

Deno.test("Go's example verifies with the key of each signer", () => {
  const note = `${TEXT}\n${BY_PETER}${BY_ENOCH}`;
  assertEquals(verifyNote(`${TEXT}\n${BY_PETER}`, peter), TEXT);
  assertEquals(verifyNote(note, peter), TEXT);
  assertEquals(verifyNote(note, parseVerifierKey(ENOCH)), TEXT);
});

Deno.test("the example of c2sp.org/signed-note verifies", () => {
  const note = "This is an example message.\n\n" +
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
  const vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
  assertEquals(verifyNote(note, parseVerifierKey(vkey)), "This is an example message.\n");
});

Deno.test("a text may have empty lines, and letters of any language", () => {
  const poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera. 🙂\n";
  assertEquals(verifyNote(signNote(poem, name, alice), key), poem);
  assertEquals(verifyNote(signNote("\n\n", name, alice), key), "\n\n");
});

Deno.test("signing with Go's key gives Go's example byte for byte", () => {
  assertEquals(signNote(TEXT, "PeterNeumann", Identity.fromSeed(PETER_SEED)), `${TEXT}\n${BY_PETER}`);
});

Deno.test("Go's verifier keys round-trip", () => {
  for (const vkey of [PETER, ENOCH]) assertEquals(formatVerifierKey(parseVerifierKey(vkey)), vkey);
  assertEquals(peter.name, "PeterNeumann");
  assertEquals(peter.id, "c74f20a3");
  assertEquals(peter.publicKey, publicKeyOf(Identity.fromSeed(PETER_SEED).author));
  assertEquals(parseVerifierKey(PETER.replace("c74f20a3", "C74F20A3")), peter, "Go reads this, too");
});

Deno.test("a malformed verifier key is refused", () => {
  const [, id, base64] = PETER.split("+");
  const bytes = Uint8Array.fromBase64(base64);
  const other = (type: number[], publicKey: Uint8Array) => new Uint8Array([...type, ...publicKey]).toBase64();
  for (
    const vkey of [
      "",
      "PeterNeumann",
      `PeterNeumann+${id}`,
      `PeterNeumann+${id}+`,
      `+${id}+${base64}`,
      `Peter Neumann+${id}+${base64}`,
      `Peter\u00a0Neumann+${id}+${base64}`,
      `Peter\u0085Neumann+${id}+${base64}`,
      `Peter\nNeumann+${id}+${base64}`,
      `Peter\u0000Neumann+${id}+${base64}`,
      `Peter\ud800Neumann+${id}+${base64}`,
      `Paul+${id}+${base64}`,
      `PeterNeumann+${id.slice(1)}+${base64}`,
      `PeterNeumann+0${id}+${base64}`,
      `PeterNeumann+c74f20a2+${base64}`,
      `PeterNeumann+c74f20ag+${base64}`,
      `PeterNeumann+${id}+${base64}=`,
      `PeterNeumann+${id}+${base64} `,
      `PeterNeumann+${id}+${base64}\n`,
      `PeterNeumann+${id}+${base64.replace("/", "_")}`,
      `PeterNeumann+${id}+${base64.slice(0, -4)}`,
      `PeterNeumann+${id}+${other([4], bytes.slice(1))}`,
      `PeterNeumann+${id}+${other([1], bytes.slice(2))}`,
      `PeterNeumann+${id}+${other([1, 1], bytes.slice(1))}`,
      ` ${PETER}`,
    ]
  ) assertRefused("bad-key", () => parseVerifierKey(vkey), JSON.stringify(vkey));
  for (const publicKey of [bytes.slice(2), new Uint8Array(33), new Uint8Array()]) {
    const vkey = formatVerifierKey(namedKey("PeterNeumann", publicKey)); // the id fits
    assertRefused("bad-key", () => parseVerifierKey(vkey), vkey);
  }
});

Deno.test("every flipped bit of a verifier key is refused, except in the case of its id", () => {
  const [name, id, base64] = PETER.split("+");
  for (const flip of textFlips(PETER)) {
    const isRecased = flip.toLowerCase() === PETER.toLowerCase() &&
      flip.startsWith(`${name}+`) && flip.endsWith(`+${base64}`);
    if (isRecased) assertEquals(parseVerifierKey(flip).id, id);
    else assertRefused("bad-key", () => parseVerifierKey(flip), JSON.stringify(flip));
  }
});

Deno.test("signatures of unknown keys are ignored, even with the same name or id", () => {
  const bytes = Uint8Array.fromBase64(BY_PETER.split(" ")[2].trim());
  const sameName = `— PeterNeumann ${new Uint8Array([...bytes.slice(0, 3), 0, ...bytes.slice(4)]).toBase64()}\n`;
  const sameId = `— PaulNeumann ${bytes.toBase64()}\n`;
  const short = `— witness.example ${new Uint8Array(5).toBase64()}\n`;
  const long = `— witness.example ${new Uint8Array(3000).toBase64()}\n`;
  for (const unknown of [BY_ENOCH, sameName, sameId, short, long, sameName + sameId]) {
    assertEquals(verifyNote(`${TEXT}\n${unknown}${BY_PETER}`, peter), TEXT);
    assertEquals(verifyNote(`${TEXT}\n${BY_PETER}${unknown}`, peter), TEXT);
    assertRefused("bad-checkpoint", () => verifyNote(`${TEXT}\n${unknown}`, peter), unknown);
  }
});

Deno.test("an invalid signature with the key's name and id is refused, even next to a valid one", () => {
  const bytes = Uint8Array.fromBase64(BY_PETER.split(" ")[2].trim());
  const line = (signature: Uint8Array) => `— PeterNeumann ${signature.toBase64()}\n`;
  const changed = bytes.with(67, bytes[67] ^ 1);
  for (const bad of [line(changed), line(bytes.slice(0, 67)), line(new Uint8Array([...bytes, 0]))]) {
    assertRefused("bad-checkpoint", () => verifyNote(`${TEXT}\n${bad}`, peter), bad);
    assertRefused("bad-checkpoint", () => verifyNote(`${TEXT}\n${bad}${BY_PETER}`, peter), bad);
    assertRefused("bad-checkpoint", () => verifyNote(`${TEXT}\n${BY_PETER}${bad}`, peter), bad);
  }
  assertEquals(verifyNote(`${TEXT}\n${BY_PETER}${BY_PETER}`, peter), TEXT, "the same twice is no harm");
});

Deno.test("16 signatures are accepted, as the specification requires, and not arbitrarily many", () => {
  const witness = (i: number) => `— witness${i}.example ${new Uint8Array(68).fill(i).toBase64()}\n`;
  const note = (count: number) =>
    `${TEXT}\n${Array.from({ length: count - 1 }, (_, i) => witness(i)).join("")}${BY_PETER}`;
  for (const count of [16, 17, 100]) assertEquals(verifyNote(note(count), peter), TEXT);
  assertRefused("bad-checkpoint", () => verifyNote(note(101), peter));
});

Deno.test("a malformed note is refused", () => {
  const base64 = BY_PETER.split(" ")[2].trim();
  const good = `${TEXT}\n${BY_PETER}`;
  const line = (text: string) => `${TEXT}\n${BY_PETER}${text}`;
  for (
    const note of [
      "",
      "\n",
      "\n\n",
      TEXT,
      `${TEXT}\n`,
      BY_PETER,
      `\n${BY_PETER}`,
      `${TEXT}${BY_PETER}`, // no empty line
      good.slice(0, -1), // no newline at the end
      `${good}\n`, // one too many
      `${good}\n\n`,
      `\n${good}`,
      ` ${good}`,
      `\ufeff${good}`,
      good.replaceAll("\n", "\r\n"),
      good.replace("think", "thi\tnk"),
      good.replace("think", "thi\u0000nk"),
      good.replace("think", "thi\ud800nk"),
      good.replace("think", "thi\udc00nk"),
      line("junk\n"),
      line("—\n"),
      line("— \n"),
      line("— PeterNeumann\n"),
      line("— PeterNeumann \n"),
      line(`— ${base64}\n`),
      line(`-- PeterNeumann ${base64}\n`),
      line(`– PeterNeumann ${base64}\n`), // an en dash
      line(`—PeterNeumann ${base64}\n`),
      line(`—  PeterNeumann ${base64}\n`),
      line(`— Peter Neumann ${base64}\n`),
      line(`— Peter+Neumann ${base64}\n`),
      line(`— Peter\u2003Neumann ${base64}\n`),
      line(`— PeterNeumann  ${base64}\n`),
      line(`— PeterNeumann ${base64} \n`),
      line(`— PeterNeumann ${base64}=\n`),
      line(`— PeterNeumann ${base64.slice(0, -1)}\n`),
      line(`— PeterNeumann ${base64.replace("nAM=", "nAN=")}\n`), // bits that say nothing
      line(`— PeterNeumann ${base64.replace("/", "_")}\n`),
      line("— witness.example AAAAAA==\n"), // four bytes: an id and nothing
      line(" " + BY_PETER),
    ]
  ) assertRefused("bad-checkpoint", () => verifyNote(note, peter), JSON.stringify(note));
});

Deno.test("a text with control characters or lone surrogates is refused, even if it is signed", () => {
  for (const bad of ["\t", "\r", "\u0000", "\u001f", "\ud800", "\udc00\ud800"]) {
    const note = signNote(`a${bad}b\n`, name, alice);
    assertRefused("bad-checkpoint", () => verifyNote(note, key), JSON.stringify(note));
  }
  for (const text of ["a b\n", "a\u007fb\n", "a\u0085b\n", "a\u2028b\n"]) {
    assertEquals(verifyNote(signNote(text, name, alice), key), text, JSON.stringify(text));
  }
});

Deno.test("every flipped bit of a note is refused", () => {
  const note = signNote("one\ntwo\n", "a.b", alice);
  const aliceKey = namedKey("a.b", publicKeyOf(alice.author));
  assertEquals(verifyNote(note, aliceKey), "one\ntwo\n");
  for (const flip of textFlips(note)) {
    assertRefused("bad-checkpoint", () => verifyNote(flip, aliceKey), JSON.stringify(flip));
  }
});

Deno.test("a note does not verify with the key of another signer", () => {
  const note = signNote(TEXT, name, alice);
  assertRefused("bad-checkpoint", () => verifyNote(note, namedKey(name, publicKeyOf(bob.author))));
  assertRefused("bad-checkpoint", () => verifyNote(note, namedKey("another", publicKeyOf(alice.author))));
});

Deno.test("signNote refuses a malformed name", () => {
  for (const bad of ["", "a b", "a+b", "a\nb", "a\u3000b", "a\ud800", "a\u0007"]) {
    assertRefused("bad-key", () => signNote(TEXT, bad, alice), JSON.stringify(bad));
  }
});

Deno.test("publicKeyOf refuses a malformed author id", () => {
  for (const bad of ["", "mnk_", alice.author.toUpperCase(), alice.author + "0", alice.author.slice(4)]) {
    assertRefused("bad-key", () => publicKeyOf(bad), bad);
  }
});

Deno.test({
  name: "openssl verifies our signature over the text",
  ignore: !works("openssl", "version"),
  fn() {
    withFolder((folder) => {
      const [text, line] = signNote(TEXT, name, alice).split("\n\n");
      const signature = Uint8Array.fromBase64(line.trim().split(" ")[2]).slice(4);
      const der = new Uint8Array([...Uint8Array.fromHex("302a300506032b6570032100"), ...publicKeyOf(alice.author)]);
      Deno.writeFileSync(`${folder}/key.der`, der);
      Deno.writeFileSync(`${folder}/signature`, signature);
      const verify = (message: string) => {
        Deno.writeTextFileSync(`${folder}/text`, message);
        const args = ["pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER"];
        const paths = ["-inkey", `${folder}/key.der`, "-sigfile", `${folder}/signature`, "-in", `${folder}/text`];
        const { success, stdout } = new Deno.Command("openssl", { args: [...args, ...paths] }).outputSync();
        return [success, new TextDecoder().decode(stdout)] as const;
      };
      const [success, out] = verify(text + "\n");
      assert(success);
      assertStringIncludes(out, "Signature Verified Successfully");
      assertEquals(verify(text)[0], false, "the last newline is signed, too");
    });
  },
});
