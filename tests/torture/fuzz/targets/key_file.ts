/**
 * Key files: what is read is a key or refused, and no message says anything of what is in the file.
 *
 * @module
 */

import { generateKeyPairSync } from "node:crypto";
import { FileError, Identity } from "../../../../mod.ts";
import { pemOf } from "../../../../src/keys/key_file.ts";
import { attempt, bytesOf, require, type Target } from "../target.ts";

/** A key is written again once in so many times: that waits for the disk. */
const SAVE_EVERY = 100;
const SEED = Uint8Array.from({ length: 32 }, (_, n) => 7 * n + 1);

/** Keys of other kinds, and one that is encrypted. */
function others(): string[] {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 512 }).privateKey;
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return [
    rsa.export({ format: "pem", type: "pkcs8" }),
    generateKeyPairSync("x25519").privateKey.export({ format: "pem", type: "pkcs8" }),
    publicKey.export({ format: "pem", type: "spki" }),
    privateKey.export({ format: "pem", type: "pkcs8", cipher: "aes-128-cbc", passphrase: "x" }),
  ].map(String);
}

export const target: Target = {
  start(folder) {
    const [path, copy] = [`${folder}/mnema.key`, `${folder}/copy.key`];
    const messages = new Set<string>();
    let keys = 0;
    Deno.writeFileSync(path, new Uint8Array(), { mode: 0o600 });
    return {
      seeds: [pemOf(SEED), pemOf(SEED).replaceAll("\n", "\r\n"), `text before\n${pemOf(SEED)}`, ...others()].map(
        bytesOf,
      ),
      tokens: [
        "-----BEGIN PRIVATE KEY-----\n",
        "-----END PRIVATE KEY-----\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----",
        "MC4CAQAwBQYDK2VwBCIEI",
        "Proc-Type: 4,ENCRYPTED\n",
        "=",
        "\n",
      ],
      run(input) {
        Deno.writeFileSync(path, input);
        const { value: identity, error } = attempt(() => Identity.load(path), "key-unreadable");
        if (identity === undefined) {
          require(
            error instanceof FileError && error.path === path && error.cause === undefined,
            "the error names the file",
          );
          messages.add(error.message);
          return require(messages.size === 1, "all messages are the same, whatever is in the file");
        }
        if (keys++ % SAVE_EVERY > 0) return;
        identity.save(copy);
        const again = Identity.load(copy);
        Deno.removeSync(copy);
        require(again.author === identity.author, "a key that was read is written and read again");
        const message = bytesOf("message");
        require(again.sign(message).toHex() === identity.sign(message).toHex(), "it signs the same");
      },
    };
  },
};
