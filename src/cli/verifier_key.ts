/**
 * Reads a verifier key, given as text or as a file. The content of the file is never shown: it may be a private key.
 *
 * @module
 */

import { LogError } from "../errors.ts";
import { isPrivateKey } from "../keys/private_key.ts";
import { openInput } from "./files.ts";

/** Limit of a file with a verifier key, which has about 200 bytes. */
const MAX_BYTES = 1 << 16;

/**
 * The verifier key that an option names.
 *
 * @param given The key, or the path of a file with it.
 */
export async function readVerifierKey(given: string): Promise<string> {
  if (isPrivateKey(given)) throw privateKey("this");
  if (given.includes("+")) return given;
  const bytes: number[] = [];
  for await (const chunk of await openInput(given)) {
    if (bytes.length + chunk.length > MAX_BYTES) {
      throw new LogError("bad-key", `${given} is not a verifier key: it is too large`);
    }
    bytes.push(...chunk);
  }
  const text = new TextDecoder().decode(new Uint8Array(bytes)).trim();
  if (isPrivateKey(text)) throw privateKey(given);
  return text;
}

function privateKey(what: string): LogError {
  return new LogError("bad-key", `${what} is a private key; give the verifier key that mnema vkey prints`);
}
