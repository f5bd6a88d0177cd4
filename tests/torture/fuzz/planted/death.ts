/** Ends the process, as a fault in native code does. */
import { bytesOf, type Target } from "../target.ts";

export const target: Target = {
  start: () => ({ seeds: [bytesOf("a")], tokens: [], run: () => Deno.kill(Deno.pid, "SIGKILL") }),
};
