/** Keeps memory with every input. */
import { bytesOf, type Target } from "../target.ts";

export const target: Target = {
  start() {
    const kept: Uint8Array[] = [];
    return { seeds: [bytesOf("a")], tokens: [], run: () => void kept.push(new Uint8Array(1 << 16)) };
  },
};
