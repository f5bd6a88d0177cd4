/** The complete lines of a stream. */
export async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** Whether a command can be run and succeeds. */
export function works(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const WITHOUT_OVERRIDE = [
  "setpriv",
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];
/** The command prefix that makes file modes apply to root. */
export function bound(): readonly string[] {
  return Deno.uid() === 0 ? WITHOUT_OVERRIDE : [];
}

/** Whether file modes apply on this system, to root with {@linkcode bound}. */
export function canBeBound(): boolean {
  const [command, ...args] = bound();
  return Deno.build.os !== "windows" && (command === undefined || works(command, ...args, "true"));
}
