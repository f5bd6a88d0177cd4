/** Throws an error of the log whose code is not documented where it is thrown. */
import { LogError } from "../../../../mod.ts";
import { attempt, bytesOf, type Target } from "../target.ts";

export const target: Target = {
  start: () => ({
    seeds: [bytesOf("a")],
    tokens: [],
    run() {
      attempt(() => {
        throw new LogError("locked", "planted");
      }, "bad-shape");
    },
  }),
};
