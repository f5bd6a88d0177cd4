/** Fails behind conditions that no random input meets by chance, but one after the other. */
import { bytesOf, type Target } from "../target.ts";

export const target: Target = {
  start: () => ({
    seeds: [bytesOf("xxxx")],
    tokens: ["q", "z", "7", "k"],
    run(input) {
      if (input[0] === 0x71) {
        if (input[1] === 0x7a) {
          if (input[2] === 0x37) {
            if (input[3] === 0x6b && input.length === 4) throw new Error("planted");
          }
        }
      }
    },
  }),
};
