import { assert, assertFalse, assertThrows } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { ProofError } from "../../mod.ts";
import { verifierKey, verifyCheckpoint, verifyConsistency, verifyInclusion } from "../../proof.ts";
import { isPrivateKey } from "../../src/keys/private_key.ts";
import { alice } from "../operations.ts";

const pair = generateKeyPairSync("ed25519");
const pkcs8 = pair.privateKey.export({ format: "pem", type: "pkcs8" }) as string;
const SECRET = pkcs8.split("\n")[1];
const jwk = pair.privateKey.export({ format: "jwk" });

/** Private keys in common formats; of those that are not generated here only the recognizable part. */
const PRIVATE: [what: string, text: string][] = [
  ["PKCS#8", pkcs8],
  ["PKCS#8 with Windows line ends", pkcs8.replaceAll("\n", "\r\n")],
  ["PKCS#8 after other text", `# my key\n${pkcs8}`],
  ["encrypted PKCS#8", `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${SECRET}\n-----END ENCRYPTED PRIVATE KEY-----\n`],
  ["SEC 1", `-----BEGIN EC PRIVATE KEY-----\n${SECRET}\n-----END EC PRIVATE KEY-----\n`],
  ["OpenSSH", `-----BEGIN OPENSSH PRIVATE KEY-----\n${SECRET}\n-----END OPENSSH PRIVATE KEY-----\n`],
  ["PGP", `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${SECRET}\n-----END PGP PRIVATE KEY BLOCK-----\n`],
  ["PuTTY", `PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n${SECRET}\n`],
  ["age", `AGE-SECRET-KEY-1${SECRET}`],
  ["Go's sumdb/note", `PRIVATE+KEY+example.org+c74f20a3+${SECRET}`],
  ["a JSON Web Key", JSON.stringify(jwk)],
  ["a JSON Web Key on several lines", JSON.stringify({ keys: [jwk] }, null, 2)],
];

for (const [what, text] of PRIVATE) {
  Deno.test(`a private key is recognized, and no message quotes it: ${what}`, () => {
    assert(isPrivateKey(text));
    const secret = what.includes("JSON") ? jwk.d! : SECRET;
    const vkey = verifierKey(alice.author, "example.org");
    const acts = [
      () => verifyCheckpoint("", text),
      () => verifyCheckpoint(text, vkey),
      () => verifyInclusion(text, "{}", vkey),
      () => verifyInclusion(`c2sp.org/tlog-proof@v1\n${text}\n\n${text}`, "{}", vkey),
      () => verifyConsistency(text, vkey),
      () => verifyConsistency(`consistency@v1\n${text}\n\na\n\n${text}\n\nb\n\n${text}`, vkey),
      () => verifyCheckpoint(`a\n1\n${SECRET}\n\n— ${text}`, vkey),
    ];
    for (const act of acts) assertFalse(assertThrows(act, ProofError).message.includes(secret.slice(8, 24)));
  });
}

Deno.test("public keys are not recognized as private keys", () => {
  const texts = [
    verifierKey(alice.author, "example.org/PRIVATE-KEY"),
    alice.author,
    pair.publicKey.export({ format: "pem", type: "spki" }) as string,
    JSON.stringify(pair.publicKey.export({ format: "jwk" })),
    "-----BEGIN CERTIFICATE-----",
    '{"d":"drink","value":"tea"}',
    "",
  ];
  for (const text of texts) assertFalse(isPrivateKey(text), text);
});
