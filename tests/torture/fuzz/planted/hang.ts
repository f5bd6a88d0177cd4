/** Hangs at an input that has an exclamation mark. */
import { bytesOf, type Target } from "../target.ts";

export const target: Target = {
  start: () => ({
    seeds: [bytesOf("a"), bytesOf("b!")],
    tokens: [],
    run(input) {
      while (input.includes(0x21));
    },
  }),
};
