/**
 * Memory that grows; hex and base64, without `Uint8Array.fromBase64` and related methods, which browsers have had only
 * since 2025.
 *
 * @module
 */

/** The length of a SHA-256 hash. */
export const HASH_BYTES = 32;

/** Memory of `length` bytes or more with the first `used` of some memory: the same memory, where it is large enough. */
export function enlarged(memory: Uint8Array<ArrayBuffer>, used: number, length: number): Uint8Array<ArrayBuffer> {
  if (length <= memory.length) return memory;
  const larger = new Uint8Array(Math.max(length, Math.ceil(1.5 * memory.length)));
  larger.set(memory.subarray(0, used));
  return larger;
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Decodes hex, which must be well-formed. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** Base64 (RFC 4648, section 4), padded. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Decodes base64 as {@linkcode toBase64} encodes it; `undefined` for any other text. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return toBase64(bytes) === text ? bytes : undefined; // atob accepts several texts for the same bytes
  } catch {
    return undefined;
  }
}
