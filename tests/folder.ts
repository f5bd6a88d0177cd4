/** Runs `use` with an empty folder of its own, and removes the folder afterwards. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = Deno.makeTempDirSync({ prefix: "mnema-test-" });
  let result: T;
  try {
    result = use(folder);
  } catch (error) {
    Deno.removeSync(folder, { recursive: true });
    throw error;
  }
  if (result instanceof Promise) {
    return result.finally(() => Deno.removeSync(folder, { recursive: true })) as T;
  }
  Deno.removeSync(folder, { recursive: true });
  return result;
}
