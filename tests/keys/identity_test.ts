import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError, Identity, LogError } from "../../mod.ts";
import { withFolder } from "../folder.ts";

const seed = new Uint8Array(32).fill(9);

Deno.test("a saved identity loads as the same, from a file that only its owner can read", () => {
  withFolder((folder) => {
    const identity = Identity.generate();
    identity.save(`${folder}/a.key`);
    assertEquals(Identity.load(`${folder}/a.key`).author, identity.author);
    if (Deno.build.os !== "windows") assertEquals(Deno.statSync(`${folder}/a.key`).mode! & 0o777, 0o600);
  });
});

Deno.test("openssl reads a saved key, and a key by openssl loads", () => {
  withFolder((folder) => {
    const identity = Identity.fromSeed(seed);
    identity.save(`${folder}/ours.key`);
    const text = openssl("pkey", "-in", `${folder}/ours.key`, "-noout", "-text");
    const publicKey = text.split("pub:")[1].replaceAll(/[^0-9a-f]/g, "");
    assertEquals("mnk_" + publicKey, identity.author);

    openssl("genpkey", "-algorithm", "ed25519", "-out", `${folder}/theirs.key`);
    Deno.chmodSync(`${folder}/theirs.key`, 0o600);
    const theirs = openssl("pkey", "-in", `${folder}/theirs.key`, "-noout", "-text");
    assertEquals(
      Identity.load(`${folder}/theirs.key`).author,
      "mnk_" + theirs.split("pub:")[1].replaceAll(/[^0-9a-f]/g, ""),
    );
  });
});

function openssl(...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command("openssl", { args }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("saving never overwrites a file", () => {
  withFolder((folder) => {
    const path = `${folder}/a.key`;
    Deno.writeTextFileSync(path, "precious");
    const error = assertThrows(() => Identity.generate().save(path), FileError);
    assertEquals([error.code, error.path], ["file-exists", path]);
    assertEquals(Deno.readTextFileSync(path), "precious");
  });
});

Deno.test({
  name: "a key file that others can read is refused, with the chmod command",
  ignore: Deno.build.os === "windows",
  fn() {
    withFolder((folder) => {
      const path = `${folder}/a.key`;
      Identity.fromSeed(seed).save(path);
      for (const mode of [0o640, 0o604, 0o620, 0o601]) {
        Deno.chmodSync(path, mode);
        const error = assertThrows(() => Identity.load(path), FileError, `chmod 600 ${path}`);
        assertEquals(error.code, "key-exposed");
      }
      Deno.chmodSync(path, 0o400);
      assertEquals(Identity.load(path).author, Identity.fromSeed(seed).author);
    });
  },
});

Deno.test("a path without a valid key file is refused with the reason", () => {
  withFolder((folder) => {
    const write = (name: string, text: string) => {
      Deno.writeTextFileSync(`${folder}/${name}`, text, { mode: 0o600 });
      return `${folder}/${name}`;
    };
    const code = (path: string) => assertThrows(() => Identity.load(path), FileError).code;
    assertEquals(code(`${folder}/none.key`), "missing-file");
    assertEquals(code(folder), "is-a-folder");
    assertEquals(code(write("empty.key", "")), "key-unreadable");
    assertEquals(code(write("text.key", "hello")), "key-unreadable");
    openssl("genpkey", "-algorithm", "x25519", "-out", `${folder}/x25519.key`);
    Deno.chmodSync(`${folder}/x25519.key`, 0o600);
    assertEquals(code(`${folder}/x25519.key`), "key-unreadable");
    assertEquals(
      assertThrows(() => Identity.fromSeed(seed).save(`${folder}/none/a.key`), FileError).code,
      "missing-folder",
    );
  });
});

Deno.test("a seed that is not 32 bytes is refused", () => {
  assertEquals(assertThrows(() => Identity.fromSeed(new Uint8Array(31)), LogError).code, "invalid-argument");
  assertEquals(assertThrows(() => Identity.fromSeed("x" as never), LogError).code, "invalid-argument");
});

Deno.test("an identity has its own copy of the seed", () => {
  const own = seed.slice();
  const identity = Identity.fromSeed(own);
  const before = identity.sign(new Uint8Array(3)).toHex();
  own.fill(0);
  assertEquals(identity.sign(new Uint8Array(3)).toHex(), before);
});

Deno.test("printing an identity does not show the secret", () => {
  const identity = Identity.fromSeed(seed);
  const shown = Deno.inspect(identity, { showHidden: true }) + JSON.stringify(identity) + String(identity);
  assertStringIncludes(shown, identity.author);
  assertFalse(shown.includes(seed.toHex()) || shown.includes("9, 9, 9"));
});

Deno.test({
  name: "a pipe, a device or a socket is refused as key file without blocking",
  ignore: Deno.build.os === "windows",
  fn() {
    withFolder((folder) => {
      const pipe = `${folder}/pipe`;
      new Deno.Command("mkfifo", { args: ["-m", "600", pipe] }).outputSync();
      Deno.symlinkSync(pipe, `${folder}/link`);
      for (const path of [pipe, `${folder}/link`, "/dev/zero", "/dev/null"]) {
        const error = assertThrows(() => Identity.load(path), FileError, "not a key file");
        assertEquals([error.code, error.path], ["key-unreadable", path]);
      }
    });
  },
});

Deno.test("a file that is too large for a key is refused, even if it begins with one", () => {
  withFolder((folder) => {
    const path = `${folder}/large.key`;
    Identity.fromSeed(seed).save(path);
    Deno.writeFileSync(path, new Uint8Array(1 << 16).fill(10), { append: true });
    assertEquals(assertThrows(() => Identity.load(path), FileError).code, "key-unreadable");
  });
});

Deno.test("no error message or cause quotes the content of a key file", () => {
  withFolder((folder) => {
    const path = `${folder}/a.key`;
    Identity.fromSeed(seed).save(path);
    const pem = Deno.readTextFileSync(path);
    const secret = pem.split("\n")[1];
    const damaged = [pem.replace("PRIVATE", "PUBLIC"), pem.slice(0, -30), pem.replace("MC4C", "MC4D"), secret];
    for (const text of damaged) {
      Deno.writeTextFileSync(path, text);
      const error = assertThrows(() => Identity.load(path), FileError);
      assertEquals(error.code, "key-unreadable");
      assertFalse(Deno.inspect(error, { depth: 9 }).includes(secret.slice(4, 20)));
    }
    for (const use of [() => Identity.load(pem), () => Identity.generate().save(pem)]) {
      const error = assertThrows(use, LogError, "private key itself");
      assertEquals(error.code, "invalid-argument");
      assertFalse(error.message.includes(secret));
    }
  });
});

Deno.test("a path or a message of another type is refused", () => {
  const identity = Identity.fromSeed(seed);
  for (const other of [undefined, null, 5, {}, new URL("file:///a.key")]) {
    assertEquals(assertThrows(() => Identity.load(other as string), LogError).code, "invalid-argument");
    assertEquals(assertThrows(() => identity.save(other as string), LogError).code, "invalid-argument");
  }
  for (const other of [undefined, null, "text", 5, [1], new ArrayBuffer(1)]) {
    assertEquals(assertThrows(() => identity.sign(other as never), LogError).code, "invalid-argument");
  }
});
