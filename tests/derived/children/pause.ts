/** Says "paused", and waits until the input ends, or for the end. */
export function pause(): void {
  console.log("paused");
  Deno.stdin.readSync(new Uint8Array(1));
}
