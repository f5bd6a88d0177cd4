/**
 * Signatures: native and portable verification give one verdict on any key, signature and message.
 *
 * An input is a key, a signature and a message.
 *
 * @module
 */

import { publicKeyHex } from "../../../../src/keys/author.ts";
import { verifySignature as verifyNatively } from "../../../../src/keys/native.ts";
import { verifySignature as verifyPortably } from "../../../../src/keys/portable.ts";
import { alice, bob } from "../../../operations.ts";
import { ED25519_TOKENS, orderAdded } from "../ed25519.ts";
import { bytesOf, require, type Target } from "../target.ts";

export const target: Target = {
  start() {
    const signed = [[alice, "message"], [bob, ""], [alice, "x".repeat(300)]] as const;
    const valid = signed.map(([signer, text]) => {
      const signature = signer.sign(bytesOf(text)).toHex();
      return { key: publicKeyHex(signer.author), signature, message: bytesOf(text).toHex() };
    });
    const authentic = new Set(valid.map(({ key, signature, message }) => key + signature + message));
    const points = ED25519_TOKENS.map((point) => ({ key: point, signature: point + "0".repeat(64), message: "" }));
    const added = valid.map((it) => ({ ...it, signature: orderAdded(it.signature) }));
    return {
      seeds: [...valid, ...points, ...added].map((it) => Uint8Array.fromHex(it.key + it.signature + it.message)),
      tokens: ED25519_TOKENS.map((point) => Uint8Array.fromHex(point)),
      run(input) {
        if (input.length < 96) return;
        const [key, signature, message] = [input.slice(0, 32), input.slice(32, 96), input.slice(96)];
        const isValid = verifyNatively(key.toHex(), signature.toHex(), message);
        require(isValid === verifyPortably(key, signature, message), "both give one verdict");
        require(isValid === authentic.has(input.toHex()), "exactly what was signed is valid");
      },
    };
  },
};
